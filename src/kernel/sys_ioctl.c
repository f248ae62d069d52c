/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl(2): what holds for every file; the rest is the file's. */
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/loan.h"
#include "kernel/fs/sigio.h"
#include "kernel/syscall.h"

static long set_flag(struct task *t, struct file *f, uaddr_t arg, uint32_t flag)
{
	int32_t on;

	if (user_read(t, arg, &on, sizeof(on)) < 0)
		return -EFAULT;
	f->flags = on ? f->flags | flag : f->flags & ~flag;
	return 0;
}

static long set_async(struct task *t, struct file *f, int32_t fd, uaddr_t arg)
{
	int32_t on;

	if (user_read(t, arg, &on, sizeof(on)) < 0)
		return -EFAULT;
	return sigio_set(f, t, fd, on);
}

static long give_int(struct task *t, uaddr_t arg, int64_t value)
{
	int32_t v = (int32_t)MIN(value, INT32_MAX);

	return user_write(t, arg, &v, sizeof(v));
}

static long regular(struct task *t, struct file *f, uint32_t cmd, uaddr_t arg)
{
	struct inode *i = f->inode;
	long err;

	if (cmd != FIONREAD)
		return f->ops->ioctl ? f->ops->ioctl(f, t, cmd, arg.raw)
		                     : -ENOTTY;
	if (i->ops->refresh) {
		err = i->ops->refresh(i, t);
		if (err < 0)
			return err;
	}
	loan_take(f);
	return give_int(t, arg, (int64_t)i->size - f->pos);
}

static long dispatch(struct task *t, struct file *f, const struct args_ioctl *a)
{
	switch (a->cmd) {
	case FIOCLEX:
		return fd_set_cloexec(t, a->fd, true);
	case FIONCLEX:
		return fd_set_cloexec(t, a->fd, false);
	case FIONBIO:
		return set_flag(t, f, a->arg, O_NONBLOCK);
	case FIOASYNC:
		return set_async(t, f, a->fd, a->arg);
	case FIGETBSZ:
		if (!f->inode || inode_is(f->inode, S_IFIFO))
			return -EBADF;
		return give_int(t, a->arg, 4096);
	default:
		break;
	}
	if (f->inode && inode_is(f->inode, S_IFREG))
		return regular(t, f, a->cmd, a->arg);
	return f->ops->ioctl ? f->ops->ioctl(f, t, a->cmd, a->arg.raw)
	                     : -ENOTTY;
}

long sys_ioctl(struct task *t, const struct args_ioctl *a)
{
	struct file *f = fd_get(t, a->fd);
	long result;

	if (!f)
		return -EBADF;
	result = dispatch(t, f, a);
	file_put(f);
	return result;
}
