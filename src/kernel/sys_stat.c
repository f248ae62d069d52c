/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stat(2), statx(2), statfs(2), access(2).
 */
#include "kernel/syscall.h"

#include <linux/fcntl.h>
#include <linux/stat.h>
#include <sys/statvfs.h>

#include "kernel/fs/device.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/target.h"
#include "kernel/fs/world.h"
#include "kernel/task/cred.h"

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000u
#endif

/* Statistics of a target, which is put. */
static long stat_target(struct task *t, struct target *g, uaddr_t to)
{
	long err = inode_refresh(g->inode, t);
	abi_stat st;

	if (err == 0) {
		inode_stat(g->inode, &st);
		err = user_write(t, to, &st, sizeof(st));
	}
	target_put(g);
	return err;
}

static long stat_at(struct task *t, int32_t dir, uaddr_t name, uaddr_t to,
                    int flags)
{
	struct target g;
	long err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	err = target_at(t, dir, name, flags, &g);
	return err < 0 ? err : stat_target(t, &g, to);
}

long sys_stat(struct task *t, const struct args_stat *a)
{
	return stat_at(t, AT_FDCWD, a->path, a->st, 0);
}

long sys_lstat(struct task *t, const struct args_lstat *a)
{
	return stat_at(t, AT_FDCWD, a->path, a->st, AT_SYMLINK_NOFOLLOW);
}

long sys_newfstatat(struct task *t, const struct args_newfstatat *a)
{
	return stat_at(t, a->dir, a->path, a->st, a->flags);
}

long sys_fstat(struct task *t, const struct args_fstat *a)
{
	struct target g;
	long err = target_fd(t, a->fd, true, &g);

	return err < 0 ? err : stat_target(t, &g, a->st);
}

static abi_statx_time statx_time(abi_timespec ts)
{
	return (abi_statx_time){.sec = ts.sec, .nsec = (uint32_t)ts.nsec};
}

static void fill_statx(const struct target *g, abi_statx *out)
{
	const struct inode *i = g->inode;
	uint64_t dev = i->sb->dev;
	abi_stat st;

	inode_stat(i, &st);
	*out = (abi_statx){
		.mask = STATX_BASIC_STATS | STATX_MNT_ID,
		.blksize = (uint32_t)st.blksize,
		.attributes_mask = STATX_ATTR_MOUNT_ROOT,
		.nlink = i->nlink,
		.uid = i->uid,
		.gid = i->gid,
		.mode = (uint16_t)i->mode,
		.ino = i->ino,
		.size = i->size,
		.blocks = i->blocks,
		.atime = statx_time(i->atime),
		.btime = statx_time(i->btime),
		.ctime = statx_time(i->ctime),
		.mtime = statx_time(i->mtime),
		.rdev_major = DEVICE_MAJOR(i->rdev),
		.rdev_minor = DEVICE_MINOR(i->rdev),
		.dev_major = DEVICE_MAJOR(dev),
		.dev_minor = DEVICE_MINOR(dev),
	};
	if (i->btime.sec || i->btime.nsec)
		out->mask |= STATX_BTIME;
	if (g->path.mount)
		out->mnt_id = g->path.mount->id;
	if (mount_is_root(&g->path))
		out->attributes |= STATX_ATTR_MOUNT_ROOT;
}

