/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/node.h"

#include <linux/fs.h>
#include <linux/inotify.h>
#include <sys/stat.h>

#include "kernel/fs/filecap.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/posixacl.h"
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

/* The dentry of a name; in a directory that was removed there is none. */
static long find(struct task *t, const struct path *dir,
                 const struct path_last *last, struct dentry **out)
{
	if (dir->dentry->deleted)
		return -ENOENT;
	return dentry_lookup(t, dir->dentry, name_of(last), out);
}

/* May the task add a name here? */
static long may_add(struct task *t, const struct path *dir)
{
	return path_permission(t, dir, W_OK | X_OK);
}

/* Sticky directories let only owners take names away. */
static bool is_sticky(const struct task *t, const struct inode *dir,
                      const struct inode *i)
{
	uint32_t uid = t->cred->fsuid;

	return (dir->mode & S_ISVTX) && uid != i->uid && uid != dir->uid &&
	       !cred_capable(t->cred, CRED_CAP_FOWNER);
}

/* May it take this name away, expecting a directory or not? */
static long may_delete(struct task *t, const struct path *dir,
                       const struct dentry *d, bool is_dir)
{
	long err = path_permission(t, dir, W_OK | X_OK);

	if (err < 0)
		return err;
	if (is_sticky(t, path_inode(dir), d->inode))
		return -EPERM;
	if (inode_is(d->inode, S_IFDIR) != is_dir)
		return is_dir ? -ENOTDIR : -EISDIR;
	return 0;
}

/*
 * Owner, group and mode of a new object, which has the mode that was asked for.
 * What lists it inherits is the caller's to hand on.
 */
static long describe(struct task *t, struct inode *dir, struct inode_new *how,
                     struct posixacl_heritage *heritage)
{
	how->uid = t->cred->fsuid;
	how->gid = t->cred->fsgid;
	if (dir->mode & S_ISGID) {
		how->gid = dir->gid;
		if (S_ISDIR(how->mode))
			how->mode |= S_ISGID;
	}
	return posixacl_inherit(dir, t, &how->mode, heritage);
}

/* Makes a thing with that name. */
static long make(struct task *t, const struct path *dir, struct span name,
                 struct inode_new *how, struct inode **out)
{
	struct inode *i = path_inode(dir);
	struct posixacl_heritage heritage = {0};
	bool is_dir = S_ISDIR(how->mode);
	long err = may_add(t, dir);

	if (err == 0 && !i->ops->create)
		err = -EPERM;
	if (err == 0)
		err = describe(t, i, how, &heritage);
	if (err == 0)
		err = i->ops->create(i, t, name, how, out);
	if (err < 0) {
		posixacl_disown(&heritage);
		return err;
	}
	err = posixacl_bequeath(*out, t, &heritage);
	if (err < 0) {
		long (*undo)(struct inode *, struct task *, struct span,
		             struct inode *) = is_dir ? i->ops->rmdir
		                                      : i->ops->unlink;

		(void)!undo(i, t, name, *out);
		inode_put(*out);
	}
	return err;
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
	err = find(t, dir, last, &d);
	if (err < 0)
		return err;
	if (d->inode)
		err = -EEXIST;
	else if (last->slash && !is_dir)
		err = -ENOENT;
	else if (mount_is_readonly(dir))
		err = -EROFS;
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
	struct inode_new how = {.mode = mode, .rdev = rdev, .target = target};
	struct inode *made = NULL;
	struct dentry *d;
	long err;

	err = free_name(t, dir, last, is_dir, &d);
	if (err < 0)
		return err;
	err = make(t, dir, name_of(last), &how, &made);
	if (err < 0) {
		dentry_put(d);
		return err;
	}
	dentry_fill(d, made);
	inotify_entry(path_inode(dir), IN_CREATE, 0, name_of(last), is_dir);
	if (out) {
		*out = (struct path){dir->mount, d};
		path_get(out);
	}
	dentry_put(d);
	return 0;
}

/*
 * Names for others' files could keep a program with a hole alive, or trick a
 * program of theirs: one must be able to read and write the file, or own it.
 */
