/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk.  It holds references to where it is and lets the old place go only
 * when it has the new one.  A symbolic link replaces the rest of the string by
 * its target followed by that rest, so nothing recurses.
 */
#include "kernel/fs/path.h"

#include <linux/fcntl.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/dentry.h"
#include "kernel/fs/fd.h"
#include "kernel/task/cred.h"

void path_get(const struct path *p)
{
	if (!p->dentry)
		return;
	mount_get(p->mount);
	dentry_get(p->dentry);
}

void path_put(struct path *p)
{
	struct path old = *p;

	*p = (struct path){0};
	dentry_put(old.dentry);
	mount_put(old.mount);
}

struct inode *path_inode(const struct path *p)
{
	return p->dentry ? p->dentry->inode : NULL;
}

/* Where a walk stops. */
enum stop {
	AT_END,    /* at what the whole name stands for */
	AT_PARENT, /* before the last component */
	AT_FREE,   /* before it only if there is no such file; open(O_CREAT) */
};

struct walk {
	struct task *t;
	uint32_t flags; /* PATH_* */
	enum stop stop;
	unsigned links; /* followed so far */
	struct path at;
	struct path root;
	const char *rest; /* of the name */
	char *target;     /* what `rest` points into, after a link */
	struct path_last *last;
};

/* Takes over the references of `to`. */
static void move(struct walk *w, struct path to)
{
	struct path old = w->at;

	w->at = to;
	path_put(&old);
}

/* Goes from a place to the root of what is mounted there.  True if so. */
static bool cross(struct path *p)
{
	bool crossed = false;
	struct mount *m;

	while (p->dentry->mounts && (m = mount_over(p))) {
		struct path up = {m, m->root};

		path_get(&up);
		path_put(p);
		*p = up;
		crossed = true;
	}
	return crossed;
}

static bool at_root(const struct walk *w)
{
	return w->at.dentry == w->root.dentry && w->at.mount == w->root.mount;
}

static long go_up(struct walk *w)
{
	struct path to = w->at;

	if (at_root(w))
		return w->flags & PATH_BENEATH ? -EXDEV : 0;
	while (to.dentry == to.mount->root && to.mount->parent) {
		if (w->flags & PATH_NO_XDEV)
			return -EXDEV;
		to = (struct path){to.mount->parent, to.mount->point};
		if (to.dentry == w->root.dentry && to.mount == w->root.mount)
			break;
	}
	if ((to.dentry != w->root.dentry || to.mount != w->root.mount) &&
	    to.dentry->parent)
		to.dentry = to.dentry->parent;
	path_get(&to);
	if (cross(&to) && (w->flags & PATH_NO_XDEV)) {
		path_put(&to);
		return -EXDEV;
	}
	move(w, to);
	return 0;
}

/* May the task go through this directory? */
static long search(struct walk *w)
{
	struct inode *i = w->at.dentry->inode;

	if (!inode_is(i, S_IFDIR))
		return -ENOTDIR;
	if (!i->ops->permission && (i->mode & 0111) == 0111 &&
	    !(i->may_have & INODE_MAY_ACL))
		return 0;
	return inode_permission(i, w->t, X_OK);
}

static long start(struct walk *w, int32_t dir, const char *name)
{
	struct fsctx *fs = w->t->fs;
	struct file *f;

	w->rest = name;
	w->root = fs->root;
	if (*name == '/' && !(w->flags & PATH_IN_ROOT)) {
		if (w->flags & PATH_BENEATH)
			return -EXDEV;
		w->at = fs->root;
		path_get(&w->at);
	} else if (dir == AT_FDCWD) {
		w->at = fs->cwd;
		path_get(&w->at);
	} else {
		f = fd_get_path(w->t, dir);
		if (!f)
			return -EBADF;
		w->at = f->path;
		path_get(&w->at);
		file_put(f);
		if (!w->at.dentry)
			return *name ? -ENOTDIR : -ENOENT;
		if (*name && !inode_is(path_inode(&w->at), S_IFDIR)) {
			path_put(&w->at);
			return -ENOTDIR;
		}
	}
	if (w->flags & (PATH_IN_ROOT | PATH_BENEATH))
		w->root = w->at;
	path_get(&w->root);
	return 0;
}

static void finish(struct walk *w)
{
	free(w->target);
	path_put(&w->root);
	path_put(&w->at);
}

/* A link of /proc that leads straight somewhere. */
static long jump(struct walk *w, struct inode *i)
{
	struct path to = {0};
	long err;

	if (w->flags & PATH_NO_MAGIC)
		return -ELOOP;
	if (w->flags & (PATH_BENEATH | PATH_IN_ROOT))
		return -EXDEV;
	err = i->ops->jump(i, w->t, &to);
	if (err < 0)
		return err;
	if ((w->flags & PATH_NO_XDEV) && to.mount != w->at.mount) {
		path_put(&to);
		return -EXDEV;
	}
	move(w, to);
	return 0;
}

/*
 * In a directory where everyone may put links, one follows one's own and those
 * of the directory's owner: not what a stranger put where a file was expected.
 */
static bool is_trap(const struct walk *w, const struct inode *link)
{
	const struct inode *dir = w->at.dentry->inode;

	return (dir->mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH) &&
	       link->uid != w->t->cred->fsuid && link->uid != dir->uid;
}

