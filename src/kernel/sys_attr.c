/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes: chmod(2), chown(2), utimensat(2) and their many forms.
 */
#include <linux/fcntl.h>
#include <sys/stat.h>

#include "kernel/fs/filecap.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/node.h"
#include "kernel/fs/target.h"
#include "kernel/syscall.h"
#include "kernel/task/cred.h"

/* Changes a target, which is put. */
static long change(struct task *t, struct target *g,
                   const struct inode_change *c, long err)
{
	if (err == 0)
		err = node_change(t, &g->path, g->inode, c);
	target_put(g);
	return err;
}

static long chmod_target(struct task *t, struct target *g, uint32_t mode)
{
	struct inode_change c = {
		.which = INODE_SET_MODE,
		.mode = (g->inode->mode & S_IFMT) | (mode & 07777),
	};
	long err = 0;

	if (inode_is(g->inode, S_IFLNK))
		err = -EOPNOTSUPP;
	else if (mount_is_readonly(&g->path))
		err = -EROFS;
	else if (!inode_owner_or_capable(g->inode, t))
		err = -EPERM;
	if (!cred_in_group(t->cred, g->inode->gid) &&
	    !cred_capable(t->cred, CRED_CAP_FSETID))
		c.mode &= ~(uint32_t)S_ISGID;
	return change(t, g, &c, err);
}

static long chmod_at(struct task *t, int32_t dir, uaddr_t name, uint32_t mode,
                     int flags)
{
	struct target g;
	long err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = target_at(t, dir, name, flags, &g);
	return err < 0 ? err : chmod_target(t, &g, mode);
}

long sys_chmod(struct task *t, const struct args_chmod *a)
{
	return chmod_at(t, AT_FDCWD, a->path, a->mode, 0);
}

long sys_fchmodat(struct task *t, const struct args_fchmodat *a)
{
	return chmod_at(t, a->dir, a->path, a->mode, 0);
}

long sys_fchmodat2(struct task *t, const struct args_fchmodat2 *a)
{
	return chmod_at(t, a->dir, a->path, a->mode, a->flags);
}

long sys_fchmod(struct task *t, const struct args_fchmod *a)
{
	struct target g;
	long err = target_fd(t, a->fd, false, &g);

	return err < 0 ? err : chmod_target(t, &g, a->mode);
}

#define UNCHANGED UINT32_MAX

static long may_chown(struct task *t, const struct target *g, uint32_t uid,
                      uint32_t gid)
{
	const struct inode *i = g->inode;
	bool owner = t->cred->fsuid == i->uid;

	if (mount_is_readonly(&g->path))
		return -EROFS;
	if (cred_capable(t->cred, CRED_CAP_CHOWN))
		return 0;
	if (uid != UNCHANGED && !(owner && uid == i->uid))
		return -EPERM;
	if (gid != UNCHANGED &&
	    !(owner && (gid == i->gid || cred_in_group(t->cred, gid))))
		return -EPERM;
	return 0;
}

static long chown_target(struct task *t, struct target *g, uint32_t uid,
                         uint32_t gid)
{
	struct inode_change c = {.uid = uid, .gid = gid};
	uint32_t mode = g->inode->mode;
	long err = may_chown(t, g, uid, gid);

	if (uid != UNCHANGED)
		c.which |= INODE_SET_UID;
	if (gid != UNCHANGED)
		c.which |= INODE_SET_GID;
	/* A program with a new owner must not lend the old one's rights. */
	c.mode = mode & ~(uint32_t)S_ISUID;
	if (mode & S_IXGRP)
		c.mode &= ~(uint32_t)S_ISGID;
	if (c.mode != mode && !inode_is(g->inode, S_IFDIR))
		c.which |= INODE_SET_MODE;
	if (err == 0 && !inode_is(g->inode, S_IFDIR))
		err = filecap_strip(g->inode, t);
	return change(t, g, &c, err);
}

static long chown_at(struct task *t, int32_t dir, uaddr_t name, uint32_t uid,
                     uint32_t gid, int flags)
{
	struct target g;
	long err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = target_at(t, dir, name, flags, &g);
	return err < 0 ? err : chown_target(t, &g, uid, gid);
}

long sys_chown(struct task *t, const struct args_chown *a)
{
	return chown_at(t, AT_FDCWD, a->path, a->uid, a->gid, 0);
}

