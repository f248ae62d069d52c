/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/filejob.h"

#include <sys/uio.h>
#include <unistd.h>

#include "kernel/core/limits.h"

#define READ_MOST ((size_t)256 * 1024) /* in one go */

struct filejob {
	struct work work;
	struct kernel *kernel;
	struct task *task; /* NULL: nobody waits any more */
	struct filejob_what what;
	long result;
	bool done;
	uint8_t bytes[];
};

static void free_job(struct filejob *j)
{
	if (j->what.fd >= 0)
		j->what.owner->unpin(j->what.node);
	limits_free(j->kernel, j, sizeof(*j) + j->what.size);
}

static void job_run(struct work *w)
{
	struct filejob *j = container_of(w, struct filejob, work);
	const struct filejob_what *what = &j->what;
	ssize_t n = 0;

	switch (what->kind) {
	case FILEJOB_READ:
		n = pread(what->fd, j->bytes, what->size, what->at);
		break;
	case FILEJOB_FSYNC:
		n = fsync(what->fd);
		break;
	case FILEJOB_FDATASYNC:
		n = fdatasync(what->fd);
		break;
	case FILEJOB_OWN:
		j->result = what->owner->run(what->fd, what->number);
		return;
	}
	j->result = n < 0 ? -errno : n;
}

static void job_done(struct work *w)
{
	struct filejob *j = container_of(w, struct filejob, work);

	j->done = true;
	if (j->task)
		task_wake(j->task);
	else
		free_job(j);
}

/* The call ended, with or without what the helper did. */
static void job_drop(struct task *t)
{
	struct filejob *j = t->job;

	t->job = NULL;
	j->task = NULL;
	if (j->done)
		free_job(j);
}

/* The work of this call, if it is this one. */
static struct filejob *find(struct task *t, const struct filejob_what *what)
{
	struct filejob *j = t ? t->job : NULL;

	if (!j || t->job_drop != job_drop || j->what.node != what->node ||
	    j->what.kind != what->kind || j->what.at != what->at)
		return NULL;
	return j;
}

/* Starts a helper; -EWAIT, 0 if there is nothing to do, or why not. */
static long start(struct task *t, const struct filejob_what *what)
{
	struct kernel *k = t->kernel;
	struct filejob *j;
	int err = 0;

	if (t->job && t->job_drop)
		t->job_drop(t);
	j = limits_alloc(k, sizeof(*j) + what->size);
	if (!j)
		return -ENOMEM;
	if (what->fd >= 0)
		err = what->owner->pin(what->node);
	if (err < 0) {
		limits_free(k, j, sizeof(*j) + what->size);
		return err;
	}
	j->work.run = job_run;
	j->work.done = job_done;
	j->kernel = k;
	j->task = t;
	j->what = *what;
	j->done = what->fd < 0;
	if (!j->done)
		err = work_submit(k->workers, &j->work);
	if (err < 0) {
		free_job(j);
		return err;
	}
	t->job = j;
	t->job_drop = job_drop;
	return j->done ? 0 : task_sleep_deep(t);
}

long filejob_do(struct task *t, const struct filejob_what *what)
{
	struct filejob *j = find(t, what);

	if (!j)
		return start(t, what);
	return j->done ? j->result : task_sleep_deep(t);
}

const uint64_t *filejob_note(struct task *t, const struct filejob_what *what)
{
	struct filejob *j = find(t, what);

	return j ? j->what.note : NULL;
}

/* What a helper read for us: bytes copied, or an error. */
static long take_read(struct filejob *j, struct uio *u, int64_t *pos)
{
	long n = j->result;
	int err;

	if (n <= 0)
		return n;
	n = MIN(n, (long)u->left);
	err = uio_put(u, j->bytes, (size_t)n);
	if (err < 0)
		return err;
	*pos += n;
	return n;
}

/*
 * Without waiting for the host, or (`wait`) with.  -EOPNOTSUPP: the host's file
 * system can do the latter only.
 */
static long read_some(int fd, struct uio *u, int64_t *pos, bool wait)
{
	size_t size;
	void *to = uio_room(u, &size);
	struct iovec iov = {to, size};
	ssize_t n = preadv2(fd, &iov, 1, *pos, wait ? 0 : RWF_NOWAIT);
	int err;

	if (n < 0)
		return -errno;
	err = n > 0 ? uio_room_done(u, (size_t)n) : 0;
	if (err < 0)
		return err;
	*pos += n;
	return n;
}

long filejob_read(const struct filejob_what *what, struct uio *u, int64_t *pos,
                  bool wait)
{
	struct filejob_what piece = *what;
	size_t before = u->done;
	long got = 0;

	piece.kind = FILEJOB_READ;
	piece.at = *pos;
	if (piece.at < 0)
		return -EINVAL;
	wait |= !u->task;
	while (u->left > 0) {
		struct filejob *j = find(u->task, &piece);

		if (j && !j->done)
			return task_sleep_deep(u->task);
		got = j ? take_read(j, u, &piece.at)
		        : read_some(piece.fd, u, &piece.at, wait);
		/* What a helper read counts: begun anew it comes no further. */
		if (got == -EOPNOTSUPP && u->done > before)
			break;
		if ((got == -EAGAIN || got == -EOPNOTSUPP) && u->task) {
			piece.size = MIN(u->left, READ_MOST);
			return start(u->task, &piece);
		}
		if (got <= 0)
			break;
	}
	*pos = piece.at;
	return u->done > before ? (long)(u->done - before) : got;
}