long sys_statx(struct task *t, const struct args_statx *a)
{
	const int known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT |
	                  AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
	struct target g;
	abi_statx stx;
	long err;

	if ((a->flags & ~known) || (a->mask & STATX__RESERVED) ||
	    (a->flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	err = target_at(t, a->dir, a->path, a->flags, &g);
	if (err < 0)
		return err;
	err = inode_refresh(g.inode, t);
	if (err == 0) {
		fill_statx(&g, &stx);
		err = user_write(t, a->buf, &stx, sizeof(stx));
	}
	target_put(&g);
	return err;
}

#define ST_VALID 0x20

static int64_t mount_flags(const struct path *p)
{
	static const struct {
		uint32_t ours;
		int64_t theirs;
	} flags[] = {
		{MOUNT_NOSUID, ST_NOSUID},
		{MOUNT_NODEV, ST_NODEV},
		{MOUNT_NOEXEC, ST_NOEXEC},
		{MOUNT_NOATIME, ST_NOATIME},
		{MOUNT_NODIRATIME, ST_NODIRATIME},
		{MOUNT_RELATIME, ST_RELATIME},
	};
	int64_t out = ST_VALID | (mount_is_readonly(p) ? ST_RDONLY : 0);

	for (size_t i = 0; p->mount && i < ARRAY_LEN(flags); i++)
		if (p->mount->flags & flags[i].ours)
			out |= flags[i].theirs;
	return out;
}

static long statfs_target(struct task *t, struct target *g, uaddr_t to)
{
	struct superblock *sb = g->inode->sb;
	abi_statfs st = {
		.type = sb->magic,
		.bsize = 4096,
		.namelen = 255,
		.fsid = {(int32_t)sb->dev, 0},
		.frsize = 4096,
	};
	long err = sb->ops->statfs ? sb->ops->statfs(sb, t, &st) : 0;

	st.flags = mount_flags(&g->path);
	if (err == 0)
		err = user_write(t, to, &st, sizeof(st));
	target_put(g);
	return err;
}

long sys_statfs(struct task *t, const struct args_statfs *a)
{
	struct target g;
	long err = target_at(t, AT_FDCWD, a->path, 0, &g);

	return err < 0 ? err : statfs_target(t, &g, a->buf);
}

long sys_fstatfs(struct task *t, const struct args_fstatfs *a)
{
	struct target g;
	long err = target_fd(t, a->fd, true, &g);

	return err < 0 ? err : statfs_target(t, &g, a->buf);
}

/* Who access(2) asks for: real ids, and the capabilities they have. */
static struct cred *real_cred(const struct cred *c)
{
	struct cred *real = cred_copy(c);

	if (!real)
		return NULL;
	real->fsuid = c->uid;
	real->fsgid = c->gid;
	real->cap_effective = c->uid == 0 ? c->cap_permitted : 0;
	return real;
}

static bool is_real(const struct cred *c)
{
	return c->fsuid == c->uid && c->fsgid == c->gid &&
	       c->cap_effective == (c->uid == 0 ? c->cap_permitted : 0);
}

static long access_as_is(struct task *t, int32_t dir, uaddr_t path, int mode,
                         int flags)
{
	struct target g;
	long err = target_at(t, dir, path, flags, &g);

	if (err < 0)
		return err;
	if (mode != F_OK)
		err = g.path.dentry ? path_permission(t, &g.path, mode)
		                    : inode_permission(g.inode, t, mode);
	target_put(&g);
	return err;
}

static long access_at(struct task *t, int32_t dir, uaddr_t path, int mode,
                      int flags)
{
	struct cred *own = t->cred, *real;
	long err;

	if ((mode & ~(R_OK | W_OK | X_OK)) ||
	    (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	if ((flags & AT_EACCESS) || is_real(own))
		return access_as_is(t, dir, path, mode, flags & ~AT_EACCESS);
	real = real_cred(own);
	if (!real)
		return -ENOMEM;
	t->cred = real;
	err = access_as_is(t, dir, path, mode, flags);
	t->cred = own;
	cred_put(real);
	return err;
}

long sys_access(struct task *t, const struct args_access *a)
{
	return access_at(t, AT_FDCWD, a->path, a->mode, 0);
}

long sys_faccessat(struct task *t, const struct args_faccessat *a)
{
	return access_at(t, a->dir, a->path, a->mode, 0);
}

long sys_faccessat2(struct task *t, const struct args_faccessat2 *a)
{
	return access_at(t, a->dir, a->path, a->mode, a->flags);
}
