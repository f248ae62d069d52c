/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: mkdir(2), mknod(2), link(2), symlink(2), unlink(2), rename(2),
 * readlink(2).
 */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/node.h"
#include "kernel/fs/target.h"
#include "kernel/syscall.h"
#include "kernel/task/cred.h"

/* path_parent_at(), then node_create(). */
static long create_at(struct task *t, int32_t dir, uaddr_t name, uint32_t mode,
                      uint64_t rdev, struct span target)
{
	struct path_last last;
	struct path p;
	long err = path_parent_at(t, dir, name, 0, &p, &last);

	if (err < 0)
		return err;
	err = node_create(t, &p, &last, mode, rdev, target, NULL);
	path_put(&p);
	return err;
}

static long mkdir_at(struct task *t, int32_t dir, uaddr_t name, uint32_t mode)
{
	return create_at(t, dir, name, S_IFDIR | (mode & (0777 | S_ISVTX)), 0,
	                 (struct span){0});
}

long sys_mkdir(struct task *t, const struct args_mkdir *a)
{
	return mkdir_at(t, AT_FDCWD, a->path, a->mode);
}

long sys_mkdirat(struct task *t, const struct args_mkdirat *a)
{
	return mkdir_at(t, a->dir, a->path, a->mode);
}

static long mknod_at(struct task *t, int32_t dir, uaddr_t name, uint32_t mode,
                     uint32_t dev)
{
	uint64_t rdev = 0;

	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFCHR:
	case S_IFBLK:
		if (!cred_capable(t->cred, CRED_CAP_MKNOD))
			return -EPERM;
		rdev = dev;
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	return create_at(t, dir, name, mode & (S_IFMT | 07777), rdev,
	                 (struct span){0});
}

long sys_mknod(struct task *t, const struct args_mknod *a)
{
	return mknod_at(t, AT_FDCWD, a->path, a->mode, a->dev);
}

long sys_mknodat(struct task *t, const struct args_mknodat *a)
{
	return mknod_at(t, a->dir, a->path, a->mode, a->dev);
}

static long symlink_at(struct task *t, uaddr_t target, int32_t dir,
                       uaddr_t name)
{
	autofree char *text = malloc(LIMIT_PATH);
	long n;

	if (!text)
		return -ENOMEM;
	n = user_string(t, target, text, LIMIT_PATH);
	if (n <= 0)
		return n < 0 ? n : -ENOENT;
	return create_at(t, dir, name, S_IFLNK | 0777, 0, span_str(text));
}

long sys_symlink(struct task *t, const struct args_symlink *a)
{
	return symlink_at(t, a->target, AT_FDCWD, a->path);
}

long sys_symlinkat(struct task *t, const struct args_symlinkat *a)
{
	return symlink_at(t, a->target, a->dir, a->path);
}

static long link_at(struct task *t, const struct args_linkat *a)
{
	int how = a->flags & AT_EMPTY_PATH;
	struct path_last last;
	struct target from;
	struct path dir;
	long err;

	if (a->flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (how && !cred_capable(t->cred, CRED_CAP_DAC_READ_SEARCH))
		return -ENOENT;
	if (!(a->flags & AT_SYMLINK_FOLLOW))
		how |= AT_SYMLINK_NOFOLLOW;
	err = target_at(t, a->old_dir, a->old, how, &from);
	if (err < 0)
		return err;
	err = path_parent_at(t, a->new_dir, a->new, 0, &dir, &last);
	if (err == 0) {
		err = node_link(t, &from.path, &dir, &last);
		path_put(&dir);
	}
	target_put(&from);
	return err;
}

long sys_linkat(struct task *t, const struct args_linkat *a)
{
	return link_at(t, a);
}

long sys_link(struct task *t, const struct args_link *a)
{
	struct args_linkat at = {
		.old_dir = AT_FDCWD,
		.old = a->old,
		.new_dir = AT_FDCWD,
		.new = a->new,
	};

	return link_at(t, &at);
}

static long unlink_at(struct task *t, int32_t dir, uaddr_t name, bool rmdir)
{
	struct path_last last;
	struct path p;
	long err = path_parent_at(t, dir, name, 0, &p, &last);

	if (err < 0)
		return err;
	err = node_unlink(t, &p, &last, rmdir);
	path_put(&p);
	return err;
}

long sys_unlink(struct task *t, const struct args_unlink *a)
{
	return unlink_at(t, AT_FDCWD, a->path, false);
}

long sys_rmdir(struct task *t, const struct args_rmdir *a)
{
	return unlink_at(t, AT_FDCWD, a->path, true);
}

long sys_unlinkat(struct task *t, const struct args_unlinkat *a)
{
	if (a->flags & ~AT_REMOVEDIR)
		return -EINVAL;
	return unlink_at(t, a->dir, a->path, a->flags & AT_REMOVEDIR);
}

static long rename_at(struct task *t, const struct args_renameat2 *a)
{
	struct path_last from, to;
	struct path from_dir, to_dir;
	long err;

	if (a->flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (a->flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	err = path_parent_at(t, a->old_dir, a->old, 0, &from_dir, &from);
	if (err < 0)
		return err;
	err = path_parent_at(t, a->new_dir, a->new, 0, &to_dir, &to);
	if (err == 0) {
		err = node_rename(t, &from_dir, &from, &to_dir, &to, a->flags);
		path_put(&to_dir);
	}
	path_put(&from_dir);
	return err;
}

long sys_renameat2(struct task *t, const struct args_renameat2 *a)
{
	return rename_at(t, a);
}

long sys_renameat(struct task *t, const struct args_renameat *a)
{
	struct args_renameat2 at = {
		.old_dir = a->old_dir,
		.old = a->old,
		.new_dir = a->new_dir,
		.new = a->new,
	};

	return rename_at(t, &at);
}

long sys_rename(struct task *t, const struct args_rename *a)
{
	struct args_renameat2 at = {
		.old_dir = AT_FDCWD,
		.old = a->old,
		.new_dir = AT_FDCWD,
		.new = a->new,
	};

	return rename_at(t, &at);
}

static long readlink_at(struct task *t, int32_t dir, uaddr_t name, uaddr_t to,
                        int32_t size)
{
	char *text = t->kernel->fs->name;
	struct target g;
	bool empty;
	long n;

	if (size <= 0)
		return -EINVAL;
	n = target_at(t, dir, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &g);
	if (n < 0)
		return n;
	empty = g.file || *text == 0;
	if (!inode_is(g.inode, S_IFLNK) || !g.inode->ops->readlink) {
		target_put(&g);
		return empty ? -ENOENT : -EINVAL;
	}
	n = g.inode->ops->readlink(g.inode, t, text, LIMIT_PATH);
	target_put(&g);
	if (n < 0)
		return n;
	n = MIN(n, size);
	if (user_write(t, to, text, (size_t)n) < 0)
		return -EFAULT;
	return n;
}

long sys_readlink(struct task *t, const struct args_readlink *a)
{
	return readlink_at(t, AT_FDCWD, a->path, a->buf, a->size);
}

long sys_readlinkat(struct task *t, const struct args_readlinkat *a)
{
	return readlink_at(t, a->dir, a->path, a->buf, a->size);
}
