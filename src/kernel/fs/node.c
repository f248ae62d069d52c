/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/node.h"

#include <linux/fs.h>
#include <linux/inotify.h>
#include <sys/stat.h>

#include "kernel/fs/inotify.h"
#include "kernel/task/cred.h"

static struct span name_of(const struct path_last *last)
{
	return (struct span){(const uint8_t *)last->name, last->size};
}

static bool is_dot(const struct path_last *last)
{
	return span_is(name_of(last), ".");
}

static bool is_dotdot(const struct path_last *last)
{
	return span_is(name_of(last), "..");
}

/* Does the name stand for an entry, not for the root, "." or ".."? */
static bool is_entry(const struct path_last *last)
{
	return last->size > 0 && !is_dot(last) && !is_dotdot(last);
}

/* May the task add and remove names here? */
static long may_change(struct task *t, const struct path *dir)
{
	if (dir->dentry->deleted)
		return -ENOENT;
	return path_permission(t, dir, W_OK | X_OK);
}

/* May it take away this name, which exists?  Sticky directories say no. */
static long may_remove(struct task *t, const struct inode *dir,
                       const struct inode *i)
{
	uint32_t uid = t->cred->fsuid;

	if (!(dir->mode & S_ISVTX) || uid == i->uid || uid == dir->uid ||
	    cred_capable(t->cred, CRED_CAP_FOWNER))
		return 0;
	return -EPERM;
}

/* Owner, group and mode of a new object. */
static struct inode_new describe(struct task *t, const struct inode *dir,
                                 uint32_t mode)
{
	struct inode_new how = {
		.mode = mode,
		.uid = t->cred->fsuid,
		.gid = t->cred->fsgid,
	};

	if ((mode & S_IFMT) != S_IFLNK)
		how.mode &= ~t->fs->umask;
	if (dir->mode & S_ISGID) {
		how.gid = dir->gid;
		if ((mode & S_IFMT) == S_IFDIR)
			how.mode |= S_ISGID;
	}
	return how;
}

/*
 * The negative dentry of a name that is to be made; references, or an error.
 */
static long free_name(struct task *t, const struct path *dir,
                      const struct path_last *last, bool is_dir,
                      struct dentry **out)
{
	struct dentry *d;
	long err;

	if (!is_entry(last))
		return -EEXIST;
	err = dentry_lookup(t, dir->dentry, name_of(last), &d);
	if (err < 0)
		return err;
	if (d->inode)
		err = -EEXIST;
	else if (last->slash && !is_dir)
		err = -ENOENT;
	else
		err = may_change(t, dir);
	if (err < 0)
		dentry_put(d);
	else
		*out = d;
	return err;
}

long node_create(struct task *t, const struct path *dir,
                 const struct path_last *last, uint32_t mode, uint64_t rdev,
                 struct span target, struct path *out)
{
	bool is_dir = (mode & S_IFMT) == S_IFDIR;
	struct inode *i = path_inode(dir), *made;
	struct inode_new how;
	struct dentry *d;
	long err;

	err = free_name(t, dir, last, is_dir, &d);
	if (err < 0)
		return err;
	how = describe(t, i, mode);
	how.rdev = rdev;
	how.target = target;
	err = i->ops->create ? i->ops->create(i, t, name_of(last), &how, &made)
	                     : -EPERM;
	if (err < 0) {
		dentry_put(d);
		return err;
	}
	dentry_fill(d, made);
	inotify_entry(i, IN_CREATE, 0, name_of(last), is_dir);
	if (out) {
		*out = (struct path){dir->mount, d};
		path_get(out);
	}
	dentry_put(d);
	return 0;
}

/* May another name be made for it? */
static long may_link(const struct path *from, const struct path *dir)
{
	struct inode *i = path_inode(from);

	if (from->mount != dir->mount)
		return -EXDEV;
	if (i->nlink == 0 && !from->dentry->linkable)
		return -ENOENT;
	return inode_is(i, S_IFDIR) ? -EPERM : 0;
}

long node_link(struct task *t, const struct path *from, const struct path *dir,
               const struct path_last *last)
{
	struct inode *i = path_inode(dir), *target = path_inode(from);
	struct dentry *d;
	long err;

	err = free_name(t, dir, last, false, &d);
	if (err < 0)
		return err;
	err = may_link(from, dir);
	if (err == 0)
		err = i->ops->link ? i->ops->link(i, t, name_of(last), target)
		                   : -EPERM;
	if (err == 0) {
		dentry_fill(d, inode_get(target));
		from->dentry->linkable = false;
		inotify_dentry(from->dentry, IN_ATTRIB);
		inotify_entry(i, IN_CREATE, 0, name_of(last), false);
	}
	dentry_put(d);
	return err;
}

