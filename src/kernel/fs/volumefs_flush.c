/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One batch is under way at most.  A helper thread commits it, and sees the
 * volume's frozen batch only; the kernel goes on changing the current one.
 */
#include "kernel/fs/volumefs_flush.h"

#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/volumefs.h"
#include "kernel/fs/volumefs_sealed.h"

/* Somebody's fsync(2). */
struct sync_job {
	struct work work;
	struct task *task; /* NULL: nobody waits any more */
	struct volumefs *fs;
	struct volumefs_node *node; /* pinned while the helper works; or NULL */
	uint64_t batch;             /* to be safe */
	uint64_t failures;          /* when it began */
	int fd;
	long result;
	bool done; /* the helper's part */
};

static bool start(struct volumefs *fs);

/* Nodes whose attributes or share of the limit changed since. */
static void write_dirty(struct volumefs *fs)
{
	while (!list_empty(&fs->dirty)) {
		struct volumefs_node *n = list_first(
			&fs->dirty, struct volumefs_node, dirty);
		uint64_t batch = n->tree.batch;

		if (n->tree.r.nlink > 0 &&
		    tree_update(fs->volume, &n->tree) < 0)
			return; /* out of memory: with the next batch */
		/* Who changed it said whether fsync(2) has to wait for that;
		 * it has to where the record has the size. */
		if (!fs->cipher)
			n->tree.batch = batch;
		list_del(&n->dirty);
	}
}

static void flush_run(struct work *w)
{
	struct volumefs *fs = container_of(w, struct volumefs, work);

	fs->result = volume_commit(fs->volume);
	sem_post(&fs->committed);
}

static void settle(struct volumefs *fs)
{
	fs->flushing = false;
	volume_settle(fs->volume, fs->result);
	if (fs->result < 0) {
		fs->failures++;
		fs->last_err = fs->result == -ENOSPC || fs->result == -EDQUOT
		                       ? -ENOSPC
		                       : -EIO;
	}
}

static void flush_done(struct work *w)
{
	struct volumefs *fs = container_of(w, struct volumefs, work);
	bool again = fs->again;

	if (sem_trywait(&fs->committed) < 0)
		return; /* volumefs_flush_now() was quicker */
	settle(fs);
	fs->again = false;
	if (again && fs->result == 0)
		(void)start(fs);
	else
		volumefs_flush_later(fs);
	waitq_wake(&fs->flushed, WAITQ_ANY);
}

/* Begins a batch.  False if there was nothing to write. */
static bool start(struct volumefs *fs)
{
	if (fs->flushing) {
		fs->again = true;
		return true;
	}
	write_dirty(fs);
	if (!volume_freeze(fs->volume))
		return false;
	fs->flushing = true;
	timer_stop(&fs->kernel->loop.timers, &fs->late);
	fs->work.run = flush_run;
	fs->work.done = flush_done;
	if (work_submit(fs->kernel->workers, &fs->work) < 0) {
		/* No thread to be had: by ourselves. */
		flush_run(&fs->work);
		flush_done(&fs->work);
	}
	return true;
}

static void late_fire(struct timer *t)
{
	struct volumefs *fs = container_of(t, struct volumefs, late);

	if (fs->volume)
		(void)start(fs);
}

void volumefs_flush_init(struct volumefs *fs)
{
	list_init(&fs->dirty);
	sem_init(&fs->committed, 0, 0);
	waitq_init(&fs->flushed);
	fs->late.fire = late_fire;
}

void volumefs_flush_later(struct volumefs *fs)
{
	struct store *s = fs->volume->store;

	if (fs->flushing)
		return; /* flush_done() looks again */
	if (store_waiting(s) > VOLUMEFS_MUCH && !fs->volume->full) {
		(void)start(fs);
		return;
	}
	if (timer_is_set(&fs->late) ||
	    (store_waiting(s) == 0 && !fs->volume->sums_changed &&
	     list_empty(&fs->dirty)))
		return;
	/* Without memory for a timer, at once. */
	if (timer_set(&fs->kernel->loop.timers, &fs->late,
	              timer_now() + VOLUMEFS_LATE_NS) < 0)
		(void)start(fs);
}

