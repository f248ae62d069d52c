/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors: close(2), dup(2), fcntl(2), flock(2).
 */
#include <asm/resource.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>

#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/lock.h"
#include "kernel/fs/sigio.h"
#include "kernel/syscall.h"
#include "kernel/task/cells.h"
#include "kernel/task/process.h"

#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY (F_LINUX_SPECIFIC_BASE + 3)
#endif

/* What F_SETFL changes. */
#define SETTABLE (O_APPEND | FASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK)

long sys_close(struct task *t, const struct args_close *a)
{
	return fd_close(t, a->fd);
}

long sys_close_range(struct task *t, const struct args_close_range *a)
{
	bool cloexec = a->flags & CLOSE_RANGE_CLOEXEC;
	int err = 0;

	if ((a->flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) ||
	    a->first > a->last)
		return -EINVAL;
	if (a->flags & CLOSE_RANGE_UNSHARE)
		err = fd_table_unshare(t);
	if (err < 0 || a->first > INT32_MAX)
		return err;
	for (int32_t fd = fd_next(t->fds, (int32_t)a->first);
	     fd >= 0 && (uint32_t)fd <= a->last; fd = fd_next(t->fds, fd + 1)) {
		/* It is open: neither can fail. */
		err = cloexec ? fd_set_cloexec(t, fd, true) : fd_close(t, fd);
		assert(err == 0);
	}
	return 0;
}

long sys_dup(struct task *t, const struct args_dup *a)
{
	struct file *f = fd_get_path(t, a->fd);

	return f ? fd_open(t, f, false) : -EBADF;
}

static long dup_to(struct task *t, int32_t from, int32_t to, bool cloexec)
{
	struct file *f = fd_get_path(t, from);
	int err;

	if (!f)
		return -EBADF;
	err = fd_replace(t, to, f, cloexec);
	return err < 0 ? err : to;
}

long sys_dup2(struct task *t, const struct args_dup2 *a)
{
	if (a->old == a->new)
		return fd_cloexec(t, a->old) < 0 ? -EBADF : a->new;
	return dup_to(t, a->old, a->new, false);
}

long sys_dup3(struct task *t, const struct args_dup3 *a)
{
	if (a->old == a->new || (a->flags & ~O_CLOEXEC))
		return -EINVAL;
	return dup_to(t, a->old, a->new, a->flags & O_CLOEXEC);
}

static long dup_above(struct task *t, struct file *f, uint64_t from,
                      bool cloexec)
{
	int32_t fd;
	int err;

	if (from >= t->process->rlimit[RLIMIT_NOFILE].cur || from >= LIMIT_FDS)
		return -EINVAL;
	err = fd_reserve(t, (int32_t)from, 1, &fd);
	if (err < 0)
		return err;
	fd_install(t, fd, file_get(f), cloexec);
	return fd;
}

static long set_flags(struct task *t, struct file *f, int32_t fd,
                      uint32_t flags)
{
	uint32_t changed = (f->flags ^ flags) & SETTABLE;
	long err;

	if ((changed & flags & O_NOATIME) && f->inode &&
	    !inode_owner_or_capable(f->inode, t))
		return -EPERM;
	if (changed & FASYNC) {
		err = sigio_set(f, t, fd, flags & FASYNC);
		if (err < 0)
			return err;
	}
	f->flags ^= changed & ~(uint32_t)FASYNC;
	if (changed & O_APPEND) /* where a cell would write */
		cells_recall_leases(t->kernel);
	return 0;
}

static long set_owner_ex(struct task *t, struct file *f, uaddr_t arg)
{
	struct f_owner_ex ex;
	long err = user_read(t, arg, &ex, sizeof(ex));

	if (err < 0)
		return err;
	switch (ex.type) {
	case F_OWNER_TID:
	case F_OWNER_PID:
		return sigio_own(f, t, ex.pid, ex.type == F_OWNER_TID);
	case F_OWNER_PGRP:
		return sigio_own(f, t, -ex.pid, false);
	default:
		return -EINVAL;
	}
}

static long get_owner_ex(struct task *t, struct file *f, uaddr_t arg)
{
	struct f_owner_ex ex = {.type = F_OWNER_PID, .pid = f->owner};

	if (f->owner < 0)
		ex = (struct f_owner_ex){F_OWNER_PGRP, -f->owner};
	else if (f->owner_is_task)
		ex.type = F_OWNER_TID;
	return user_write(t, arg, &ex, sizeof(ex));
}

/* Commands that are about the number only; O_PATH files have them too. */
static long fcntl_number(struct task *t, struct file *f,
                         const struct args_fcntl *a)
{
	struct file *other;

	switch (a->cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return dup_above(t, f, (uint32_t)a->arg,
		                 a->cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_cloexec(t, a->fd);
	case F_SETFD:
		return fd_set_cloexec(t, a->fd, a->arg & FD_CLOEXEC);
	case F_GETFL:
		return f->flags;
	case F_DUPFD_QUERY:
		other = fd_peek(t->fds, (int32_t)a->arg);
		return other ? other == f : -EBADF;
	default:
		return -EBADF;
	}
}

static long fcntl_file(struct task *t, struct file *f,
                       const struct args_fcntl *a)
{
	uaddr_t at = {(uint64_t)a->arg};

	switch (a->cmd) {
	case F_SETFL:
		return set_flags(t, f, a->fd, (uint32_t)a->arg);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_fcntl(t, f, a->cmd, at);
	case F_SETOWN:
		return sigio_own(f, t, (int32_t)a->arg, false);
	case F_GETOWN:
		return f->owner;
	case F_SETOWN_EX:
		return set_owner_ex(t, f, at);
	case F_GETOWN_EX:
		return get_owner_ex(t, f, at);
	case F_SETSIG:
		if (a->arg < 0 || a->arg > 64)
			return -EINVAL;
		f->owner_signal = (int32_t)a->arg;
		return 0;
	case F_GETSIG:
		return f->owner_signal;
	case F_GETLEASE:
		return F_UNLCK;
	default:
		return f->ops->fcntl
		               ? f->ops->fcntl(f, t, a->cmd, (uint64_t)a->arg)
		               : -EINVAL;
	}
}

long sys_fcntl(struct task *t, const struct args_fcntl *a)
{
	struct file *f = fd_get_path(t, a->fd);
	long ret;

	if (!f)
		return -EBADF;
	switch (a->cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
	case F_DUPFD_QUERY:
	case F_GETFD:
	case F_SETFD:
	case F_GETFL:
		ret = fcntl_number(t, f, a);
		break;
	default:
		ret = f->mode & FILE_PATH ? -EBADF : fcntl_file(t, f, a);
	}
	file_put(f);
	return ret;
}

long sys_flock(struct task *t, const struct args_flock *a)
{
	struct file *f = fd_get(t, a->fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = lock_flock(t, f, a->op);
	file_put(f);
	return ret;
}