/* All that keeps a name from being removed but permission. */
static long removable(const struct dentry *d, const struct path_last *last,
                      bool rmdir)
{
	bool is_dir;

	if (!d->inode)
		return -ENOENT;
	is_dir = inode_is(d->inode, S_IFDIR);
	if (rmdir && !is_dir)
		return -ENOTDIR;
	if (!rmdir && is_dir)
		return -EISDIR;
	if (last->slash && !is_dir)
		return -ENOTDIR;
	return d->mounts ? -EBUSY : 0;
}

long node_unlink(struct task *t, const struct path *dir,
                 const struct path_last *last, bool rmdir)
{
	struct inode *i = path_inode(dir);
	long (*op)(struct inode *, struct task *, struct span, struct inode *);
	struct dentry *d;
	long err;

	if (!rmdir && !is_entry(last))
		return -EISDIR;
	if (!is_entry(last))
		return is_dot(last) ? -EINVAL
		                    : (is_dotdot(last) ? -ENOTEMPTY : -EBUSY);
	if (mount_is_readonly(dir))
		return -EROFS;
	err = dentry_lookup(t, dir->dentry, name_of(last), &d);
	if (err < 0)
		return err;
	err = d->inode ? may_change(t, dir) : -ENOENT;
	if (err == 0)
		err = may_remove(t, i, d->inode);
	if (err == 0)
		err = removable(d, last, rmdir);
	op = rmdir ? i->ops->rmdir : i->ops->unlink;
	if (err == 0)
		err = op ? op(i, t, name_of(last), d->inode) : -EPERM;
	if (err == 0) {
		dentry_delete(d);
		inotify_entry(i, IN_DELETE, 0, name_of(last), rmdir);
		if (!rmdir)
			inotify_dentry_self(d, IN_ATTRIB);
	}
	dentry_put(d);
	return err;
}

/* One rename, with all that was looked up for it. */
struct renaming {
	struct task *t;
	const struct path *from_dir, *to_dir;
	const struct path_last *from_last, *to_last;
	struct dentry *from, *to;
	uint32_t flags;
};

static long check_kinds(const struct renaming *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;
	bool from_dir, to_dir;

	if (!r->from->inode)
		return -ENOENT;
	if (r->to->inode ? (r->flags & RENAME_NOREPLACE) != 0 : exchange)
		return r->to->inode ? -EEXIST : -ENOENT;
	from_dir = inode_is(r->from->inode, S_IFDIR);
	to_dir = r->to->inode && inode_is(r->to->inode, S_IFDIR);
	if (!from_dir &&
	    (r->from_last->slash || (!exchange && r->to_last->slash)))
		return -ENOTDIR;
	if (exchange && !to_dir && r->to_last->slash)
		return -ENOTDIR;
	if (dentry_is_below(r->to_dir->dentry, r->from))
		return -EINVAL;
	if (dentry_is_below(r->from_dir->dentry, r->to))
		return exchange ? -EINVAL : -ENOTEMPTY;
	if (r->to->inode && !exchange && from_dir != to_dir)
		return from_dir ? -ENOTDIR : -EISDIR;
	return r->from->mounts || r->to->mounts ? -EBUSY : 0;
}

/* A directory that gets another parent must be writable itself. */
static long may_reparent(const struct renaming *r, const struct dentry *d)
{
	if (!inode_is(d->inode, S_IFDIR) ||
	    r->from_dir->dentry == r->to_dir->dentry)
		return 0;
	return inode_permission(d->inode, r->t, W_OK);
}

static long check_permission(const struct renaming *r)
{
	struct task *t = r->t;
	long err;

	err = may_change(t, r->from_dir);
	if (err == 0)
		err = may_change(t, r->to_dir);
	if (err == 0)
		err = may_remove(t, path_inode(r->from_dir), r->from->inode);
	if (err == 0 && r->to->inode)
		err = may_remove(t, path_inode(r->to_dir), r->to->inode);
	if (err == 0)
		err = may_reparent(r, r->from);
	if (err == 0 && (r->flags & RENAME_EXCHANGE))
		err = may_reparent(r, r->to);
	return err;
}