static bool is_others(struct task *t, struct inode *i)
{
	if (inode_owner_or_capable(i, t))
		return false;
	if (!inode_is(i, S_IFREG) || (i->mode & S_ISUID) ||
	    (i->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		return true;
	return inode_permission(i, t, R_OK | W_OK) < 0;
}

/* May another name be made for it? */
static long may_link(struct task *t, const struct path *from,
                     const struct path *dir)
{
	struct inode *i = path_inode(from);
	long err;

	if (from->mount != dir->mount)
		return -EXDEV;
	if (is_others(t, i))
		return -EPERM;
	err = may_add(t, dir);
	if (err < 0)
		return err;
	if (inode_is(i, S_IFDIR))
		return -EPERM;
	return i->nlink == 0 && !from->dentry->linkable ? -ENOENT : 0;
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
	err = may_link(t, from, dir);
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

/* All that keeps a name from being removed. */
static long removable(struct task *t, const struct path *dir,
                      const struct dentry *d, const struct path_last *last,
                      bool rmdir)
{
	long err;

	if (!d->inode)
		return -ENOENT;
	if (!rmdir && last->slash)
		return inode_is(d->inode, S_IFDIR) ? -EISDIR : -ENOTDIR;
	err = may_delete(t, dir, d, rmdir);
	if (err < 0)
		return err;
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
	err = find(t, dir, last, &d);
	if (err < 0)
		return err;
	err = removable(t, dir, d, last, rmdir);
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
	return 0;
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
	bool exchange = r->flags & RENAME_EXCHANGE;
	bool is_dir = inode_is(r->from->inode, S_IFDIR);
	bool to_dir = r->to->inode && inode_is(r->to->inode, S_IFDIR);
	long err;

	err = may_delete(r->t, r->from_dir, r->from, is_dir);
	if (err < 0)
		return err;
	err = r->to->inode ? may_delete(r->t, r->to_dir, r->to,
	                                exchange ? to_dir : is_dir)
	                   : may_add(r->t, r->to_dir);
	if (err < 0)
		return err;
	if (!path_inode(r->from_dir)->ops->rename)
		return -EPERM;
	err = may_reparent(r, r->from);
	if (err == 0 && exchange)
		err = may_reparent(r, r->to);
	if (err < 0)
		return err;
	return r->from->mounts || r->to->mounts ? -EBUSY : 0;
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
	/* Two names of one file: nothing is to be done. */
	if (r->from->inode == r->to->inode)
		return 0;
	err = check_permission(r);
	if (err < 0)
		return err;
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
	err = find(t, from_dir, from, &r.from);
	if (err < 0)
		return err;
	err = find(t, to_dir, to, &r.to);
	if (err == 0)
		err = rename_found(&r);
	dentry_put(r.to);
	dentry_put(r.from);
	return err;
}

long node_tmpfile(struct task *t, const struct path *dir, uint32_t mode,
                  bool linkable, struct path *out)
{
	struct inode_new how = {.mode = S_IFREG | mode};
	struct inode *i = path_inode(dir), *made = NULL;
	struct posixacl_heritage heritage = {0};
	struct dentry *d;
	long err;

	if (dir->dentry->deleted)
		return -ENOENT;
	err = may_add(t, dir);
	if (err < 0)
		return err;
	if (!i->ops->tmpfile)
		return -EOPNOTSUPP;
	err = describe(t, i, &how, &heritage);
	if (err == 0)
		err = i->ops->tmpfile(i, t, &how, &made);
	if (err < 0) {
		posixacl_disown(&heritage);
		return err;
	}
	err = posixacl_bequeath(made, t, &heritage);
	d = err == 0 ? dentry_unlinked(dir->dentry, made) : NULL;
	inode_put(made);
	if (!d)
		return err < 0 ? err : -ENOMEM;
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
	if (err == 0 && (c->which & INODE_SET_MODE) &&
	    (i->may_have & INODE_MAY_ACL))
		err = posixacl_chmod(i, t);
	if (err < 0)
		return err;
	if (c->which & INODE_SET_SIZE)
		inotify_dentry(p->dentry, IN_MODIFY);
	if (times || other)
		inotify_dentry(p->dentry, IN_ATTRIB);
	return 0;
}

/* The mode without set-id bits that a writer must not keep. */
static uint32_t stripped(const struct task *t, const struct inode *i)
{
	uint32_t mode = i->mode & ~(uint32_t)S_ISUID;

	if (cred_capable(t->cred, CRED_CAP_FSETID))
		return i->mode;
	return mode & S_IXGRP ? mode & ~(uint32_t)S_ISGID : mode;
}

long node_resize(struct task *t, const struct path *p, struct inode *i,
                 uint64_t size)
{
	struct inode_change c = {.which = INODE_SET_SIZE, .size = size};

	long err = filecap_strip(i, t);

	if (err < 0)
		return err;
	c.mode = stripped(t, i);
	if (c.mode != i->mode)
		c.which |= INODE_SET_MODE;
	return node_change(t, p, i, &c);
}

void node_written(struct task *t, struct file *f)
{
	struct inode *i = f->inode;
	struct inode_change c = {.which = INODE_SET_MODE};

	inotify_file(f, IN_MODIFY);
	if (!i || !inode_is(i, S_IFREG) ||
	    !((i->mode & (S_ISUID | S_ISGID)) ||
	      (i->may_have & INODE_MAY_CAPS)))
		return;
	/* A file system that has to wait for this keeps them this time. */
	(void)!filecap_strip(i, t);
	c.mode = stripped(t, i);
	if (c.mode != i->mode)
		(void)!inode_change(i, t, &c);
}
