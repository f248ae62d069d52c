/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inode: a file as its file system knows it, without a name.
 *
 * A file system fills in the attributes and an operations table.  Names are
 * dentries (dentry.h); permission checks, symbolic links, mounts and the
 * negative cache are done above (path.h), so operations only do the thing.
 *
 * Any operation that takes a task may return -EWAIT with the task's job under
 * way; the whole system call then runs again.
 */
#pragma once

#include "base/span.h"
#include "channel/abi.h"
#include "kernel/core/kernel.h"
#include "kernel/core/waitq.h"
#include "kernel/task/task.h"

struct cred;
struct dentry;
struct dirsink;
struct file;
struct file_ops;
struct inode;
struct path;
struct superblock;

/* What chmod, chown, utimensat and truncate change. */
#define INODE_SET_MODE  1u
#define INODE_SET_UID   2u
#define INODE_SET_GID   4u
#define INODE_SET_SIZE  8u
#define INODE_SET_ATIME 16u
#define INODE_SET_MTIME 32u

struct inode_change {
	uint32_t which; /* INODE_SET_* */
	uint32_t mode, uid, gid;
	uint64_t size;
	abi_timespec atime, mtime;
};

/* A new object as mknod, mkdir, symlink and open(O_CREAT) want it. */
struct inode_new {
	uint32_t mode; /* S_IFMT and permissions, as they will be */
	uint32_t uid, gid;
	uint64_t rdev;
	struct span target; /* of a symbolic link */
};

struct inode_ops {
	/* Directories.  A missing one is -ENOTDIR, -EPERM or -EROFS.
	 * lookup: a new reference in *out, or -ENOENT. */
	long (*lookup)(struct inode *dir, struct task *t, struct span name,
	               struct inode **out);
	long (*create)(struct inode *dir, struct task *t, struct span name,
	               const struct inode_new *how, struct inode **out);
	long (*link)(struct inode *dir, struct task *t, struct span name,
	             struct inode *target);
	/* unlink and rmdir: `what` is what the name stands for now. */
	long (*unlink)(struct inode *dir, struct task *t, struct span name,
	               struct inode *what);
	long (*rmdir)(struct inode *dir, struct task *t, struct span name,
	              struct inode *what);
	/* `over` is what `to` stands for now, or NULL.  flags: RENAME_*. */
	long (*rename)(struct inode *dir, struct task *t, struct span name,
	               struct inode *to_dir, struct span to, uint32_t flags);
	/* Without a name: O_TMPFILE. */
	long (*tmpfile)(struct inode *dir, struct task *t,
	                const struct inode_new *how, struct inode **out);

	/* The target, without NUL, at most `room` bytes; returns its size. */
	long (*readlink)(struct inode *i, struct task *t, char *to,
	                 size_t room);
	/*
	 * Links of /proc that lead straight to an object.  Fills *out with a
	 * path the walk goes on from.
	 */
	long (*jump)(struct inode *i, struct task *t, struct path *out);

	/* Brings i's attributes up to date.  Missing: they always are.  Callers
	 * use inode_refresh(). */
	long (*refresh)(struct inode *i, struct task *t);
	long (*change)(struct inode *i, struct task *t,
	               const struct inode_change *c);
	/*
	 * Completes a description for this inode: sets f->ops, f->private,
	 * f->mode's FILE_SEEKABLE.  O_TRUNC is done by the caller.
	 */
	long (*open)(struct inode *i, struct task *t, struct file *f);

	long (*getxattr)(struct inode *i, struct task *t, struct span name,
	                 void *to, size_t room);
	long (*setxattr)(struct inode *i, struct task *t, struct span name,
	                 struct span value, int flags);
	long (*listxattr)(struct inode *i, struct task *t, char *to,
	                  size_t room);
	long (*removexattr)(struct inode *i, struct task *t, struct span name);

	/* Overrides the mode bits' answer: 0 or -EACCES; mask is R/W/X_OK. */
	long (*permission)(struct inode *i, struct task *t, int mask);

	/* The last reference has gone: free what `private` holds. */
	void (*destroy)(struct inode *i);
};

/*
 * Extended attributes that mean something to us, and that the inode may have:
 * whoever is about to look for one need not where the bit is off.
 */
#define INODE_MAY_ACL     1u /* system.posix_acl_access; posixacl.h */
#define INODE_MAY_DEFAULT 2u /* system.posix_acl_default */
#define INODE_MAY_CAPS    4u /* security.capability; filecap.h */
#define INODE_MAY_ALL     7u

struct inode {
	const struct inode_ops *ops;
	struct superblock *sb;
	uint32_t refs;
	uint32_t mode; /* S_IFMT and permissions */
	uint32_t uid, gid;
	uint64_t ino;
	uint32_t nlink;
	uint8_t may_have; /* INODE_MAY_* */
	uint64_t size;
	uint64_t blocks; /* of 512 bytes */
	uint64_t rdev;
	abi_timespec atime, mtime, ctime, btime;
	void *private;

