/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open(2), openat2(2), creat(2).
 *
 * The walk, then O_CREAT or the checks of what exists, then the opening.  A
 * call that made the file and must wait afterwards notes so, and does not
 * stumble over its own file when it runs again.
 */
#include "kernel/syscall.h"

#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/dentry.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/node.h"
#include "kernel/task/cred.h"

#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

/* All that openat2(2) accepts; open(2) drops the others. */
#define FLAGS_KNOWN                                                      \
	((uint64_t)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC |  \
	            O_APPEND | O_NONBLOCK | O_SYNC | FASYNC | O_DIRECT | \
	            O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | \
	            O_CLOEXEC | O_PATH | O_TMPFILE))
#define FLAGS_PATH ((uint64_t)(O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC))

/* t->progress of a call that made the file. */
#define MADE_IT 1u

/* struct open_how, checked and in our words. */
struct how {
	uint32_t flags; /* O_* */
	uint32_t mode;
	uint32_t walk; /* PATH_* */
};

static const struct {
	uint64_t resolve;
	uint32_t walk;
} walks[] = {
	{RESOLVE_NO_XDEV, PATH_NO_XDEV},
	{RESOLVE_NO_MAGICLINKS, PATH_NO_MAGIC},
	{RESOLVE_NO_SYMLINKS, PATH_NO_LINKS},
	{RESOLVE_BENEATH, PATH_BENEATH},
	{RESOLVE_IN_ROOT, PATH_IN_ROOT},
};

static long check_flags(const struct open_how *in)
{
	uint64_t flags = in->flags;

	if (flags & TMPFILE_BIT) {
		if (!(flags & O_DIRECTORY) || (flags & O_CREAT))
			return -EINVAL;
		if ((flags & O_ACCMODE) == O_RDONLY)
			return -EINVAL;
	}
	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return -EINVAL;
	return 0;
}

/* Checks and translates. */
static long translate(const struct open_how *in, struct how *out)
{
	struct how h = {.flags = (uint32_t)in->flags,
	                .mode = (uint32_t)in->mode};
	long err = check_flags(in);

	if (err < 0)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(walks); i++)
		if (in->resolve & walks[i].resolve)
			h.walk |= walks[i].walk;
	if (!(h.flags & O_NOFOLLOW) &&
	    !((h.flags & O_CREAT) && (h.flags & O_EXCL)))
		h.walk |= PATH_FOLLOW;
	if (h.flags & O_DIRECTORY)
		h.walk |= PATH_DIRECTORY;
	*out = h;
	return 0;
}

