/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The overlay: a read-only file system below, a writable one above, and the
 * two seen as one.  overlay_node.h says how.
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/device.h"
#include "kernel/fs/overlay_copy.h"
#include "kernel/fs/overlay_dir.h"
#include "kernel/fs/overlay_file.h"
#include "kernel/fs/overlay_node.h"
#include "kernel/fs/world.h"

#define OURS   "trusted.overlay."
#define OPAQUE OURS "opaque"

static struct overlay_node *node_of(const struct inode *i)
{
	return overlay_node_of(i);
}

/* ---- what is there ---- */

static bool opaque(struct inode *upper, struct task *t)
{
	char value[2];

	return upper->ops->getxattr &&
	       upper->ops->getxattr(upper, t, span_str(OPAQUE), value,
	                            sizeof(value)) == 1;
}

static long set_opaque(struct inode *upper, struct task *t)
{
	return upper->ops->setxattr(upper, t, span_str(OPAQUE), span_str("y"),
	                            0);
}

/* What one side has under a name: 0 and *out, NULL for nothing. */
static long look(struct inode *dir, struct task *t, struct span name,
                 struct inode **out)
{
	long err;

	*out = NULL;
	if (!dir)
		return 0;
	err = dir->ops->lookup(dir, t, name, out);
	return err == -ENOENT ? 0 : err;
}

/* What the lower side shows, looked up or (`out` NULL) only asked about. */
static long look_below(const struct overlay_node *dir, struct task *t,
                       struct span name, bool *there)
{
	struct inode *lower;
	long err = look(dir->lower, t, name, &lower);

	if (err < 0)
		return err;
	*there = lower != NULL;
	inode_put(lower);
	return 0;
}

static long lookup(struct inode *dir, struct task *t, struct span name,
                   struct inode **out)
{
	struct overlay_node *d = node_of(dir);
	struct inode *upper;
	struct inode *lower = NULL;
	long err;

	if (d->gone)
		return -ENOENT;
	err = look(d->upper, t, name, &upper);
	if (err < 0)
		return err;
	if (upper && overlay_dir_whiteout(upper)) {
		inode_put(upper);
		return -ENOENT;
	}
	if (!upper || (inode_is(upper, S_IFDIR) &&
	               (d->fs->joined || !opaque(upper, t)))) {
		err = look(d->lower, t, name, &lower);
		if (err < 0) {
			inode_put(upper);
			return err;
		}
	}
	if (upper && lower && !inode_is(lower, S_IFDIR)) {
		inode_put(lower);
		lower = NULL;
	}
	if (!upper && !lower)
		return -ENOENT;
	if (d->fs->joined && !(upper && lower)) {
		*out = upper ? upper : lower;
		return 0;
	}
	*out = overlay_node_inode(d->fs, d, name, lower, upper);
	return *out ? 0 : -ENOMEM;
}

/* ---- whiteouts ---- */

/* Takes the whiteout of a name away: *had says whether there was one. */
static long lift_whiteout(struct inode *up, struct task *t, struct span name,
                          bool *had)
{
	struct inode *w;
	long err = look(up, t, name, &w);

	*had = false;
	if (err < 0 || !w)
		return err;
	if (overlay_dir_whiteout(w)) {
		err = up->ops->unlink(up, t, name, w);
		*had = err == 0;
	} else {
		err = -EEXIST;
	}
	inode_put(w);
	return err;
}

static long make_whiteout(struct inode *up, struct task *t, struct inode **out)
{
	struct inode_new how = {.mode = S_IFCHR};

	return up->ops->tmpfile(up, t, &how, out);
}

/* Puts back what lift_whiteout() took; memory for it was just freed. */
static void drop_whiteout(struct inode *up, struct task *t, struct span name)
{
	struct inode *w;

	if (make_whiteout(up, t, &w) < 0)
		return;
	(void)!up->ops->link(up, t, name, w);
	inode_put(w);
}

/* ---- making names ---- */

static long made(struct overlay_node *d, struct span name, struct inode *upper,
                 struct inode **out)
{
	*out = overlay_node_inode(d->fs, d, name, NULL, upper);
	overlay_node_fill(d);
	return *out ? 0 : -ENOMEM;
}

static long create(struct inode *dir, struct task *t, struct span name,
                   const struct inode_new *how, struct inode **out)
{
	struct overlay_node *d = node_of(dir);
	struct inode *up;
	struct inode *upper;
	bool hidden;
	long err;

	if (S_ISCHR(how->mode) && how->rdev == 0)
		return -EPERM;
	err = overlay_copy_up(d, t, true);
	if (err < 0)
		return err;
	up = d->upper;
	err = lift_whiteout(up, t, name, &hidden);
	if (err < 0)
		return err;
	err = up->ops->create(up, t, name, how, &upper);
	if (err == 0 && hidden && S_ISDIR(how->mode)) {
		err = set_opaque(upper, t);
		if (err < 0) {
			(void)!up->ops->rmdir(up, t, name, upper);
			inode_put(upper);
		}
	}
	if (err < 0) {
		if (hidden)
			drop_whiteout(up, t, name);
		return err;
	}
	return made(d, name, upper, out);
}

