/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes: truncate(2), ftruncate(2), fallocate(2).
 */
#include <asm/resource.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/inotify.h>
#include <signal.h>
#include <sys/stat.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/node.h"
#include "kernel/fs/target.h"
#include "kernel/syscall.h"
#include "kernel/task/signal.h"

/* RLIMIT_FSIZE: SIGXFSZ and -EFBIG beyond it. */
static long check_limit(struct task *t, uint64_t size)
{
	abi_siginfo info;

	if (size <= t->process->rlimit[RLIMIT_FSIZE].cur)
		return 0;
	info = signal_info_kernel(SIGXFSZ);
	(void)signal_send_task(t, &info, false);
	return -EFBIG;
}

static long check_kind(const struct inode *i)
{
	if (inode_is(i, S_IFDIR))
		return -EISDIR;
	return inode_is(i, S_IFREG) ? 0 : -EINVAL;
}

long sys_truncate(struct task *t, const struct args_truncate *a)
{
	struct target g;
	long err;

	if (a->size < 0)
		return -EINVAL;
	err = target_at(t, AT_FDCWD, a->path, 0, &g);
	if (err < 0)
		return err;
	err = check_kind(g.inode);
	if (err == 0)
		err = path_permission(t, &g.path, W_OK);
	if (err == 0 && g.inode->denied > 0)
		err = -ETXTBSY;
	if (err == 0)
		err = check_limit(t, (uint64_t)a->size);
	if (err == 0)
		err = node_resize(t, &g.path, g.inode, (uint64_t)a->size);
	target_put(&g);
	return err;
}

static long truncate_file(struct task *t, struct file *f, int64_t size)
{
	long err;

	if (!f->inode || !inode_is(f->inode, S_IFREG) ||
	    !(f->mode & FILE_WRITE))
		return -EINVAL;
	err = check_limit(t, (uint64_t)size);
	if (err < 0)
		return err;
	if (!f->ops->truncate)
		return node_resize(t, &f->path, f->inode, (uint64_t)size);
	err = f->ops->truncate(f, t, (uint64_t)size);
	if (err == 0)
		node_written(t, f);
	return err;
}

long sys_ftruncate(struct task *t, const struct args_ftruncate *a)
{
	struct file *f;
	long err;

	if (a->size < 0)
		return -EINVAL;
	f = fd_get(t, a->fd);
	if (!f)
		return -EBADF;
	err = truncate_file(t, f, a->size);
	file_put(f);
	return err;
}

#define MODES                                              \
	(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |      \
	 FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE | \
	 FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE)

static long fallocate_file(struct task *t, struct file *f,
                           const struct args_fallocate *a)
{
	int64_t end;
	long err;

	if (a->offset < 0 || a->size <= 0)
		return -EINVAL;
	if (a->mode & ~MODES)
		return -EOPNOTSUPP;
	if ((a->mode & FALLOC_FL_PUNCH_HOLE) &&
	    !(a->mode & FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (!(f->mode & FILE_WRITE))
		return -EBADF;
	if (f->inode && inode_is(f->inode, S_IFIFO))
		return -ESPIPE;
	if (f->inode && inode_is(f->inode, S_IFDIR))
		return -EISDIR;
	if (!f->inode || !inode_is(f->inode, S_IFREG))
		return -ENODEV;
	if (__builtin_add_overflow(a->offset, a->size, &end))
		return -EFBIG;
	if (!f->ops->fallocate)
		return -EOPNOTSUPP;
	if (!(a->mode & FALLOC_FL_KEEP_SIZE)) {
		err = check_limit(t, (uint64_t)end);
		if (err < 0)
			return err;
	}
	err = f->ops->fallocate(f, t, a->mode, (uint64_t)a->offset,
	                        (uint64_t)a->size);
	if (err == 0)
		inotify_file(f, IN_MODIFY);
	return err;
}

long sys_fallocate(struct task *t, const struct args_fallocate *a)
{
	struct file *f = fd_get(t, a->fd);
	long err;

	if (!f)
		return -EBADF;
	err = fallocate_file(t, f, a);
	file_put(f);
	return err;
}
