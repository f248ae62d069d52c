/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fsync(2) and friends, and advice about reading.
 */
#include <linux/fadvise.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/mount.h"
#include "kernel/syscall.h"

/* Is it a thing with data on a file system? */
static bool is_stored(const struct file *f)
{
	return f->inode &&
	       (inode_is(f->inode, S_IFREG) || inode_is(f->inode, S_IFDIR) ||
	        inode_is(f->inode, S_IFBLK));
}

static long sync_fd(struct task *t, int32_t fd, bool data_only)
{
	struct file *f = fd_get(t, fd);
	long err;

	if (!f)
		return -EBADF;
	if (f->ops->fsync)
		err = f->ops->fsync(f, t, data_only);
	else
		err = is_stored(f) ? 0 : -EINVAL;
	file_put(f);
	return err;
}

long sys_fsync(struct task *t, const struct args_fsync *a)
{
	return sync_fd(t, a->fd, false);
}

long sys_fdatasync(struct task *t, const struct args_fdatasync *a)
{
	return sync_fd(t, a->fd, true);
}

/* t->progress: the last mount that is done. */
long sys_sync(struct task *t, const struct args_sync *a)
{
	struct kernel *k = t->kernel;

	(void)a;
	for (struct mount *m = mount_next(k, NULL); m; m = mount_next(k, m)) {
		long err = 0;

		if (m->id <= t->progress)
			continue;
		if (m->sb->ops->sync)
			err = m->sb->ops->sync(m->sb, t);
		if (err == -EWAIT || err == -ERESTARTSYS)
			return err;
		t->progress = m->id;
	}
	return 0;
}

long sys_syncfs(struct task *t, const struct args_syncfs *a)
{
	struct file *f = fd_get(t, a->fd);
	struct superblock *sb;
	long err;

	if (!f)
		return -EBADF;
	sb = f->inode ? f->inode->sb : NULL;
	err = sb && sb->ops->sync ? sb->ops->sync(sb, t) : 0;
	file_put(f);
	return err;
}

long sys_sync_file_range(struct task *t, const struct args_sync_file_range *a)
{
	const uint32_t known = SYNC_FILE_RANGE_WAIT_BEFORE |
	                       SYNC_FILE_RANGE_WRITE |
	                       SYNC_FILE_RANGE_WAIT_AFTER;
	struct file *f;
	int64_t end;
	long err = 0;

	if ((a->flags & ~known) || a->offset < 0 || a->size < 0 ||
	    __builtin_add_overflow(a->offset, a->size, &end))
		return -EINVAL;
	f = fd_get(t, a->fd);
	if (!f)
		return -EBADF;
	if (!is_stored(f))
		err = -ESPIPE;
	else if ((a->flags & SYNC_FILE_RANGE_WAIT_AFTER) && f->ops->fsync)
		err = f->ops->fsync(f, t, true);
	file_put(f);
	return err;
}

long sys_fadvise64(struct task *t, const struct args_fadvise64 *a)
{
	struct file *f = fd_get(t, a->fd);
	long err = 0;

	if (!f)
		return -EBADF;
	if (f->inode && inode_is(f->inode, S_IFIFO))
		err = -ESPIPE;
	else if (a->size < 0 || a->advice < POSIX_FADV_NORMAL ||
	         a->advice > POSIX_FADV_NOREUSE)
		err = -EINVAL;
	file_put(f);
	return err;
}

long sys_readahead(struct task *t, const struct args_readahead *a)
{
	struct file *f = fd_get(t, a->fd);
	long err = 0;

	if (!f)
		return -EBADF;
	if (!(f->mode & FILE_READ))
		err = -EBADF;
	else if (!f->inode || !inode_is(f->inode, S_IFREG))
		err = -EINVAL;
	file_put(f);
	return err;
}
