/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendfile(2), splice(2), tee(2), vmsplice(2), copy_file_range(2): data that
 * goes from file to file.
 *
 * With a pipe on one side its ring is the buffer of the other side's transfer;
 * without one there is a buffer between.  Data is taken from its source only
 * when it has gone, so a destination that must be waited for loses nothing.
 */
#include <asm-generic/resource.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/loan.h"
#include "kernel/fs/node.h"
#include "kernel/fs/pipe.h"
#include "kernel/syscall.h"
#include "kernel/task/process.h"
#include "kernel/task/signal.h"

#include <linux/inotify.h>

#define MOVE_MAX    0x7ffff000u
#define BUFFER_SIZE ((size_t)64 * 1024)
#define IOV_INLINE  8

#define SPLICE_F_MOVE     1u
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_MORE     4u
#define SPLICE_F_GIFT     8u
#define SPLICE_KNOWN      15u

#define SIGNAL_PIPE 13
#define SIGNAL_XFSZ 25

/* Two files, the places in them, and the numbers they came from. */
struct pair {
	struct task *task;
	struct file *in, *out;
	int64_t in_at, out_at; /* where a private offset was given */
	int64_t *in_pos, *out_pos;
	uint64_t left;
	bool nonblock;
};

static void put_pair(struct pair *p)
{
	file_put(p->in);
	file_put(p->out);
}

static long get_pair(struct pair *p, struct task *t, int32_t in, int32_t out)
{
	p->task = t;
	p->in = fd_get(t, in);
	p->out = fd_get(t, out);
	if (!p->in || !p->out || !(p->in->mode & FILE_READ) ||
	    !(p->out->mode & FILE_WRITE)) {
		put_pair(p);
		return -EBADF;
	}
	loan_take(p->in);
	loan_take(p->out);
	p->in_pos = &p->in->pos;
	p->out_pos = &p->out->pos;
	return 0;
}

/* Takes a private offset from `at`, if one is given. */
static long take_offset(struct task *t, struct file *f, uaddr_t at,
                        int64_t *value, int64_t **pos)
{
	if (at.raw == 0)
		return 0;
	if (!(f->mode & FILE_SEEKABLE))
		return -ESPIPE;
	if (user_read(t, at, value, sizeof(*value)) < 0)
		return -EFAULT;
	if (*value < 0)
		return -EINVAL;
	*pos = value;
	return 0;
}

/* Gives it back where the call moved something. */
static long give_offset(struct task *t, uaddr_t at, int64_t value, long moved)
{
	if (moved <= 0 || at.raw == 0)
		return moved;
	return user_write(t, at, &value, sizeof(value)) < 0 ? -EFAULT : moved;
}

static void raise_signal(struct task *t, int sig)
{
	abi_siginfo info = signal_info_user(sig, t);

	(void)signal_send_task(t, &info, false);
}

static long read_kernel(struct pair *p, void *to, size_t size)
{
	struct uio u;
	long n;

	if (!p->in->ops->read)
		return -EINVAL;
	uio_init_kernel(&u, to, size);
	u.task = p->task;
	u.nonblock = true;
	n = p->in->ops->read(p->in, &u, p->in_pos);
	if (n > 0)
		inotify_file(p->in, IN_ACCESS);
	return n;
}

static long write_kernel(struct pair *p, const void *from, size_t size)
{
	struct file *f = p->out;
	uint64_t limit = p->task->process->rlimit[RLIMIT_FSIZE].cur;
	struct uio u;
	long n;

	if (!f->ops->write)
		return -EINVAL;
	if (f->inode && inode_is(f->inode, S_IFREG)) {
		limit = MIN(limit, (uint64_t)INT64_MAX);
		if ((uint64_t)*p->out_pos >= limit) {
			raise_signal(p->task, SIGNAL_XFSZ);
			return -EFBIG;
		}
		size = MIN(size, limit - (uint64_t)*p->out_pos);
	}
	uio_init_kernel(&u, (void *)(uintptr_t)from, size);
	u.task = p->task;
	u.nonblock = true;
	n = f->ops->write(f, &u, p->out_pos);
	if (n > 0)
		node_written(p->task, f);
	if (n == -EPIPE)
		raise_signal(p->task, SIGNAL_PIPE);
	return n;
}

