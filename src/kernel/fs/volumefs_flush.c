/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One batch is under way at most.  First young files get their objects, some at a
 * time between other things, while no more become young.  Then the batch is
 * frozen.  A helper thread commits it, and sees the volume's frozen batch only;
 * the kernel goes on changing the current one.
 */
#include "kernel/fs/volumefs_flush.h"

#include "kernel/fs/filejob.h"
#include "kernel/fs/volumefs.h"
#include "kernel/fs/volumefs_sealed.h"

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
}

static void failed(struct volumefs *fs, long err)
{
	fs->failures++;
	fs->last_err = err == -ENOSPC || err == -EDQUOT ? -ENOSPC : -EIO;
}

static void settle(struct volumefs *fs)
{
	fs->flushing = false;
	volume_settle(fs->volume, fs->result);
	if (fs->result < 0)
		failed(fs, fs->result);
}

static void flush_done(struct work *w)
{
	struct volumefs *fs = container_of(w, struct volumefs, work);
	bool again = fs->again;

	settle(fs);
	fs->again = false;
	if (again && fs->result == 0)
		(void)start(fs);
	else
		volumefs_flush_later(fs);
	waitq_wake(&fs->flushed, WAITQ_ANY);
}

static bool under_way(const struct volumefs *fs)
{
	return fs->gathering || fs->flushing;
}

/* No file is young: begins the batch.  False if there was nothing to write. */
static bool freeze(struct volumefs *fs)
{
	fs->gathering = false;
	write_dirty(fs);
	if (!volume_freeze(fs->volume)) {
		waitq_wake(&fs->flushed, WAITQ_ANY);
		return false;
	}
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

/* An object cannot be made: as if the host had refused the batch. */
static void refuse(struct volumefs *fs, long err)
{
	fs->gathering = false;
	fs->volume->full = true;
	failed(fs, err);
	/* Without memory for a timer, with the next change. */
	(void)!timer_set(&fs->kernel->loop.timers, &fs->late,
	                 timer_now() + VOLUMEFS_LATE_NS);
	waitq_wake(&fs->flushed, WAITQ_ANY);
}

/* Some more young files; then the batch. */
static void gather(struct volumefs *fs)
{
	int left = volumefs_young_make_some(fs);

	if (left > 0 &&
	    timer_set(&fs->kernel->loop.timers, &fs->late, timer_now()) < 0)
		left = volumefs_young_make_all(fs);
	if (left < 0)
		refuse(fs, left);
	if (left == 0)
		(void)freeze(fs);
}

/* Begins a batch.  False if there was nothing to write. */
static bool start(struct volumefs *fs)
{
	if (fs->flushing) {
		fs->again = true;
		return true;
	}
	if (list_empty(&fs->young.named))
		return freeze(fs);
	if (!fs->gathering) {
		fs->gathering = true;
		gather(fs);
	}
	return true;
}

static void late_fire(struct timer *t)
{
	struct volumefs *fs = container_of(t, struct volumefs, late);
	struct superblock *sb = fs->sb;

	if (!fs->volume)
		return;
	/* Young files may be all that is left of it. */
	inode_superblock_get(sb);
	if (fs->gathering)
		gather(fs);
	else
		(void)start(fs);
	inode_superblock_put(sb);
}

void volumefs_flush_init(struct volumefs *fs)
{
	list_init(&fs->dirty);
	waitq_init(&fs->flushed);
	fs->late.fire = late_fire;
}

void volumefs_flush_later(struct volumefs *fs)
{
	struct store *s = fs->volume->store;

	if (under_way(fs))
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
	if (!start(fs) || !under_way(fs))
		return 0;
	task_watch(t, &fs->flushed);
	return task_sleep_deep(t);
}

/* ---- fsync ---- */

/* What a call notes when it begins to wait. */
enum note { BATCH, FAILURES, ROUND };

/* Of a node, or (NULL) of everything.  0 or -ENOMEM. */
static long begin(struct volumefs *fs, const struct volumefs_node *n,
                  uint64_t note[3])
{
	long err = n ? 0 : volumefs_young_make_all(fs);

	if (err < 0)
		return err;
	spare_sync(fs->volume);
	write_dirty(fs);
	if (n ? !list_empty(&n->dirty) : !list_empty(&fs->dirty))
		return -ENOMEM;
	note[BATCH] = n ? n->tree.batch : store_batch(fs->volume->store);
	note[FAILURES] = fs->failures;
	note[ROUND] = n ? 0 : volumefs_sync_begin(fs);
	return 0;
}

static long wait_batch(struct volumefs *fs, struct task *t,
                       const uint64_t note[3])
{
	if (store_safe(fs->volume->store) > note[BATCH])
		return 0;
	if (fs->failures != note[FAILURES])
		return fs->last_err;
	if (!start(fs))
		return 0;
	if (!under_way(fs)) /* done on this thread */
		return wait_batch(fs, t, note);
	task_watch(t, &fs->flushed);
	return task_sleep_deep(t);
}

/*
 * The object (without a node, all that were written) and what speaks of it go to
 * the disk side by side: neither order is wrong, since the caller waits for both.
 */
static long wait_for(struct volumefs *fs, const struct volumefs_node *n,
                     struct task *t, struct filejob_what *what)
{
	long object;
	long batch;

	if (!fs->volume)
		return -EIO;
	if (!t)
		return 0;
	if (!filejob_note(t, what)) {
		long err = begin(fs, n, what->note);

		if (err < 0)
			return err;
	}
	object = filejob_do(t, what);
	if (object == 0 && !n)
		object = volumefs_sync_wait(fs, t,
		                            filejob_note(t, what)[ROUND]);
	if (object < 0 && object != -EWAIT)
		return object;
	batch = wait_batch(fs, t, filejob_note(t, what));
	return batch < 0 ? batch : object;
}

long volumefs_flush_wait(struct volumefs_node *n, struct task *t, int fd,
                         bool data_only)
{
	struct filejob_what what = {.owner = &volumefs_node_owner,
	                            .node = n,
	                            .kind = data_only ? FILEJOB_FDATASYNC
	                                              : FILEJOB_FSYNC,
	                            .fd = fd};

	return wait_for(n->fs, n, t, &what);
}

long volumefs_flush_all(struct volumefs *fs, struct task *t)
{
	struct filejob_what what = {.owner = &volumefs_node_owner,
	                            .node = fs,
	                            .kind = FILEJOB_FSYNC,
	                            .fd = -1};

	return wait_for(fs, NULL, t, &what);
}

int volumefs_flush_now(struct volumefs *fs)
{
	long err;

	volumefs_sealed_end(fs);
	if (fs->flushing) {
		work_finish(fs->kernel->workers, &fs->work);
		settle(fs);
	}
	fs->gathering = false;
	err = volumefs_young_make_all(fs);
	if (err < 0)
		return (int)err;
	write_dirty(fs);
	return volume_flush(fs->volume);
}