static void tell_one(const struct renaming *r, struct dentry *d, bool back)
{
	uint32_t cookie = inotify_cookie(r->t->kernel);
	bool is_dir = inode_is(d->inode, S_IFDIR);
	struct inode *from = path_inode(back ? r->to_dir : r->from_dir);
	struct inode *to = path_inode(back ? r->from_dir : r->to_dir);

	inotify_entry(from, IN_MOVED_FROM, cookie,
	              name_of(back ? r->to_last : r->from_last), is_dir);
	inotify_entry(to, IN_MOVED_TO, cookie,
	              name_of(back ? r->from_last : r->to_last), is_dir);
	inotify_dentry_self(d, IN_MOVE_SELF);
}

static long rename_found(const struct renaming *r)
{
	struct inode *dir = path_inode(r->from_dir);
	long err;

	err = check_kinds(r);
	if (err < 0)
		return err;
	err = check_permission(r);
	if (err < 0)
		return err;
	/* Two names of one file: nothing is to be done. */
	if (r->from->inode == r->to->inode)
		return 0;
	if (!dir->ops->rename)
		return -EPERM;
	err = dir->ops->rename(dir, r->t, name_of(r->from_last),
	                       path_inode(r->to_dir), name_of(r->to_last),
	                       r->flags);
	if (err < 0)
		return err;

	/* Nothing below can fail. */
	if (r->flags & RENAME_EXCHANGE) {
		dentry_exchange(r->from, r->to);
		tell_one(r, r->to, true);
	} else {
		dentry_move(r->from, r->to);
		if (r->to->inode)
			inotify_dentry_self(r->to, IN_ATTRIB);
	}
	tell_one(r, r->from, false);
	return 0;
}

long node_rename(struct task *t, const struct path *from_dir,
                 const struct path_last *from, const struct path *to_dir,
                 const struct path_last *to, uint32_t flags)
{
	struct renaming r = {
		.t = t,
		.from_dir = from_dir,
		.to_dir = to_dir,
		.from_last = from,
		.to_last = to,
		.flags = flags,
	};
	long err;

	if (from_dir->mount != to_dir->mount)
		return -EXDEV;
	if (!is_entry(from))
		return -EBUSY;
	if (!is_entry(to))
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (mount_is_readonly(from_dir))
		return -EROFS;
	err = dentry_lookup(t, from_dir->dentry, name_of(from), &r.from);
	if (err < 0)
		return err;
	err = dentry_lookup(t, to_dir->dentry, name_of(to), &r.to);
	if (err == 0)
		err = rename_found(&r);
	dentry_put(r.to);
	dentry_put(r.from);
	return err;
}

long node_tmpfile(struct task *t, const struct path *dir, uint32_t mode,
                  bool linkable, struct path *out)
{
	struct inode *i = path_inode(dir), *made;
	struct inode_new how = describe(t, i, S_IFREG | mode);
	struct dentry *d;
	long err;

	err = may_change(t, dir);
	if (err < 0)
		return err;
	if (!i->ops->tmpfile)
		return -EOPNOTSUPP;
	err = i->ops->tmpfile(i, t, &how, &made);
	if (err < 0)
		return err;
	d = dentry_unlinked(dir->dentry, made);
	inode_put(made);
	if (!d)
		return -ENOMEM;
	d->linkable = linkable;
	*out = (struct path){mount_get(dir->mount), d};
	return 0;
}

long node_change(struct task *t, const struct path *p, struct inode *i,
                 const struct inode_change *c)
{
	bool times = c->which & (INODE_SET_ATIME | INODE_SET_MTIME);
	bool other = c->which &
	             ~(INODE_SET_ATIME | INODE_SET_MTIME | INODE_SET_SIZE);
	long err;

	if (mount_is_readonly(p))
		return -EROFS;
	err = inode_change(i, t, c);
	if (err < 0)
		return err;
	if (c->which & INODE_SET_SIZE)
		inotify_dentry(p->dentry, IN_MODIFY);
	if (times || other)
		inotify_dentry(p->dentry, IN_ATTRIB);
	return 0;
}

void node_written(struct task *t, struct file *f)
{
	struct inode *i = f->inode;
	struct inode_change c = {.which = INODE_SET_MODE};

	inotify_file(f, IN_MODIFY);
	if (!i || !inode_is(i, S_IFREG) || !(i->mode & (S_ISUID | S_ISGID)) ||
	    cred_capable(t->cred, CRED_CAP_FSETID))
		return;
	c.mode = i->mode & ~(uint32_t)S_ISUID;
	if (i->mode & S_IXGRP)
		c.mode &= ~(uint32_t)S_ISGID;
	/* A file system that has to wait for this keeps them this time. */
	if (c.mode != i->mode)
		(void)!inode_change(i, t, &c);
}