/* What was moved so far is on its way to the disk: scratch[0]. */
static bool is_syncing(const struct pair *p)
{
	return p->task->scratch[0];
}

/* Something was moved, perhaps by an earlier run: O_SYNC and O_DSYNC. */
static long sync_moved(struct pair *p, long n)
{
	struct file *f = p->out;
	long err;

	if (n <= 0 || !(f->flags & O_DSYNC) || !f->ops->fsync || !f->inode ||
	    !inode_is(f->inode, S_IFREG))
		return n;
	p->task->scratch[0] = true;
	p->task->progress = (uint64_t)n;
	err = f->ops->fsync(f, p->task, (f->flags & O_SYNC) != O_SYNC);
	return err < 0 ? err : n;
}

/* What a side that would have to wait means for the call. */
static long wait_for(struct pair *p, struct file *f, uint32_t events)
{
	if (p->task->progress > 0)
		return (long)p->task->progress;
	return p->nonblock ? -EAGAIN : file_wait(f, p->task, events);
}

/*
 * From a file with a position to anything, through a buffer.  The position
 * moves by what was written only.
 */
static long copy_seekable(struct pair *p, uint8_t *buffer)
{
	uint64_t *done = &p->task->progress;

	while (p->left > 0) {
		size_t size = MIN(p->left, BUFFER_SIZE);
		int64_t start = *p->in_pos;
		long got = read_kernel(p, buffer, size);
		long put;

		if (got <= 0) {
			*p->in_pos = start;
			if (got == -EWAIT || (got < 0 && *done == 0))
				return got;
			break;
		}
		put = write_kernel(p, buffer, (size_t)got);
		*p->in_pos = start + MAX(put, 0);
		if (put == -EAGAIN && *done > 0 && !file_nonblock(p->out)) {
			put = file_wait(p->out, p->task, POLLOUT);
			return put == -EWAIT ? put : (long)*done;
		}
		if (put == -EAGAIN)
			return wait_for(p, p->out, POLLOUT);
		if (put < 0)
			return *done > 0 ? (long)*done : put;
		*done += (uint64_t)put;
		p->left -= (uint64_t)put;
	}
	return (long)*done;
}

static long copy(struct pair *p)
{
	uint8_t *buffer;
	long n;

	if (is_syncing(p))
		return sync_moved(p, (long)p->task->progress);
	buffer = limits_alloc(p->task->kernel, BUFFER_SIZE);
	if (!buffer)
		return -ENOMEM;
	n = copy_seekable(p, buffer);
	limits_free(p->task->kernel, buffer, BUFFER_SIZE);
	return sync_moved(p, n);
}

/*
 * A private offset is read anew by each run of the handler, so progress is
 * added to it.
 */
static void resume(struct pair *p)
{
	uint64_t done = p->task->progress;

	p->in_at += (int64_t)done;
	p->out_at += (int64_t)done;
	p->left -= MIN(p->left, done);
}

long sys_sendfile(struct task *t, const struct args_sendfile *a)
{
	struct pair p = {0};
	long n = get_pair(&p, t, a->in, a->out);

	if (n < 0)
		return n;
	n = take_offset(t, p.in, a->offset, &p.in_at, &p.in_pos);
	if (n == 0 && !(p.in->mode & FILE_SEEKABLE))
		n = -EINVAL;
	if (n == 0 && (p.out->flags & O_APPEND))
		n = -EINVAL;
	if (n == 0 && a->size > (uint64_t)INT64_MAX)
		n = -EINVAL;
	if (n == 0) {
		p.left = MIN(a->size, MOVE_MAX);
		resume(&p);
		n = copy(&p);
		n = give_offset(t, a->offset, p.in_at, n);
	}
	put_pair(&p);
	return n;
}

static bool is_regular(const struct file *f)
{
	return f->inode && inode_is(f->inode, S_IFREG);
}

static long check_ranges(struct pair *p, uint64_t size)
{
	int64_t in_end, out_end;

	if (size > (uint64_t)INT64_MAX)
		return -EINVAL;
	if (__builtin_add_overflow(*p->in_pos, (int64_t)size, &in_end) ||
	    __builtin_add_overflow(*p->out_pos, (int64_t)size, &out_end))
		return -EOVERFLOW;
	if (p->in->inode == p->out->inode && *p->in_pos < out_end &&
	    *p->out_pos < in_end && size > 0)
		return -EINVAL;
	return 0;
}