/* What openat2(2) refuses and open(2) silently mends. */
static long check_strictly(const struct open_how *in)
{
	uint64_t flags = in->flags;
	uint64_t resolve = RESOLVE_CACHED;

	for (size_t i = 0; i < ARRAY_LEN(walks); i++)
		resolve |= walks[i].resolve;
	if ((flags & ~FLAGS_KNOWN) || (in->resolve & ~resolve))
		return -EINVAL;
	if ((in->resolve & RESOLVE_BENEATH) && (in->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if ((flags & (O_CREAT | TMPFILE_BIT)) ? (in->mode & ~07777ull) != 0
	                                      : in->mode != 0)
		return -EINVAL;
	if ((flags & O_PATH) && (flags & ~FLAGS_PATH))
		return -EINVAL;
	/* What is cached is not told from what is not. */
	return in->resolve & RESOLVE_CACHED ? -EAGAIN : 0;
}

/* May the task open what exists in this way? */
static long may_open(struct task *t, const struct path *p, uint32_t flags)
{
	static const int wants[] = {R_OK, W_OK, R_OK | W_OK, R_OK | W_OK};
	struct inode *i = path_inode(p);
	int mask = wants[flags & O_ACCMODE];
	long err;

	if (inode_is(i, S_IFLNK))
		return -ELOOP;
	if (flags & O_TRUNC)
		mask |= W_OK;
	if (inode_is(i, S_IFDIR) && ((mask & W_OK) || (flags & O_CREAT)))
		return -EISDIR;
	err = path_permission(t, p, mask);
	if (err < 0)
		return err;
	if ((flags & O_NOATIME) && !inode_owner_or_capable(i, t))
		return -EPERM;
	return 0;
}

/*
 * open(O_CREAT) of what is there already, in a directory where everyone may
 * put things: a file or FIFO of a stranger may be a trap.
 */
static bool is_trap(const struct task *t, const struct path *p)
{
	const struct inode *i = path_inode(p), *dir;

	if (!p->dentry->parent || p->dentry == p->mount->root ||
	    !(inode_is(i, S_IFREG) || inode_is(i, S_IFIFO)))
		return false;
	dir = p->dentry->parent->inode;
	return (dir->mode & S_ISVTX) && (dir->mode & (S_IWOTH | S_IWGRP)) &&
	       i->uid != dir->uid && i->uid != t->cred->fsuid;
}

/* Walks, and makes the file if that is asked for and must be. */
static long find_or_make(struct task *t, int32_t dir, const char *name,
                         const struct how *h, struct path *out)
{
	struct path_last last;
	struct path p;
	bool excl = (h->flags & O_EXCL) && t->progress != MADE_IT;
	long err;

	err = path_create(t, dir, name, h->walk, &p, &last);
	if (err < 0)
		return err;
	if (last.size > 0) {
		err = node_create(t, &p, &last, S_IFREG | h->mode, 0,
		                  (struct span){0}, out);
		if (err == 0)
			t->progress = MADE_IT;
		path_put(&p);
		return err;
	}
	err = excl ? -EEXIST : 0;
	if (err == 0 && t->progress != MADE_IT && is_trap(t, &p))
		err = -EACCES;
	if (err == 0 && t->progress != MADE_IT)
		err = may_open(t, &p, h->flags);
	if (err < 0)
		path_put(&p);
	else
		*out = p;
	return err;
}

/* A file without a name in the directory the walk leads to. */
static long make_nameless(struct task *t, int32_t dir, const char *name,
                          const struct how *h, struct path *out)
{
	struct path p;
	long err = path_lookup(t, dir, name, h->walk, &p);

	if (err < 0)
		return err;
	err = node_tmpfile(t, &p, h->mode, !(h->flags & O_EXCL), out);
	path_put(&p);
	return err;
}

static long find(struct task *t, int32_t dir, const char *name,
                 const struct how *h, struct path *out)
{
	struct path p;
	long err;

	if (h->flags & O_CREAT)
		return find_or_make(t, dir, name, h, out);
	if (h->flags & TMPFILE_BIT)
		return make_nameless(t, dir, name, h, out);
	err = path_lookup(t, dir, name, h->walk, &p);
	if (err < 0)
		return err;
	err = h->flags & O_PATH ? 0 : may_open(t, &p, h->flags);
	if (err < 0)
		path_put(&p);
	else
		*out = p;
	return err;
}

static long truncate_it(struct task *t, const struct path *p)
{
	struct inode *i = path_inode(p);

	/* Files of /proc, and streams from outside, have no size to cut. */
	if (!inode_is(i, S_IFREG) || !i->ops->change)
		return 0;
	return node_resize(t, p, i, 0);
}

/* The open file, with no number yet. */
static long open_file(struct task *t, int32_t dir, const char *name,
                      const struct how *h, struct file **out)
{
	struct path p;
	long err = find(t, dir, name, h, &p);

	if (err < 0)
		return err;
	err = file_open(t, &p, h->flags, out);
	if (err == 0 && (h->flags & O_TRUNC) && t->progress != MADE_IT) {
		err = truncate_it(t, &p);
		if (err < 0)
			file_put(*out);
	}
	path_put(&p);
	return err;
}

static long open_at(struct task *t, int32_t dir, uaddr_t name,
                    const struct open_how *in)
{
	char *text = t->kernel->fs->name;
	struct file *f;
	struct how h;
	int32_t fd;
	long err;

	err = translate(in, &h);
	if (err < 0)
		return err;
	err = user_string(t, name, text, LIMIT_PATH);
	if (err < 0)
		return err;
	err = fd_reserve(t, 0, 1, &fd);
	if (err < 0)
		return err;
	err = open_file(t, dir, text, &h, &f);
	if (err < 0) {
		fd_release(t, 1, &fd);
		return err;
	}
	fd_install(t, fd, f, h.flags & O_CLOEXEC);
	return fd;
}

/* open(2)'s words: unknown bits go, and a mode without use. */
static long open_plain(struct task *t, int32_t dir, uaddr_t name, int32_t flags,
                       uint32_t mode)
{
	struct open_how how = {.flags = (uint32_t)flags & FLAGS_KNOWN};

	how.flags |= O_LARGEFILE;
	if (how.flags & (O_CREAT | TMPFILE_BIT))
		how.mode = mode & 07777;
	if (how.flags & O_PATH)
		how.flags &= FLAGS_PATH;
	return open_at(t, dir, name, &how);
}

long sys_open(struct task *t, const struct args_open *a)
{
	return open_plain(t, AT_FDCWD, a->path, a->flags, a->mode);
}

long sys_openat(struct task *t, const struct args_openat *a)
{
	return open_plain(t, a->dir, a->path, a->flags, a->mode);
}

long sys_creat(struct task *t, const struct args_creat *a)
{
	return open_plain(t, AT_FDCWD, a->path, O_CREAT | O_WRONLY | O_TRUNC,
	                  a->mode);
}

/* Of a structure longer than we know, the rest must be zero. */
static long check_tail(struct task *t, uaddr_t at, uint64_t size)
{
	uint8_t byte;

	for (uint64_t i = sizeof(struct open_how); i < size; i++) {
		if (user_read(t, uaddr_add(at, i), &byte, 1) < 0)
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return 0;
}

long sys_openat2(struct task *t, const struct args_openat2 *a)
{
	struct open_how how;
	long err;

	if (a->size < sizeof(how))
		return -EINVAL;
	if (a->size > 4096)
		return -E2BIG;
	err = check_tail(t, a->how, a->size);
	if (err == 0)
		err = user_read(t, a->how, &how, sizeof(how));
	if (err == 0)
		err = check_strictly(&how);
	if (err < 0)
		return err;
	return open_at(t, a->dir, a->path, &how);
}
