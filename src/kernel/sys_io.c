/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read(2), write(2), and their kin; lseek(2).
 *
 * A file's operations never wait; the waiting is done here.  A blocking write
 * to a pipe, socket or terminal goes on until all is taken: what has gone is
 * noted in t->progress, since the handler runs from its start each time.
 */
#include <asm-generic/resource.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/inotify.h>
#include <linux/poll.h>
#include <linux/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/loan.h"
#include "kernel/fs/node.h"
#include "kernel/syscall.h"
#include "kernel/task/process.h"
#include "kernel/task/signal.h"

#define IOV_INLINE 8

#define RWF_KNOWN (RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND)
#define NO_OFFSET INT64_MIN /* at the file's own position */

#define NSIG_PIPE 13
#define NSIG_XFSZ 25

/* What all of these calls come down to. */
struct transfer {
	struct file *file;
	int32_t fd;
	struct uio uio;
	int64_t at;     /* of pread and pwrite */
	int64_t *pos;   /* &file->pos or &at */
	uint32_t flags; /* RWF_* */
};

static bool is_type(const struct file *f, uint32_t type)
{
	return f->inode && inode_is(f->inode, type);
}

/* Opens the transfer: descriptor, right to do it, place. */
static long begin(struct transfer *x, struct task *t, int32_t fd, uint32_t need,
                  int64_t offset)
{
	struct file *f = fd_get(t, fd);

	if (!f)
		return -EBADF;
	x->file = f;
	x->fd = fd;
	x->pos = &f->pos;
	if (offset == NO_OFFSET) {
		loan_take(f);
	} else {
		if (offset < 0) {
			file_put(f);
			return -EINVAL;
		}
		if (!(f->mode & FILE_SEEKABLE)) {
			file_put(f);
			return -ESPIPE;
		}
		x->at = offset;
		x->pos = &x->at;
	}
	if (!(f->mode & need)) {
		file_put(f);
		return -EBADF;
	}
	return 0;
}

static long do_read(struct task *t, struct transfer *x)
{
	struct file *f = x->file;
	long n;

	if (!f->ops->read)
		return is_type(f, S_IFDIR) ? -EISDIR : -EINVAL;
	x->uio.nonblock = file_nonblock(f) || (x->flags & RWF_NOWAIT);
	n = f->ops->read(f, &x->uio, x->pos);
	if (n > 0)
		inotify_file(f, IN_ACCESS);
	if (x->pos == &f->pos)
		loan_give(t, f, x->fd, n, false);
	if (n == -EAGAIN && !x->uio.nonblock)
		n = file_wait(f, t, POLLIN);
	return n;
}

/* Leaves out the first `size` bytes, which an earlier run has moved. */
static void skip(struct uio *u, uint64_t size)
{
	u->left -= size;
	while (u->iov && u->count > 0 && size >= u->iov->size - u->skip) {
		size -= u->iov->size - u->skip;
		u->skip = 0;
		u->iov++;
		u->count--;
	}
	u->skip += size;
}

/* Where O_APPEND writes, and how far RLIMIT_FSIZE lets a file grow. */
static long place_write(struct task *t, struct transfer *x)
{
	struct file *f = x->file;
	struct inode *i = f->inode;
	uint64_t limit = t->process->rlimit[RLIMIT_FSIZE].cur;
	long err;

	if (!is_type(f, S_IFREG) || !(f->mode & FILE_SEEKABLE))
		return 0;
	if ((f->flags & O_APPEND) || (x->flags & RWF_APPEND)) {
		if (i->ops->refresh) {
			err = i->ops->refresh(i, t);
			if (err < 0)
				return err;
		}
		*x->pos = (int64_t)i->size;
	}
	if (limit >= (uint64_t)INT64_MAX)
		limit = INT64_MAX;
	if (x->uio.left == 0)
		return 0;
	if (*x->pos == INT64_MAX)
		return -EFBIG;
	if ((uint64_t)*x->pos >= limit) {
		abi_siginfo info = signal_info_user(NSIG_XFSZ, t);

		(void)signal_send_task(t, &info, false);
		return -EFBIG;
	}
	x->uio.left = MIN(x->uio.left, limit - (uint64_t)*x->pos);
	return 0;
}