long sys_copy_file_range(struct task *t, const struct args_copy_file_range *a)
{
	struct pair p = {0};
	long n;

	if (a->flags != 0)
		return -EINVAL;
	n = get_pair(&p, t, a->in, a->out);
	if (n < 0)
		return n;
	if ((p.in->inode && inode_is(p.in->inode, S_IFDIR)) ||
	    (p.out->inode && inode_is(p.out->inode, S_IFDIR)))
		n = -EISDIR;
	else if (!is_regular(p.in) || !is_regular(p.out))
		n = -EINVAL;
	else if (p.out->flags & O_APPEND)
		n = -EBADF;
	if (n == 0)
		n = take_offset(t, p.in, a->in_offset, &p.in_at, &p.in_pos);
	if (n == 0)
		n = take_offset(t, p.out, a->out_offset, &p.out_at, &p.out_pos);
	if (n == 0)
		n = check_ranges(&p, a->size);
	if (n == 0) {
		p.left = MIN(a->size, MOVE_MAX);
		resume(&p);
		n = copy(&p);
		n = give_offset(t, a->in_offset, p.in_at, n);
		n = give_offset(t, a->out_offset, p.out_at, n);
	}
	put_pair(&p);
	return n;
}

/* From a pipe to a file: the ring is what is written. */
static long drain(struct pair *p, struct pipe *from)
{
	uint64_t *done = &p->task->progress;

	while (p->left > 0) {
		size_t size;
		const void *data = pipe_peek(from, 0, &size);
		long n;

		if (size == 0) {
			if (*done > 0 || !pipe_has_writers(from))
				break;
			return wait_for(p, p->in, POLLIN);
		}
		n = write_kernel(p, data, MIN(size, p->left));
		if (n == -EAGAIN)
			return wait_for(p, p->out, POLLOUT);
		if (n < 0)
			return *done > 0 && n != -EWAIT ? (long)*done : n;
		pipe_consume(from, (size_t)n);
		*done += (uint64_t)n;
		p->left -= (uint64_t)n;
		if (n == 0)
			break;
	}
	return (long)*done;
}

/* From a file to a pipe: the ring is what is read into. */
static long fill(struct pair *p, struct pipe *to)
{
	uint64_t *done = &p->task->progress;

	while (p->left > 0) {
		size_t size = p->left;
		void *room;
		long n;

		if (!pipe_has_readers(to)) {
			raise_signal(p->task, SIGNAL_PIPE);
			return *done > 0 ? (long)*done : -EPIPE;
		}
		room = pipe_room(to, &size);
		if (!room)
			return *done > 0 ? (long)*done : -ENOMEM;
		if (size == 0)
			return wait_for(p, p->out, POLLOUT);
		n = read_kernel(p, room, size);
		if (n == -EAGAIN)
			return wait_for(p, p->in, POLLIN);
		if (n < 0)
			return *done > 0 && n != -EWAIT ? (long)*done : n;
		pipe_fill(to, (size_t)n);
		*done += (uint64_t)n;
		p->left -= (uint64_t)n;
		if ((size_t)n < size)
			break;
	}
	return (long)*done;
}

/* From pipe to pipe; tee(2) leaves the data where it is as well. */
static long pass(struct pair *p, struct pipe *from, struct pipe *to, bool keep)
{
	size_t done = 0;

	while (p->left > 0) {
		size_t have, size;
		const void *data = pipe_peek(from, keep ? done : 0, &have);
		void *room;

		if (!pipe_has_readers(to)) {
			raise_signal(p->task, SIGNAL_PIPE);
			return done > 0 ? (long)done : -EPIPE;
		}
		if (have == 0) {
			if (done > 0 || !pipe_has_writers(from))
				break;
			return wait_for(p, p->in, POLLIN);
		}
		size = MIN(have, p->left);
		room = pipe_room(to, &size);
		if (!room)
			return done > 0 ? (long)done : -ENOMEM;
		if (size == 0)
			return done > 0 ? (long)done
			                : wait_for(p, p->out, POLLOUT);
		memcpy(room, data, size);
		pipe_fill(to, size);
		if (!keep)
			pipe_consume(from, size);
		done += size;
		p->left -= size;
	}
	return (long)done;
}