static long tmpfile_at(struct inode *dir, struct task *t,
                       const struct inode_new *how, struct inode **out)
{
	struct overlay_node *d = node_of(dir);
	struct inode *upper = NULL;
	long err = overlay_copy_up(d, t, true);

	if (err == 0)
		err = d->upper->ops->tmpfile(d->upper, t, how, &upper);
	if (err < 0)
		return err;
	return made(d, (struct span){NULL, 0}, upper, out);
}

static long link_at(struct inode *dir, struct task *t, struct span name,
                    struct inode *target)
{
	struct overlay_node *d = node_of(dir);
	struct overlay_node *n = node_of(target);
	bool hidden = false;
	long err = overlay_copy_up(n, t, true);

	if (err == 0)
		err = overlay_copy_up(d, t, true);
	if (err == 0)
		err = lift_whiteout(d->upper, t, name, &hidden);
	if (err < 0)
		return err;
	err = d->upper->ops->link(d->upper, t, name, n->upper);
	if (err < 0 && hidden)
		drop_whiteout(d->upper, t, name);
	overlay_node_fill(n);
	overlay_node_fill(d);
	return err;
}

/* ---- removing names ---- */

static void removed(struct overlay_node *n)
{
	if (n->upper) {
		overlay_node_fill(n);
		return;
	}
	overlay_node_forget(n);
	n->gone = true;
	n->inode->nlink = 0;
}

/* Takes the upper's entry away, puts a whiteout where the lower has one. */
static long remove_name(struct overlay_node *d, struct task *t,
                        struct span name, struct overlay_node *n)
{
	struct inode *up = d->upper;
	struct inode *w = NULL;
	bool below;
	long err = look_below(d, t, name, &below);

	if (err == 0 && below)
		err = make_whiteout(up, t, &w);
	if (err < 0)
		return err;
	if (n->upper) {
		if (inode_is(n->inode, S_IFDIR))
			err = up->ops->rmdir(up, t, name, n->upper);
		else
			err = up->ops->unlink(up, t, name, n->upper);
	}
	if (err == 0 && w)
		err = up->ops->link(up, t, name, w);
	inode_put(w);
	if (err < 0)
		return err;
	removed(n);
	overlay_node_fill(d);
	return 0;
}

static long unlink_at(struct inode *dir, struct task *t, struct span name,
                      struct inode *what)
{
	struct overlay_node *d = node_of(dir);
	long err = overlay_copy_up(d, t, true);

	return err < 0 ? err : remove_name(d, t, name, node_of(what));
}

static long rmdir_at(struct inode *dir, struct task *t, struct span name,
                     struct inode *what)
{
	struct overlay_node *d = node_of(dir);
	struct overlay_node *n = node_of(what);
	long err = overlay_dir_empty(n, t);

	if (err == 0)
		err = overlay_copy_up(d, t, true);
	if (err == 0 && n->upper)
		err = overlay_dir_clear(n->upper, t);
	return err < 0 ? err : remove_name(d, t, name, n);
}

/* ---- renaming ---- */

struct move {
	struct overlay_node *from_dir, *to_dir;
	struct span from, to;
	struct overlay_node *what, *over; /* over may be NULL */
	bool from_below, to_below;        /* the lower side has that name */
};

static bool merged(const struct overlay_node *n)
{
	return inode_is(n->inode, S_IFDIR) && n->lower;
}