/* Is what was written to be on the disk before the call returns? */
static bool is_synced(const struct transfer *x)
{
	return ((x->file->flags & (O_SYNC | O_DSYNC)) ||
	        (x->flags & (RWF_SYNC | RWF_DSYNC))) &&
	       x->file->ops->fsync && is_type(x->file, S_IFREG);
}

/* All has been written, perhaps by an earlier run of the call. */
static long sync_written(struct task *t, const struct transfer *x)
{
	bool all = (x->file->flags & O_SYNC & ~(uint32_t)O_DSYNC) ||
	           (x->flags & RWF_SYNC);
	long err = x->file->ops->fsync(x->file, t, !all);

	return err < 0 ? err : (long)t->progress;
}

static long do_write(struct task *t, struct transfer *x)
{
	struct file *f = x->file;
	struct uio *u = &x->uio;
	long n;

	if (!f->ops->write)
		return -EINVAL;
	if (t->progress > 0 && is_synced(x))
		return sync_written(t, x);
	u->nonblock = file_nonblock(f) || (x->flags & RWF_NOWAIT);
	n = place_write(t, x);
	if (n < 0)
		return n;
	if (t->progress > 0)
		skip(u, MIN(t->progress, u->left));
	for (;;) {
		n = f->ops->write(f, u, x->pos);
		if (n < 0)
			break;
		if (n > 0)
			node_written(t, f);
		t->progress += (uint64_t)n;
		if (!(f->mode & FILE_WHOLE) || u->left == 0 || n == 0)
			break;
	}
	if (n > 0 && is_synced(x))
		return sync_written(t, x);
	if (n >= 0) {
		if (x->pos == &f->pos)
			loan_give(t, f, x->fd, n, true);
		return (long)t->progress;
	}
	if (n == -EPIPE) {
		abi_siginfo info = signal_info_user(NSIG_PIPE, t);

		(void)signal_send_task(t, &info, false);
	}
	if (n == -EAGAIN && !u->nonblock)
		n = file_wait(f, t, POLLOUT);
	return n != -EWAIT && t->progress > 0 ? (long)t->progress : n;
}

typedef long (*transfer_do)(struct task *t, struct transfer *x);

/* For /proc/PID/io, once the call is over. */
static long account(struct task *t, transfer_do move, long n)
{
	struct process_io *io = &t->process->io;

	if (n == -EWAIT)
		return n;
	if (move == do_read) {
		io->syscr++;
		io->rchar += (uint64_t)MAX(n, 0);
	} else {
		io->syscw++;
		io->wchar += (uint64_t)MAX(n, 0);
	}
	return n;
}

static long one(struct task *t, struct transfer *x, uaddr_t buf, uint64_t size,
                transfer_do move)
{
	long n;

	if (size > (uint64_t)INT64_MAX) {
		n = -EINVAL;
	} else {
		uio_init(&x->uio, t, buf, MIN(size, UIO_MAX));
		n = move(t, x);
	}
	file_put(x->file);
	return account(t, move, n);
}

long sys_read(struct task *t, const struct args_read *a)
{
	struct transfer x = {0};
	long err = begin(&x, t, a->fd, FILE_READ, NO_OFFSET);

	return err < 0 ? err : one(t, &x, a->buf, a->size, do_read);
}

long sys_write(struct task *t, const struct args_write *a)
{
	struct transfer x = {0};
	long err = begin(&x, t, a->fd, FILE_WRITE, NO_OFFSET);

	return err < 0 ? err : one(t, &x, a->buf, a->size, do_write);
}

long sys_pread64(struct task *t, const struct args_pread64 *a)
{
	struct transfer x = {0};
	long err;

	if (a->offset < 0)
		return -EINVAL;
	err = begin(&x, t, a->fd, FILE_READ, a->offset);
	return err < 0 ? err : one(t, &x, a->buf, a->size, do_read);
}

long sys_pwrite64(struct task *t, const struct args_pwrite64 *a)
{
	struct transfer x = {0};
	long err;

	if (a->offset < 0)
		return -EINVAL;
	err = begin(&x, t, a->fd, FILE_WRITE, a->offset);
	return err < 0 ? err : one(t, &x, a->buf, a->size, do_write);
}