static long do_splice(struct pair *p, const struct args_splice *a)
{
	struct pipe *from = pipe_of(p->in);
	struct pipe *to = pipe_of(p->out);
	long n;

	if ((from && a->in_offset.raw) || (to && a->out_offset.raw))
		return -ESPIPE;
	if (from && to) {
		p->nonblock = p->nonblock || file_nonblock(p->in) ||
		              file_nonblock(p->out);
		return from == to ? -EINVAL : pass(p, from, to, false);
	}
	if (from) {
		if (p->out->flags & O_APPEND)
			return -EINVAL;
		n = take_offset(p->task, p->out, a->out_offset, &p->out_at,
		                &p->out_pos);
		if (n < 0)
			return n;
		resume(p);
		n = is_syncing(p) ? (long)p->task->progress : drain(p, from);
		n = sync_moved(p, n);
		return give_offset(p->task, a->out_offset, p->out_at, n);
	}
	if (!to)
		return -EINVAL;
	n = take_offset(p->task, p->in, a->in_offset, &p->in_at, &p->in_pos);
	if (n < 0)
		return n;
	resume(p);
	n = fill(p, to);
	return give_offset(p->task, a->in_offset, p->in_at, n);
}

long sys_splice(struct task *t, const struct args_splice *a)
{
	struct pair p = {.nonblock = a->flags & SPLICE_F_NONBLOCK};
	long n;

	if (a->size == 0)
		return 0;
	if (a->flags & ~SPLICE_KNOWN)
		return -EINVAL;
	n = get_pair(&p, t, a->in, a->out);
	if (n < 0)
		return n;
	p.left = MIN(a->size, MOVE_MAX);
	n = do_splice(&p, a);
	put_pair(&p);
	return n;
}

long sys_tee(struct task *t, const struct args_tee *a)
{
	struct pair p = {.nonblock = a->flags & SPLICE_F_NONBLOCK};
	struct pipe *from, *to;
	long n;

	if (a->flags & ~SPLICE_KNOWN)
		return -EINVAL;
	if (a->size == 0)
		return 0;
	n = get_pair(&p, t, a->in, a->out);
	if (n < 0)
		return n;
	from = pipe_of(p.in);
	to = pipe_of(p.out);
	p.left = MIN(a->size, MOVE_MAX);
	n = from && to && from != to ? pass(&p, from, to, true) : -EINVAL;
	put_pair(&p);
	return n;
}

/* Gifts are copied: the guest's pages stay its own. */
static long splice_memory(struct task *t, struct file *f,
                          const struct args_vmsplice *a)
{
	bool nonblock = (a->flags & SPLICE_F_NONBLOCK) || file_nonblock(f);
	bool write = f->mode & FILE_WRITE;
	abi_iovec iov[IOV_INLINE];
	struct uio u;
	long n;

	/* What does not fit here the caller brings the next time. */
	size_t count = MIN(a->count, (uint64_t)IOV_INLINE);

	n = uio_init_iov(&u, t, a->iov, iov, count);
	if (n < 0 || u.left == 0)
		return n;
	u.nonblock = nonblock;
	n = write ? f->ops->write(f, &u, &f->pos)
	          : f->ops->read(f, &u, &f->pos);
	if (n == -EPIPE)
		raise_signal(t, SIGNAL_PIPE);
	if (n == -EAGAIN && !nonblock)
		n = file_wait(f, t, write ? POLLOUT : POLLIN);
	return n;
}

long sys_vmsplice(struct task *t, const struct args_vmsplice *a)
{
	struct file *f;
	long n;

	if (a->flags & ~SPLICE_KNOWN)
		return -EINVAL;
	f = fd_get(t, a->fd);
	if (!f)
		return -EBADF;
	if (!pipe_of(f))
		n = -EBADF;
	else if (a->count > LIMIT_IOV)
		n = -EINVAL;
	else
		n = splice_memory(t, f, a);
	file_put(f);
	return n;
}