/* Everything that can be refused, and all copying. */
static long prepare(struct move *m, struct task *t, uint32_t flags)
{
	long err;

	if (merged(m->what) ||
	    (m->over && (flags & RENAME_EXCHANGE) && merged(m->over)))
		return -EXDEV;
	if (m->over && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	err = overlay_copy_up(m->what, t, true);
	if (err == 0)
		err = overlay_copy_up(m->from_dir, t, true);
	if (err == 0)
		err = overlay_copy_up(m->to_dir, t, true);
	if (err == 0 && m->over && (flags & RENAME_EXCHANGE))
		err = overlay_copy_up(m->over, t, true);
	else if (err == 0 && m->over && inode_is(m->over->inode, S_IFDIR))
		err = overlay_dir_empty(m->over, t);
	if (err == 0)
		err = look_below(m->from_dir, t, m->from, &m->from_below);
	if (err == 0)
		err = look_below(m->to_dir, t, m->to, &m->to_below);
	return err;
}

/* A directory must not let through what lies below its new place. */
static long shut(struct overlay_node *n, struct task *t, bool below)
{
	if (!below || !inode_is(n->inode, S_IFDIR))
		return 0;
	return set_opaque(n->upper, t);
}

static long swap(struct move *m, struct task *t)
{
	struct inode *up = m->from_dir->upper;
	long err = shut(m->what, t, m->to_below);

	if (err == 0)
		err = shut(m->over, t, m->from_below);
	if (err == 0)
		err = up->ops->rename(up, t, m->from, m->to_dir->upper, m->to,
		                      RENAME_EXCHANGE);
	return err;
}

static long put_over(struct move *m, struct task *t)
{
	struct inode *up = m->from_dir->upper;
	struct inode *to = m->to_dir->upper;
	uint32_t flags = m->from_below ? RENAME_WHITEOUT : 0;
	bool dir = inode_is(m->what->inode, S_IFDIR);
	bool lifted = false;
	long err;

	if (m->over && inode_is(m->over->inode, S_IFDIR) != dir)
		return dir ? -ENOTDIR : -EISDIR;
	err = shut(m->what, t, m->to_below);
	if (err == 0 && m->over && m->over->upper && dir)
		err = overlay_dir_clear(m->over->upper, t);
	if (err == 0 && dir && !(m->over && m->over->upper))
		err = lift_whiteout(to, t, m->to, &lifted);
	if (err < 0)
		return err;
	err = up->ops->rename(up, t, m->from, to, m->to, flags);
	if (err < 0) {
		if (lifted)
			drop_whiteout(to, t, m->to);
		return err;
	}
	if (m->over)
		removed(m->over);
	return 0;
}

static long rename_at(struct inode *dir, struct task *t, struct span name,
                      struct inode *to_dir, struct span to, uint32_t flags)
{
	struct move m = {node_of(dir), node_of(to_dir), name, to, NULL,
	                 NULL,         false,           false};
	struct inode *what = NULL;
	struct inode *over = NULL;
	long err;

	if (flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	err = lookup(dir, t, name, &what);
	if (err < 0)
		return err;
	m.what = node_of(what);
	err = lookup(to_dir, t, to, &over);
	if (err == 0)
		m.over = node_of(over);
	else if (err == -ENOENT && !(flags & RENAME_EXCHANGE))
		err = 0;
	if (err == 0 && what == over)
		goto put_both; /* two names of one file: nothing happens */
	if (err == 0)
		err = prepare(&m, t, flags);
	if (err == 0)
		err = flags & RENAME_EXCHANGE ? swap(&m, t) : put_over(&m, t);
	overlay_node_fill(m.what);
	overlay_node_fill(m.from_dir);
	overlay_node_fill(m.to_dir);
put_both:
	inode_put(over);
	inode_put(what);
	return err;
}

/* ---- the file itself ---- */

static long readlink_of(struct inode *i, struct task *t, char *to, size_t room)
{
	struct inode *real = overlay_node_real(node_of(i));

	if (!real->ops->readlink)
		return -EINVAL;
	return real->ops->readlink(real, t, to, room);
}

static long refresh(struct inode *i, struct task *t)
{
	return overlay_node_refresh(node_of(i), t);
}

static long change(struct inode *i, struct task *t,
                   const struct inode_change *c)
{
	struct overlay_node *n = node_of(i);
	bool contents = !(c->which & INODE_SET_SIZE) || c->size > 0;
	long err = overlay_copy_up(n, t, contents);

	if (err == 0)
		err = inode_change(n->upper, t, c);
	if (err == 0)
		overlay_node_fill(n);
	return err;
}

static long open_inode(struct inode *i, struct task *t, struct file *f)
{
	if (inode_is(i, S_IFDIR))
		return overlay_dir_open(i, t, f);
	if (inode_is(i, S_IFREG))
		return overlay_file_open(i, t, f);
	if (inode_is(i, S_IFCHR) || inode_is(i, S_IFBLK))
		return device_open(t, i->rdev, f);
	return -ENXIO;
}

static bool ours(struct span name)
{
	struct span prefix = span_str(OURS);

	return name.size >= prefix.size &&
	       memcmp(name.at, prefix.at, prefix.size) == 0;
}

static long getxattr_of(struct inode *i, struct task *t, struct span name,
                        void *to, size_t room)
{
	struct inode *real = overlay_node_real(node_of(i));
	long size;

	if (ours(name))
		return -ENODATA;
	if (!real->ops->getxattr)
		return node_of(i)->upper ? -EOPNOTSUPP : -ENODATA;
	size = real->ops->getxattr(real, t, name, to, room);
	i->may_have = real->may_have;
	return size;
}

static long setxattr_of(struct inode *i, struct task *t, struct span name,
                        struct span value, int flags)
{
	struct overlay_node *n = node_of(i);
	long err;

	if (ours(name))
		return -EPERM;
	err = overlay_copy_up(n, t, true);
	if (err == 0)
		err = n->upper->ops->setxattr(n->upper, t, name, value, flags);
	if (err == 0)
		overlay_node_fill(n);
	return err;
}

/* The names but for ours; always from the whole list. */
static long listxattr_of(struct inode *i, struct task *t, char *to, size_t room)
{
	struct inode *real = overlay_node_real(node_of(i));
	autofree char *all = NULL;
	size_t used = 0;
	long size;

	if (!real->ops->listxattr)
		return 0;
	size = real->ops->listxattr(real, t, NULL, 0);
	if (size <= 0)
		return size;
	all = malloc((size_t)size);
	if (!all)
		return -ENOMEM;
	size = real->ops->listxattr(real, t, all, (size_t)size);
	for (long at = 0; at < size;) {
		size_t len = strlen(all + at) + 1;

		if (!ours(span_str(all + at))) {
			if (room != 0 && len > room - used)
				return -ERANGE;
			if (room != 0)
				memcpy(to + used, all + at, len);
			used += len;
		}
		at += (long)len;
	}
	return size < 0 ? size : (long)used;
}

static long removexattr_of(struct inode *i, struct task *t, struct span name)
{
	struct overlay_node *n = node_of(i);
	long err = getxattr_of(i, t, name, NULL, 0);

	if (err < 0)
		return err;
	err = overlay_copy_up(n, t, true);
	if (err == 0)
		err = n->upper->ops->removexattr(n->upper, t, name);
	if (err == 0)
		overlay_node_fill(n);
	return err;
}

static void destroy(struct inode *i)
{
	if (i->private)
		overlay_node_destroy(node_of(i));
}

static const struct inode_ops overlay_ops = {
	.lookup = lookup,
	.create = create,
	.link = link_at,
	.unlink = unlink_at,
	.rmdir = rmdir_at,
	.rename = rename_at,
	.tmpfile = tmpfile_at,
	.readlink = readlink_of,
	.refresh = refresh,
	.change = change,
	.open = open_inode,
	.getxattr = getxattr_of,
	.setxattr = setxattr_of,
	.listxattr = listxattr_of,
	.removexattr = removexattr_of,
	.destroy = destroy,
};

/* ---- the whole ---- */

static long statfs_of(struct superblock *sb, struct task *t, abi_statfs *out)
{
	struct overlay *fs = sb->private;

	if (!fs->upper->ops->statfs)
		return -ENOSYS;
	return fs->upper->ops->statfs(fs->upper, t, out);
}

static void destroy_sb(struct superblock *sb)
{
	struct overlay *fs = sb->private;

	hashtable_fini(&fs->nodes);
	inode_superblock_put(fs->lower);
	inode_superblock_put(fs->upper);
	limits_free(fs->kernel, fs, sizeof(*fs));
}

static const struct superblock_ops sb_ops = {
	.name = "overlay",
	.statfs = statfs_of,
	.destroy = destroy_sb,
};

static int make_overlay(struct kernel *k, struct superblock *lower,
                        struct superblock *upper, bool joined,
                        struct superblock **out)
{
	struct overlay *fs = limits_alloc(k, sizeof(*fs));
	struct superblock *sb;

	sb = fs ? inode_superblock_create(k, &sb_ops, OVERLAYFS_SUPER_MAGIC)
	        : NULL;
	if (!sb) {
		limits_free(k, fs, sizeof(*fs));
		return -ENOMEM;
	}
	fs->kernel = fs->nodes.kernel = k;
	fs->sb = sb;
	fs->ops = &overlay_ops;
	fs->lower = inode_superblock_get(lower);
	fs->upper = inode_superblock_get(upper);
	fs->joined = joined;
	sb->private = fs;
	sb->cache = joined ? upper->cache : lower->cache;
	sb->read_only = joined;
	sb->root = overlay_node_inode(fs, NULL, (struct span){NULL, 0},
	                              inode_get(lower->root),
	                              inode_get(upper->root));
	if (!sb->root) {
		inode_superblock_put(sb);
		return -ENOMEM;
	}
	*out = sb;
	return 0;
}

int overlay_create(struct kernel *k, struct superblock *lower,
                   struct superblock *upper, struct superblock **out)
{
	return make_overlay(k, lower, upper, false, out);
}

int overlay_join(struct kernel *k, struct superblock *lower,
                 struct superblock *upper, struct superblock **out)
{
	return make_overlay(k, lower, upper, true, out);
}
