/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A helper's work holds its node pinned, so that the descriptor it uses stays
 * open; when the call is cut short the work is left to itself and freed when
 * it is done.
 */
#include "kernel/fs/hostfile.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>

#include "kernel/core/limits.h"
#include "kernel/core/work.h"
#include "kernel/fs/hostnode.h"
#include "kernel/fs/inode.h"

#define JOB_READ ((size_t)256 * 1024) /* at most, in one go */

enum job_kind { JOB_PREAD, JOB_FSYNC, JOB_FDATASYNC };

struct job {
	struct work work;
	struct task *task; /* NULL: nobody waits any more */
	struct hostnode *node;
	enum job_kind kind;
	int fd;
	int64_t at;
	size_t size;
	long result;
	bool done;
	uint8_t bytes[];
};

static struct hostnode *node_of(const struct file *f)
{
	return hostnode_of(f->inode);
}

static void free_job(struct job *j)
{
	struct kernel *k = j->node->fs->kernel;

	hostnode_unpin(j->node);
	limits_free(k, j, sizeof(*j) + j->size);
}

static void job_run(struct work *w)
{
	struct job *j = container_of(w, struct job, work);
	ssize_t n = 0;

	switch (j->kind) {
	case JOB_PREAD:
		n = pread(j->fd, j->bytes, j->size, j->at);
		break;
	case JOB_FSYNC:
		n = fsync(j->fd);
		break;
	case JOB_FDATASYNC:
		n = fdatasync(j->fd);
		break;
	}
	j->result = n < 0 ? -errno : n;
}

static void job_done(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	j->done = true;
	if (j->task)
		task_wake(j->task);
	else
		free_job(j);
}

/* The call ended, with or without what the helper did. */
static void job_drop(struct task *t)
{
	struct job *j = t->job;

	t->job = NULL;
	j->task = NULL;
	if (j->done)
		free_job(j);
}

/* The work of this call, if it is this one. */
static struct job *job_of(struct task *t, const struct hostnode *n,
                          enum job_kind kind, int64_t at)
{
	struct job *j = t->job;

	if (!j || t->job_drop != job_drop || j->node != n || j->kind != kind ||
	    j->at != at)
		return NULL;
	return j;
}

/* Starts a helper; -EWAIT, or why not. */
static long job_start(struct task *t, struct hostnode *n, enum job_kind kind,
                      int64_t at, size_t size)
{
	struct kernel *k = n->fs->kernel;
	bool write = n->read_fd < 0;
	struct job *j;
	int err;

	if (t->job && t->job_drop)
		t->job_drop(t);
	j = limits_alloc(k, sizeof(*j) + size);
	if (!j)
		return -ENOMEM;
	err = hostnode_pin(n, write);
	if (err < 0) {
		limits_free(k, j, sizeof(*j) + size);
		return err;
	}
	j->work.run = job_run;
	j->work.done = job_done;
	j->task = t;
	j->node = n;
	j->kind = kind;
	j->fd = write ? n->write_fd : n->read_fd;
	j->at = at;
	j->size = size;
	err = work_submit(k->workers, &j->work);
	if (err < 0) {
		free_job(j);
		return err;
	}
	t->job = j;
	t->job_drop = job_drop;
	return task_sleep_deep(t);
}

/* The descriptor to read with: read_fd, unless writing came first. */
static int reading_fd(struct file *f)
{
	struct hostnode *n = node_of(f);

	if (n->read_fd >= 0)
		return n->read_fd;
	if (n->write_fd >= 0 && !n->write_only)
		return n->write_fd;
	return hostnode_read_fd(n);
}

bool hostfile_in_memory(int fd)
{
	struct statfs sfs;

	return fstatfs(fd, &sfs) == 0 &&
	       (sfs.f_type == TMPFS_MAGIC || sfs.f_type == RAMFS_MAGIC);
}

/* What a helper read for us: bytes copied, or an error. */
static long read_job(struct job *j, struct uio *u, int64_t *pos)
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
 * Without waiting for the host, or (`wait`) with: for the kernel's own.
 * -EOPNOTSUPP: the host's file system can do the latter only.
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

static long read_file(struct file *f, struct uio *u, int64_t *pos)
{
	struct hostnode *n = node_of(f);
	bool wait = !u->task || n->fs->in_memory;
	size_t before = u->done;
	int64_t at = *pos;
	int fd = reading_fd(f);
	struct job *j;
	long got = 0;

	if (fd < 0)
		return fd;
	if (at < 0)
		return -EINVAL;
	while (u->left > 0) {
		j = u->task ? job_of(u->task, n, JOB_PREAD, at) : NULL;
		if (j && !j->done)
			return task_sleep_deep(u->task);
		got = j ? read_job(j, u, &at) : read_some(fd, u, &at, wait);
		/* What a helper read counts: begun anew it comes no further. */
		if (got == -EOPNOTSUPP && u->done > before)
			break;
		if (got == -EAGAIN || got == -EOPNOTSUPP)
			return job_start(u->task, n, JOB_PREAD, at,
			                 MIN(u->left, JOB_READ));
		if (got <= 0)
			break;
	}
	*pos = at;
	return u->done > before ? (long)(u->done - before) : got;
}