long volumefs_flush_room(struct volumefs *fs, struct task *t)
{
	if (!t || store_waiting(fs->volume->store) < VOLUMEFS_MOST)
		return 0;
	if (fs->volume->full)
		return -ENOSPC;
	if (!start(fs) || !fs->flushing)
		return 0;
	task_watch(t, &fs->flushed);
	return task_sleep_deep(t);
}

/* ---- fsync ---- */

static void free_job(struct sync_job *j)
{
	if (j->node)
		volumefs_node_unpin(j->node);
	limits_free(j->fs->kernel, j, sizeof(*j));
}

static void job_run(struct work *w)
{
	struct sync_job *j = container_of(w, struct sync_job, work);

	/* Size and holes are metadata of the host's. */
	j->result = fsync(j->fd) < 0 ? -errno : 0;
}

static void job_done(struct work *w)
{
	struct sync_job *j = container_of(w, struct sync_job, work);

	j->done = true;
	if (j->task)
		task_wake(j->task);
	else
		free_job(j);
}

static void job_drop(struct task *t)
{
	struct sync_job *j = t->job;

	t->job = NULL;
	j->task = NULL;
	if (j->done)
		free_job(j);
}

static long job_start(struct volumefs *fs, struct volumefs_node *n,
                      struct task *t, int fd)
{
	struct sync_job *j;
	long err = 0;

	if (t->job && t->job_drop)
		t->job_drop(t);
	j = limits_alloc(fs->kernel, sizeof(*j));
	if (!j)
		return -ENOMEM;
	write_dirty(fs);
	if (n ? !list_empty(&n->dirty) : !list_empty(&fs->dirty)) {
		limits_free(fs->kernel, j, sizeof(*j));
		return -ENOMEM;
	}
	j->fs = fs;
	j->fd = fd;
	j->batch = n ? n->tree.batch : store_batch(fs->volume->store);
	j->failures = fs->failures;
	j->task = t;
	j->done = fd < 0;
	if (fd >= 0) {
		err = volumefs_node_pin(n);
		if (err < 0) {
			limits_free(fs->kernel, j, sizeof(*j));
			return err;
		}
		j->node = n;
		j->work.run = job_run;
		j->work.done = job_done;
		err = work_submit(fs->kernel->workers, &j->work);
		if (err < 0) {
			free_job(j);
			return err;
		}
	}
	t->job = j;
	t->job_drop = job_drop;
	return 0;
}

/* The object first, then what speaks of it. */
static long job_go_on(struct sync_job *j, struct task *t)
{
	struct volumefs *fs = j->fs;

	if (!j->done)
		return task_sleep_deep(t);
	if (j->result < 0)
		return j->result;
	if (!fs->volume)
		return -EIO;
	if (store_safe(fs->volume->store) > j->batch)
		return 0;
	if (fs->failures != j->failures)
		return fs->last_err;
	if (!start(fs))
		return 0;
	if (!fs->flushing) /* done on this thread */
		return job_go_on(j, t);
	task_watch(t, &fs->flushed);
	return task_sleep_deep(t);
}

static long wait_for(struct volumefs *fs, struct volumefs_node *n,
                     struct task *t, int fd)
{
	long err;

	if (!fs->volume)
		return -EIO;
	if (!t)
		return 0;
	if (!t->job || t->job_drop != job_drop) {
		err = job_start(fs, n, t, fd);
		if (err < 0)
			return err;
	}
	return job_go_on(t->job, t);
}

long volumefs_flush_wait(struct volumefs_node *n, struct task *t, int fd)
{
	return wait_for(n->fs, n, t, fd);
}

long volumefs_flush_all(struct volumefs *fs, struct task *t)
{
	struct sync_job *j = t ? t->job : NULL;

	/* sync(2) comes by for one volume after another. */
	if (j && t->job_drop == job_drop && j->fs != fs && j->done)
		job_drop(t);
	return wait_for(fs, NULL, t, -1);
}

int volumefs_flush_now(struct volumefs *fs)
{
	volumefs_sealed_end(fs);
	if (fs->flushing) {
		while (sem_wait(&fs->committed) < 0)
			;
		settle(fs);
	}
	write_dirty(fs);
	return volume_flush(fs->volume);
}