/* Goes where the link leads; the rest of the name becomes longer by it. */
static long follow(struct walk *w, const struct path *link, const char *rest)
{
	struct inode *i = path_inode(link);
	size_t more = strlen(rest);
	char *text;
	long n;

	if ((w->flags & PATH_NO_LINKS) || ++w->links > LIMIT_LINKS)
		return -ELOOP;
	if (is_trap(w, i))
		return -EACCES;
	w->rest = rest;
	if (i->ops->jump)
		return jump(w, i);
	if (!i->ops->readlink)
		return -EINVAL;
	text = malloc(LIMIT_PATH + more + 1);
	if (!text)
		return -ENOMEM;
	n = i->ops->readlink(i, w->t, text, LIMIT_PATH - 1);
	if (n <= 0) {
		free(text);
		return n < 0 ? n : -ENOENT;
	}
	memcpy(text + n, rest, more + 1);
	free(w->target);
	w->target = text;
	w->rest = text;
	if (*text == '/') {
		if (w->flags & PATH_BENEATH)
			return -EXDEV;
		path_get(&w->root);
		move(w, w->root);
	}
	return 0;
}

static void note_last(struct walk *w, struct span name, bool slash)
{
	memcpy(w->last->name, name.at, name.size);
	w->last->name[name.size] = 0;
	w->last->size = name.size;
	w->last->slash = slash;
}

/*
 * A name in the directory the walk is in.  `rest` begins with the slashes
 * behind it; `ends` says that nothing but slashes follows.
 */
static long descend(struct walk *w, struct span name, const char *rest,
                    bool ends)
{
	struct path to = {w->at.mount, NULL};
	struct inode *i;
	long err;

	/* open(O_CREAT) makes no directories, whatever is there. */
	if (ends && *rest && w->stop == AT_FREE)
		return -EISDIR;
	err = dentry_lookup(w->t, w->at.dentry, name, &to.dentry);
	if (err < 0)
		return err;
	mount_get(to.mount);
	err = cross(&to) && (w->flags & PATH_NO_XDEV) ? -EXDEV : 0;
	if (err < 0)
		goto put;
	w->rest = rest;
	i = to.dentry->inode;
	if (!i) {
		err = -ENOENT;
		if (!ends || w->stop != AT_FREE)
			goto put;
		/* The walk ends in the directory, with the name noted. */
		note_last(w, name, false);
		err = 0;
		goto put;
	}
	if (inode_is(i, S_IFLNK) && (*rest || (w->flags & PATH_FOLLOW))) {
		err = follow(w, &to, rest);
		goto put;
	}
	move(w, to);
	return 0;

put:
	path_put(&to);
	return err;
}

/* From start() to where the walk stops: w->at. */
static long run(struct walk *w)
{
	bool slash = false;

	while (*w->rest == '/')
		w->rest++;
	while (*w->rest) {
		const char *end = strchrnul(w->rest, '/');
		const char *more = end;
		struct span name = {(const uint8_t *)w->rest,
		                    (size_t)(end - w->rest)};
		long err;

		while (*more == '/')
			more++;
		slash = *end == '/';
		err = search(w);
		if (err < 0)
			return err;
		if (name.size > LIMIT_NAME)
			return -ENAMETOOLONG;
		if (!*more && w->stop == AT_PARENT) {
			note_last(w, name, slash);
			return 0;
		}
		if (span_is(name, ".") || span_is(name, "..")) {
			err = name.size == 2 ? go_up(w) : 0;
			w->rest = end;
		} else {
			err = descend(w, name, end, !*more);
		}
		if (err < 0)
			return err;
		if (w->last && w->last->size > 0)
			return 0;
		for (; *w->rest == '/'; w->rest++)
			slash = true;
	}
	if ((slash || (w->flags & PATH_DIRECTORY)) &&
	    !inode_is(path_inode(&w->at), S_IFDIR))
		return -ENOTDIR;
	return 0;
}

static long go(struct walk *w, int32_t dir, const char *name, struct path *out)
{
	long err;

	if (!*name && !(w->flags & PATH_EMPTY))
		return -ENOENT;
	if (w->last)
		*w->last = (struct path_last){.size = 0};
	err = start(w, dir, name);
	if (err < 0)
		return err;
	err = run(w);
	if (err == 0) {
		*out = w->at;
		w->at = (struct path){0};
	}
	finish(w);
	return err;
}

long path_lookup(struct task *t, int32_t dir, const char *name, uint32_t flags,
                 struct path *out)
{
	struct walk w = {.t = t, .flags = flags};

	return go(&w, dir, name, out);
}

long path_parent(struct task *t, int32_t dir, const char *name, uint32_t flags,
                 struct path *out, struct path_last *last)
{
	struct walk w = {.t = t, .flags = flags, .stop = AT_PARENT};

	w.last = last;
	return go(&w, dir, name, out);
}

/* The guest's string, until the next walk. */
static long fetch(struct task *t, uaddr_t name)
{
	return user_string(t, name, t->kernel->fs->name, LIMIT_PATH);
}

long path_at(struct task *t, int32_t dir, uaddr_t name, uint32_t flags,
             struct path *out)
{
	long n = fetch(t, name);

	return n < 0 ? n : path_lookup(t, dir, t->kernel->fs->name, flags, out);
}

long path_parent_at(struct task *t, int32_t dir, uaddr_t name, uint32_t flags,
                    struct path *out, struct path_last *last)
{
	long n = fetch(t, name);

	if (n < 0)
		return n;
	return path_parent(t, dir, t->kernel->fs->name, flags, out, last);
}

long path_create(struct task *t, int32_t dir, const char *name, uint32_t flags,
                 struct path *out, struct path_last *last)
{
	struct walk w = {.t = t, .flags = flags, .stop = AT_FREE};

	w.last = last;
	return go(&w, dir, name, out);
}

long path_child(struct task *t, const struct path *dir, struct span name,
                struct path *out)
{
	struct path to = {dir->mount, NULL};
	long err = dentry_lookup(t, dir->dentry, name, &to.dentry);

	if (err < 0)
		return err;
	mount_get(to.mount);
	(void)cross(&to);
	*out = to;
	return 0;
}