static long write_some(struct hostnode *n, struct file *f, struct uio *u,
                       int64_t *pos)
{
	size_t size;
	const void *from = uio_data(u, &size);
	struct iovec iov;
	ssize_t done;

	if (!from)
		return -EFAULT;
	iov.iov_base = (void *)(uintptr_t)from;
	iov.iov_len = size;
	done = pwritev2(n->write_fd, &iov, 1, *pos,
	                f->flags & O_APPEND ? RWF_APPEND : 0);
	if (done < 0)
		return -errno;
	uio_data_done(u, (size_t)done);
	*pos += done;
	return done;
}

static long write_file(struct file *f, struct uio *u, int64_t *pos)
{
	struct hostnode *n = node_of(f);
	size_t before = u->done;
	struct stat st;
	long done = 0;

	if (n->write_fd < 0)
		return -EBADF;
	if (*pos < 0)
		return -EINVAL;
	while (u->left > 0) {
		done = write_some(n, f, u, pos);
		if (done <= 0)
			break;
	}
	n->checked_ns = 0;
	if ((f->flags & O_APPEND) && fstat(n->write_fd, &st) == 0)
		*pos = st.st_size;
	return u->done > before ? (long)(u->done - before) : done;
}

static int any_fd(const struct hostnode *n)
{
	return n->read_fd >= 0 ? n->read_fd : n->write_fd;
}

static int64_t seek_file(struct file *f, int64_t offset, int whence)
{
	struct stat st = {0};
	int fd = any_fd(node_of(f));

	if (whence == SEEK_END && fstat(fd, &st) < 0)
		return -errno;
	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		offset = lseek(fd, offset, whence);
		if (offset < 0)
			return -errno;
		whence = SEEK_SET;
	}
	return file_seek(f, st.st_size, offset, whence);
}

static long object_of(struct file *f, struct task *t, int prot, bool shared,
                      struct file_object *out)
{
	struct hostnode *n = node_of(f);
	bool writable = shared && (prot & PROT_WRITE);
	int fd;

	(void)t;
	if (writable) {
		if (!(f->mode & FILE_WRITE) || n->write_fd < 0 || n->write_only)
			return -EACCES;
		fd = n->write_fd;
	} else {
		fd = hostnode_read_fd(n);
		if (fd < 0)
			return fd;
	}
	if (n->key == 0)
		n->key = n->fs->kernel->world->next_key++;
	out->host_fd = fd;
	out->key = n->key << 1 | writable;
	out->writable = writable;
	return 0;
}

static long sync_file(struct file *f, struct task *t, bool data_only)
{
	struct hostnode *n = node_of(f);
	enum job_kind kind = data_only ? JOB_FDATASYNC : JOB_FSYNC;
	struct job *j = t ? job_of(t, n, kind, 0) : NULL;

	if (!n->fs->options.writable || !t)
		return 0;
	if (!j)
		return job_start(t, n, kind, 0, 0);
	return j->done ? j->result : task_sleep_deep(t);
}

static long truncate_file(struct file *f, struct task *t, uint64_t size)
{
	struct hostnode *n = node_of(f);

	(void)t;
	if (n->write_fd < 0)
		return -EBADF;
	if (size > INT64_MAX)
		return -EFBIG;
	n->checked_ns = 0;
	return ftruncate(n->write_fd, (off_t)size) < 0 ? -errno : 0;
}

static long allocate(struct file *f, struct task *t, int mode, uint64_t offset,
                     uint64_t size)
{
	struct hostnode *n = node_of(f);

	(void)t;
	if (n->write_fd < 0)
		return -EBADF;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
	             FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (offset > INT64_MAX || size > INT64_MAX)
		return -EFBIG;
	n->checked_ns = 0;
	return fallocate(n->write_fd, mode, (off_t)offset, (off_t)size) < 0
	               ? -errno
	               : 0;
}

static void release(struct file *f)
{
	struct hostnode *n = node_of(f);

	if (f->mode & FILE_WRITE)
		hostnode_unpin(n);
	if (f->mode & FILE_READ || !(f->mode & FILE_WRITE))
		hostnode_unpin(n);
}

static const struct file_ops ops = {
	.read = read_file,
	.write = write_file,
	.seek = seek_file,
	.object = object_of,
	.fsync = sync_file,
	.truncate = truncate_file,
	.fallocate = allocate,
	.release = release,
};

long hostfile_open(struct inode *i, struct file *f)
{
	struct hostnode *n = hostnode_of(i);
	bool read = f->mode & FILE_READ || !(f->mode & FILE_WRITE);
	int err;

	if (f->mode & FILE_WRITE) {
		if (!n->fs->options.writable)
			return -EROFS;
		err = hostnode_pin(n, true);
		if (err < 0)
			return err;
	}
	/* A file opened for both is read through the one descriptor. */
	err = read ? hostnode_pin(n, f->mode & FILE_WRITE && !n->write_only)
	           : 0;
	if (err < 0) {
		if (f->mode & FILE_WRITE)
			hostnode_unpin(n);
		return err;
	}
	f->ops = &ops;
	f->mode |= FILE_SEEKABLE;
	return 0;
}