long sys_lchown(struct task *t, const struct args_lchown *a)
{
	return chown_at(t, AT_FDCWD, a->path, a->uid, a->gid,
	                AT_SYMLINK_NOFOLLOW);
}

long sys_fchownat(struct task *t, const struct args_fchownat *a)
{
	return chown_at(t, a->dir, a->path, a->uid, a->gid, a->flags);
}

long sys_fchown(struct task *t, const struct args_fchown *a)
{
	struct target g;
	long err = target_fd(t, a->fd, false, &g);

	return err < 0 ? err : chown_target(t, &g, a->uid, a->gid);
}

/* Two times as utimensat(2) has them; NULL: both are now. */
static long set_times(struct task *t, struct target *g,
                      const abi_timespec *times)
{
	struct inode_change c = {.atime = inode_now()};
	bool now = !times ||
	           (times[0].nsec == UTIME_NOW && times[1].nsec == UTIME_NOW);
	long err = 0;

	c.mtime = c.atime;
	if (!times || times[0].nsec != UTIME_OMIT)
		c.which |= INODE_SET_ATIME;
	if (!times || times[1].nsec != UTIME_OMIT)
		c.which |= INODE_SET_MTIME;
	if (times && times[0].nsec != UTIME_NOW)
		c.atime = times[0];
	if (times && times[1].nsec != UTIME_NOW)
		c.mtime = times[1];
	if (mount_is_readonly(&g->path))
		err = -EROFS;
	else if (!inode_owner_or_capable(g->inode, t))
		err = now ? inode_permission(g->inode, t, W_OK) : -EPERM;
	return change(t, g, &c, err);
}

static bool time_ok(abi_timespec ts)
{
	return ts.nsec == UTIME_NOW || ts.nsec == UTIME_OMIT ||
	       (ts.nsec >= 0 && ts.nsec < 1000000000);
}

long sys_utimensat(struct task *t, const struct args_utimensat *a)
{
	abi_filetimes times;
	struct target g;
	long err;

	if (a->times.raw) {
		err = user_read(t, a->times, times, sizeof(times));
		if (err < 0)
			return err;
		if (times[0].nsec == UTIME_OMIT && times[1].nsec == UTIME_OMIT)
			return 0;
		if (!time_ok(times[0]) || !time_ok(times[1]))
			return -EINVAL;
	}
	if (a->flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!a->path.raw && a->dir != AT_FDCWD) {
		if (a->flags)
			return -EINVAL;
		err = target_fd(t, a->dir, false, &g);
	} else {
		err = target_at(t, a->dir, a->path, a->flags, &g);
	}
	if (err < 0)
		return err;
	return set_times(t, &g, a->times.raw ? times : NULL);
}

/* utimes(2) and futimesat(2): microseconds. */
static long utimes_at(struct task *t, int32_t dir, uaddr_t name, uaddr_t at)
{
	abi_timespec times[2];
	abi_timeval tv[2];
	struct target g;
	long err;

	if (at.raw && user_read(t, at, tv, sizeof(tv)) < 0)
		return -EFAULT;
	for (int i = 0; at.raw && i < 2; i++) {
		if (tv[i].usec < 0 || tv[i].usec >= 1000000)
			return -EINVAL;
		times[i] = (abi_timespec){tv[i].sec, tv[i].usec * 1000};
	}
	err = name.raw || dir == AT_FDCWD ? target_at(t, dir, name, 0, &g)
	                                  : target_fd(t, dir, false, &g);
	return err < 0 ? err : set_times(t, &g, at.raw ? times : NULL);
}

long sys_utimes(struct task *t, const struct args_utimes *a)
{
	return utimes_at(t, AT_FDCWD, a->path, a->times);
}

long sys_futimesat(struct task *t, const struct args_futimesat *a)
{
	return utimes_at(t, a->dir, a->path, a->times);
}

long sys_utime(struct task *t, const struct args_utime *a)
{
	abi_timespec times[2] = {{0}};
	abi_utimbuf buf;
	struct target g;
	long err;

	if (a->times.raw) {
		if (user_read(t, a->times, &buf, sizeof(buf)) < 0)
			return -EFAULT;
		times[0].sec = buf.atime;
		times[1].sec = buf.mtime;
	}
	err = target_at(t, AT_FDCWD, a->path, 0, &g);
	return err < 0 ? err : set_times(t, &g, a->times.raw ? times : NULL);
}