struct vector {
	int32_t fd;
	uint32_t flags;
	uaddr_t iov;
	uint64_t count;
	int64_t offset; /* or NO_OFFSET */
};

static long move_iov(struct task *t, struct transfer *x, const struct vector *v,
                     transfer_do move)
{
	abi_iovec few[IOV_INLINE];
	abi_iovec *iov = few;
	size_t size = (size_t)v->count * sizeof(*iov);
	long n;

	if (v->count > LIMIT_IOV)
		return -EINVAL;
	if (v->count > IOV_INLINE) {
		iov = limits_alloc(t->kernel, size);
		if (!iov)
			return -ENOMEM;
	}
	n = uio_init_iov(&x->uio, t, v->iov, iov, (size_t)v->count);
	if (n == 0 && x->uio.left > 0)
		n = move(t, x);
	if (iov != few)
		limits_free(t->kernel, iov, size);
	return n;
}

static long many(struct task *t, const struct vector *v, transfer_do move)
{
	struct transfer x = {.flags = v->flags};
	long n;

	n = begin(&x, t, v->fd, move == do_read ? FILE_READ : FILE_WRITE,
	          v->offset);
	if (n < 0)
		return n;
	n = v->flags & ~(uint32_t)RWF_KNOWN ? -EOPNOTSUPP
	                                    : move_iov(t, &x, v, move);
	file_put(x.file);
	return account(t, move, n);
}

long sys_readv(struct task *t, const struct args_readv *a)
{
	struct vector v = {.fd = a->fd,
	                   .iov = a->iov,
	                   .count = a->count,
	                   .offset = NO_OFFSET};

	return many(t, &v, do_read);
}

long sys_writev(struct task *t, const struct args_writev *a)
{
	struct vector v = {.fd = a->fd,
	                   .iov = a->iov,
	                   .count = a->count,
	                   .offset = NO_OFFSET};

	return many(t, &v, do_write);
}

long sys_preadv(struct task *t, const struct args_preadv *a)
{
	struct vector v = {.fd = a->fd,
	                   .iov = a->iov,
	                   .count = a->count,
	                   .offset = a->offset};

	return a->offset < 0 ? -EINVAL : many(t, &v, do_read);
}

long sys_pwritev(struct task *t, const struct args_pwritev *a)
{
	struct vector v = {.fd = a->fd,
	                   .iov = a->iov,
	                   .count = a->count,
	                   .offset = a->offset};

	return a->offset < 0 ? -EINVAL : many(t, &v, do_write);
}

long sys_preadv2(struct task *t, const struct args_preadv2 *a)
{
	struct vector v = {.fd = a->fd,
	                   .flags = (uint32_t)a->flags,
	                   .iov = a->iov,
	                   .count = a->count,
	                   .offset = a->offset == -1 ? NO_OFFSET : a->offset};

	return a->offset < -1 ? -EINVAL : many(t, &v, do_read);
}

long sys_pwritev2(struct task *t, const struct args_pwritev2 *a)
{
	struct vector v = {.fd = a->fd,
	                   .flags = (uint32_t)a->flags,
	                   .iov = a->iov,
	                   .count = a->count,
	                   .offset = a->offset == -1 ? NO_OFFSET : a->offset};

	return a->offset < -1 ? -EINVAL : many(t, &v, do_write);
}

/* For files whose size is the inode's and that have no holes. */
static int64_t seek_plain(struct file *f, int64_t offset, int whence)
{
	int64_t size = f->inode ? (int64_t)f->inode->size : 0;

	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		if (offset < 0 || offset >= size)
			return -ENXIO;
		offset = whence == SEEK_DATA ? offset : size;
		whence = SEEK_SET;
	}
	return file_seek(f, size, offset, whence);
}

long sys_lseek(struct task *t, const struct args_lseek *a)
{
	struct file *f = fd_get(t, a->fd);
	long to;

	if (!f)
		return -EBADF;
	loan_take(f);
	if (a->whence < 0 || a->whence > SEEK_MAX)
		to = -EINVAL;
	else if (!(f->mode & FILE_SEEKABLE) && !f->ops->seek)
		to = -ESPIPE;
	else if (f->ops->seek)
		to = f->ops->seek(f, a->offset, a->whence);
	else
		to = seek_plain(f, a->offset, a->whence);
	file_put(f);
	return to;
}
