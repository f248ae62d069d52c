/* SPDX-License-Identifier: Apache-2.0 */
/* mq_open(2) and the other calls on POSIX message queues. */
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <string.h>
#include <time.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/inode.h"
#include "kernel/ipc/mqueue.h"
#include "kernel/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/timeout.h"

#define NAME_ROOM 256
#define SECOND_NS 1000000000

/* The name without its slash, as libc hands it on. */
static long take_name(struct task *t, uaddr_t at, char *name)
{
	long n = user_string(t, at, name, NAME_ROOM);

	if (n < 0)
		return n;
	if (n == 0)
		return -ENOENT;
	if (strchr(name, '/') || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return -EACCES;
	return 0;
}

static long take_attr(struct task *t, uaddr_t at, struct mqueue_attr *a)
{
	bool more = cred_capable(t->cred, CRED_CAP_SYS_RESOURCE);
	int64_t count = more ? MQUEUE_COUNT_MAX : MQUEUE_COUNT_DEFAULT;
	int64_t size = more ? MQUEUE_SIZE_MAX : MQUEUE_SIZE_DEFAULT;

	*a = (struct mqueue_attr){
		.count_max = MQUEUE_COUNT_DEFAULT,
		.size_max = MQUEUE_SIZE_DEFAULT,
	};
	if (at.raw == 0)
		return 0;
	if (user_read(t, at, a, sizeof(*a)) < 0)
		return -EFAULT;
	if (a->count_max <= 0 || a->size_max <= 0 || a->count_max > count ||
	    a->size_max > size)
		return -EINVAL;
	return 0;
}

static long may_open(struct task *t, struct mqueue *q, uint32_t flags)
{
	static const int want[] = {
		[O_RDONLY] = R_OK,
		[O_WRONLY] = W_OK,
		[O_RDWR] = R_OK | W_OK,
	};
	uint32_t mode = flags & O_ACCMODE;

	if (mode == O_ACCMODE)
		return -EINVAL;
	return inode_permission(mqueue_inode(q), t, want[mode]);
}

static long find_or_make(struct task *t, const struct args_mq_open *a,
                         struct mqueue **out)
{
	uint32_t flags = (uint32_t)a->flags;
	uint32_t mode = a->mode & 0777 & ~t->fs->umask;
	struct mqueue_attr attr;
	char name[NAME_ROOM];
	struct mqueue *q;
	long err = take_name(t, a->name, name);

	if (err < 0)
		return err;
	q = mqueue_find(t->kernel, name);
	if (q && (flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	if (!q && !(flags & O_CREAT))
		return -ENOENT;
	if (q) {
		err = may_open(t, q, flags);
		if (err == 0)
			*out = q;
		return err;
	}
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	err = take_attr(t, a->attr, &attr);
	if (err < 0)
		return err;
	return mqueue_create(t, name, mode, &attr, out);
}

long sys_mq_open(struct task *t, const struct args_mq_open *a)
{
	struct mqueue *q;
	struct file *f;
	long err = find_or_make(t, a, &q);

	if (err < 0)
		return err;
	err = mqueue_open(q, (uint32_t)a->flags, &f);
	return err < 0 ? err : fd_open(t, f, a->flags & O_CLOEXEC);
}

long sys_mq_unlink(struct task *t, const struct args_mq_unlink *a)
{
	char name[NAME_ROOM];
	struct mqueue *q;
	long err = take_name(t, a->name, name);

	if (err < 0)
		return err;
	q = mqueue_find(t->kernel, name);
	if (!q)
		return -ENOENT;
	/* Their directory is sticky. */
	if (t->cred->fsuid != mqueue_inode(q)->uid &&
	    !cred_capable(t->cred, CRED_CAP_FOWNER))
		return -EACCES;
	mqueue_unlink(q);
	return 0;
}

/* The time is CLOCK_REALTIME's; ours is the host's other clock. */
static long set_deadline(struct task *t, uaddr_t at)
{
	struct timespec now;
	abi_timespec ts;
	int64_t left;

	if (at.raw == 0)
		return 0;
	if (user_read(t, at, &ts, sizeof(ts)) < 0)
		return -EFAULT;
	if (timeout_check(&ts) < 0)
		return -EINVAL;
	clock_gettime(CLOCK_REALTIME, &now);
	if (__builtin_sub_overflow(ts.sec, now.tv_sec, &left) ||
	    __builtin_mul_overflow(left, SECOND_NS, &left) ||
	    __builtin_add_overflow(left, ts.nsec - now.tv_nsec, &left))
		left = ts.sec > now.tv_sec ? INT64_MAX : 0;
	if (left <= 0)
		t->timed_out = true;
	else
		task_deadline(t, timer_now() + (uint64_t)left);
	return 0;
}

/* A queue open for `mode`: a new reference to its file. */
static long get_queue(struct task *t, int32_t fd, uint32_t mode,
                      struct file **out)
{
	struct file *f = fd_get(t, fd);

	if (!f || !mqueue_of(f) || (mode && !(f->mode & mode))) {
		file_put(f);
		return -EBADF;
	}
	*out = f;
	return 0;
}

/* What -EAGAIN means for a caller that may wait. */
static long wait_for(struct task *t, struct file *f, uint32_t events)
{
	if (file_nonblock(f))
		return -EAGAIN;
	return t->timed_out ? -ETIMEDOUT : file_wait(f, t, events);
}

long sys_mq_timedsend(struct task *t, const struct args_mq_timedsend *a)
{
	struct file *f = NULL;
	long n;

	if (a->priority >= MQUEUE_PRIORITIES)
		return -EINVAL;
	n = set_deadline(t, a->timeout);
	if (n == 0)
		n = get_queue(t, a->fd, FILE_WRITE, &f);
	if (n < 0)
		return n;
	n = mqueue_send(mqueue_of(f), t, a->msg, a->size, a->priority);
	if (n == -EAGAIN)
		n = wait_for(t, f, POLLOUT);
	file_put(f);
	return n;
}

long sys_mq_timedreceive(struct task *t, const struct args_mq_timedreceive *a)
{
	uint32_t priority;
	struct file *f = NULL;
	long n = set_deadline(t, a->timeout);

	if (n == 0)
		n = get_queue(t, a->fd, FILE_READ, &f);
	if (n < 0)
		return n;
	n = mqueue_receive(mqueue_of(f), t, a->msg, a->size, &priority);
	if (n == -EAGAIN)
		n = wait_for(t, f, POLLIN);
	if (n >= 0 && a->priority.raw != 0 &&
	    user_write(t, a->priority, &priority, sizeof(priority)) < 0)
		n = -EFAULT;
	file_put(f);
	return n;
}

long sys_mq_notify(struct task *t, const struct args_mq_notify *a)
{
	abi_sigevent event;
	struct file *f;
	long err;

	if (a->event.raw != 0 &&
	    user_read(t, a->event, &event, sizeof(event)) < 0)
		return -EFAULT;
	err = get_queue(t, a->fd, 0, &f);
	if (err < 0)
		return err;
	err = mqueue_notify(mqueue_of(f), t, a->event.raw ? &event : NULL);
	file_put(f);
	return err;
}

long sys_mq_getsetattr(struct task *t, const struct args_mq_getsetattr *a)
{
	struct mqueue_attr new = {0}, old;
	struct file *f;
	long err;

	if (a->new.raw != 0 && user_read(t, a->new, &new, sizeof(new)) < 0)
		return -EFAULT;
	if (new.flags & ~(int64_t)O_NONBLOCK)
		return -EINVAL;
	err = get_queue(t, a->fd, 0, &f);
	if (err < 0)
		return err;
	mqueue_attr(mqueue_of(f), &old);
	old.flags = f->flags & O_NONBLOCK;
	if (a->new.raw != 0)
		f->flags = (f->flags & ~(uint32_t)O_NONBLOCK) |
		           (uint32_t) new.flags;
	file_put(f);
	return a->old.raw ? user_write(t, a->old, &old, sizeof(old)) : 0;
}