	struct list locks; /* kernel/fs/lock.c */
	struct waitq lock_wait;
	struct list marks;    /* kernel/fs/inotify.c */
	struct pipe *fifo;    /* kernel/fs/pipe.c, for named pipes */
	struct socket *bound; /* kernel/net: AF_UNIX bound here */
	int32_t writers;      /* open for writing; ETXTBSY */
	int32_t denied;       /* running programs; ETXTBSY */
};

/* What differs between file systems as wholes. */
struct superblock_ops {
	const char *name; /* "tmpfs", as in /proc/mounts */
	long (*statfs)(struct superblock *sb, struct task *t, abi_statfs *out);
	long (*sync)(struct superblock *sb, struct task *t);
	/* Four times a second, while guests run; may be NULL. */
	void (*look)(struct superblock *sb);
	void (*destroy)(struct superblock *sb);
};

#define SUPERBLOCK_CACHE_FOREVER 0
#define SUPERBLOCK_NO_CACHE      1 /* look names up anew each time */

struct superblock {
	const struct superblock_ops *ops;
	struct kernel *kernel;
	uint32_t refs;              /* mounts and the like; not inodes */
	uint32_t inode_count;       /* inodes there are */
	uint64_t dev;               /* st_dev: anonymous device number */
	struct inode *root;         /* owns a reference; the creator sets it */
	struct dentry *root_dentry; /* dentry.c's; borrowed */
	uint64_t next_ino;
	bool read_only;
	bool host_writes; /* the host knows sizes: cells may write */
	bool no_leases;   /* cells may not even read by themselves */
	uint32_t cache;   /* SUPERBLOCK_* or milliseconds a name is believed */
	uint32_t magic;   /* statfs.type */
	void *private;
};

/*
 * A new inode of a file system, charged to its kernel: refs 1, nlink 1, times
 * now, ino the next free one.  NULL when there is no memory.  The
 * superblock lives until its inodes have gone.
 */
must_check struct inode *inode_create(struct superblock *sb,
                                      const struct inode_ops *ops,
                                      uint32_t mode);
struct inode *inode_get(struct inode *i);

/* Drops a reference; with the last one: locks, marks, destroy(). */
void inode_put(struct inode *i); /* accepts NULL */

must_check struct superblock *inode_superblock_create(
	struct kernel *k, const struct superblock_ops *ops, uint32_t magic);
struct superblock *inode_superblock_get(struct superblock *sb);
void inode_superblock_put(struct superblock *sb); /* accepts NULL */

/* One inode less; for inode.c. */
void inode_superblock_forget(struct superblock *sb);

/* Brings the attributes up to date.  0, or an error, -EWAIT among them. */
must_check long inode_refresh(struct inode *i, struct task *t);

/*
 * Changes attributes, with no check of permission; ctime is the file system's
 * business.  -EPERM if the file system cannot.
 */
must_check long inode_change(struct inode *i, struct task *t,
                             const struct inode_change *c);

/* An attribute of that name is there now, or is not: for file systems. */
void inode_note_attr(struct inode *i, struct span name, bool there);

/*
 * Discretionary permission by access control list, mode bits and capabilities
 * (or the file system's own rule): R_OK | W_OK | X_OK.  0 or -EACCES, or what
 * reading the list failed with.
 */
must_check long inode_permission(struct inode *i, struct task *t, int mask);

/* The mode bits' and capabilities' part of it, for a permission() of one's
 * own. */
must_check long inode_permission_bits(const struct inode *i,
                                      const struct cred *c, int mask);

/* The capabilities' part alone, for who has no permission otherwise. */
must_check long inode_permission_override(const struct inode *i,
                                          const struct cred *c, int mask);

/* Does the task own it, or have CAP_FOWNER? */
bool inode_owner_or_capable(const struct inode *i, const struct task *t);

/* CLOCK_REALTIME now. */
abi_timespec inode_now(void);

/* struct stat of an inode whose attributes are up to date. */
void inode_stat(const struct inode *i, abi_stat *out);

static inline bool inode_is(const struct inode *i, uint32_t type)
{
	return (i->mode & 0170000) == type;
}

/*
 * The receiver of directory entries.  add() returns false when the buffer is
 * full; the entry was not taken then, and readdir stops before it.  `next` is
 * the position of the entry after this one; the receiver puts it into f->pos.
 *
 * "." and ".." (positions 0 and 1) come from the caller of readdir: a file
 * system's own entries begin at f->pos == 2 and it leaves those two out.
 */
struct dirsink {
	bool (*add)(struct dirsink *s, struct span name, uint64_t ino,
	            uint8_t type, int64_t next);
};
