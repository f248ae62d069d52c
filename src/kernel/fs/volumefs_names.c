/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume's directories and attributes.  What changes goes through
 * volume/tree.h, which makes all of it or nothing; then the inodes in memory
 * are brought up to date.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/device.h"
#include "kernel/fs/dots.h"
#include "kernel/fs/volumefs_ahead.h"
#include "kernel/fs/volumefs_file.h"
#include "kernel/fs/volumefs_flush.h"
#include "kernel/fs/xattrs.h"

static struct volumefs_node *node_of(const struct inode *i)
{
	return volumefs_node_of(i);
}

static struct volume *volume_of(const struct inode *i)
{
	return volumefs_node_fs(i->sb)->volume;
}

/* Before a change: is there somewhere to put it? */
static long ready(struct inode *i, struct task *t)
{
	struct volumefs *fs = volumefs_node_fs(i->sb);

	return fs->volume ? volumefs_flush_room(fs, t) : -EIO;
}

/* After one. */
static void changed(struct inode *i)
{
	volumefs_node_fill(node_of(i));
	if (i->nlink == 0)
		volumefs_young_unnamed(node_of(i));
	volumefs_flush_later(volumefs_node_fs(i->sb));
}

static long lookup(struct inode *dir, struct task *t, struct span name,
                   struct inode **out)
{
	uint64_t ino;
	int err;

	(void)t;
	if (!volume_of(dir))
		return -EIO;
	err = tree_lookup(volume_of(dir),
	                  dir->private ? node_of(dir)->tree.ino : 0, name, &ino,
	                  NULL);
	if (err == -EIO)
		volumefs_node_damaged(volumefs_node_fs(dir->sb),
		                      node_of(dir)->tree.ino, "a name in it");
	if (err < 0)
		return err;
	return volumefs_node_get(volumefs_node_fs(dir->sb), ino, out);
}

/* ---- making ---- */

static struct tree_node described(const struct inode *dir,
                                  const struct inode_new *how)
{
	struct tree_node n = {.r = {.mode = how->mode,
	                            .uid = how->uid,
	                            .gid = how->gid,
	                            .rdev = how->rdev,
	                            .target = how->target}};

	/* What a directory with the set-group-id bit hands down. */
	if (dir->mode & S_ISGID) {
		n.r.gid = dir->gid;
		if (S_ISDIR(how->mode))
			n.r.mode |= S_ISGID;
	}
	n.r.btime = tree_now(volume_of(dir));
	n.r.atime = n.r.mtime = n.r.ctime = n.r.btime;
	if (!S_ISLNK(how->mode))
		n.r.target = (struct span){NULL, 0};
	return n;
}

/* With a name, or (`named` false) with none. */
static long make(struct inode *dir, struct task *t, struct span name,
                 bool named, const struct inode_new *how, struct inode **out)
{
	struct volumefs *fs = volumefs_node_fs(dir->sb);
	struct tree_node new;
	struct volumefs_node *n;
	int object = -1;
	long err = ready(dir, t);
	bool young;

	if (err < 0)
		return err;
	if (named && dir->nlink == 0)
		return -ENOENT;
	if (S_ISLNK(how->mode) && how->target.size > VRECORD_LINK_MAX)
		return -ENAMETOOLONG;
	young = named && S_ISREG(how->mode) && volumefs_young_may(fs);
	if (young)
		volumefs_young_stamp(fs);
	new = described(dir, how);
	n = volumefs_node_create(fs, new.r.mode);
	if (!n)
		return -ENOMEM;
	err = tree_create(fs->volume, named ? &node_of(dir)->tree : NULL, name,
	                  &new, young ? NULL : &object);
	if (err < 0) {
		inode_put(n->inode);
		return err == -ENOMEM ? -ENOSPC : err;
	}

	/* Nothing below can fail. */
	volumefs_node_enter(n, &new, object);
	if (young)
		volumefs_young_begin(n);
	fs->young.stale |= object >= 0;
	if (S_ISREG(how->mode))
		volumefs_ahead_made(fs);
	changed(dir);
	*out = n->inode;
	return 0;
}

static long create(struct inode *dir, struct task *t, struct span name,
                   const struct inode_new *how, struct inode **out)
{
	return make(dir, t, name, true, how, out);
}

static long tmpfile_at(struct inode *dir, struct task *t,
                       const struct inode_new *how, struct inode **out)
{
	return make(dir, t, (struct span){NULL, 0}, false, how, out);
}

static long link_at(struct inode *dir, struct task *t, struct span name,
                    struct inode *target)
{
	long err = ready(dir, t);

	if (err == 0 && dir->nlink == 0)
		err = -ENOENT;
	/* What gets a name again is not young any more. */
	if (err == 0 && target->nlink == 0)
		err = volumefs_young_make(node_of(target));
	if (err == 0)
		err = tree_link(volume_of(dir), &node_of(dir)->tree, name,
		                &node_of(target)->tree);
	if (err < 0)
		return err == -ENOMEM ? -ENOSPC : err;
	changed(dir);
	changed(target);
	return 0;
}

/* ---- taking away ---- */

static long remove_name(struct inode *dir, struct task *t, struct span name,
                        struct inode *what)
{
	long err = ready(dir, t);
	uint64_t ino = 0;

	if (err == 0)
		err = tree_lookup(volume_of(dir), node_of(dir)->tree.ino, name,
		                  &ino, NULL);
	if (err == 0 && ino != node_of(what)->tree.ino)
		err = -ENOENT;
	if (err == 0)
		err = tree_unlink(volume_of(dir), &node_of(dir)->tree, name,
		                  &node_of(what)->tree);
	if (err < 0)
		return err;
	changed(dir);
	changed(what);
	return 0;
}

static long unlink_at(struct inode *dir, struct task *t, struct span name,
                      struct inode *what)
{
	if (inode_is(what, S_IFDIR))
		return -EISDIR;
	return remove_name(dir, t, name, what);
}

static long rmdir_at(struct inode *dir, struct task *t, struct span name,
                     struct inode *what)
{
	if (!inode_is(what, S_IFDIR))
		return -ENOTDIR;
	return remove_name(dir, t, name, what);
}

/* ---- renaming ---- */

/* May `what` take the place of `over`? */
static long may_replace(const struct inode *what, const struct inode *over)
{
	bool dir = inode_is(what, S_IFDIR);

	if (inode_is(over, S_IFDIR))
		return dir ? 0 : -EISDIR;
	return dir ? -ENOTDIR : 0;
}

static long do_rename(struct inode *dir, struct span name, struct inode *what,
                      struct inode *to_dir, struct span to, struct inode *over,
                      uint32_t flags)
{
	struct tree_rename m = {.from_dir = &node_of(dir)->tree,
	                        .to_dir = &node_of(to_dir)->tree,
	                        .from = name,
	                        .to = to,
	                        .what = &node_of(what)->tree,
	                        .over = over ? &node_of(over)->tree : NULL,
	                        .exchange = flags & RENAME_EXCHANGE};
	struct inode_new blank = {.mode = S_IFCHR};
	struct inode *whiteout = NULL;
	long err;

	if (over && !m.exchange) {
		err = flags & RENAME_NOREPLACE ? -EEXIST
		                               : may_replace(what, over);
		if (err < 0)
			return err;
	}
	if (flags & RENAME_WHITEOUT) {
		err = tmpfile_at(dir, NULL, &blank, &whiteout);
		if (err < 0)
			return err;
		m.whiteout = &node_of(whiteout)->tree;
	}
	err = tree_rename(volume_of(dir), &m);
	if (whiteout)
		changed(whiteout);
	inode_put(whiteout);
	if (err < 0)
		return err == -ENOMEM ? -ENOSPC : err;
	changed(dir);
	changed(to_dir);
	changed(what);
	if (over)
		changed(over);
	return 0;
}

static long rename_at(struct inode *dir, struct task *t, struct span name,
                      struct inode *to_dir, struct span to, uint32_t flags)
{
	struct inode *what = NULL;
	struct inode *over = NULL;
	long err = ready(dir, t);

	if (err == 0)
		err = lookup(dir, t, name, &what);
	if (err < 0)
		return err;
	err = to_dir->nlink == 0 ? -ENOENT : lookup(to_dir, t, to, &over);
	if (err == -ENOENT && to_dir->nlink > 0 && !(flags & RENAME_EXCHANGE))
		err = 0;
	if (err == 0 && what == over)
		err = flags & RENAME_NOREPLACE ? -EEXIST : 0;
	else if (err == 0)
		err = do_rename(dir, name, what, to_dir, to, over, flags);
	inode_put(over);
	inode_put(what);
	return err;
}

/* ---- attributes ---- */

static long readlink_of(struct inode *i, struct task *t, char *to, size_t room)
{
	struct span target;
	int err;

	(void)t;
	if (!volume_of(i))
		return -EIO;
	err = tree_target(volume_of(i), node_of(i)->tree.ino, &target);
	if (err < 0)
		return err == -ENOENT ? -EINVAL : err;
	room = MIN(room, target.size);
	memcpy(to, target.at, room);
	return (long)room;
}

static long refresh(struct inode *i, struct task *t)
{
	(void)t;
	return volumefs_node_refresh(node_of(i));
}

static struct vrecord_time time_to(abi_timespec t)
{
	return (struct vrecord_time){t.sec, (uint32_t)t.nsec};
}

static long change(struct inode *i, struct task *t,
                   const struct inode_change *c)
{
	struct volumefs_node *n = node_of(i);
	struct vrecord_inode *r = &n->tree.r;
	long err = ready(i, t);

	if (err < 0)
		return err;
	if (inode_is(i, S_IFREG)) {
		err = volumefs_file_change(n, t, c);
		if (err < 0)
			return err;
	} else if (c->which & INODE_SET_SIZE) {
		return inode_is(i, S_IFDIR) ? -EISDIR : -EINVAL;
	}
	/* Nothing below can fail. */
	if (c->which & INODE_SET_MODE)
		r->mode = (r->mode & S_IFMT) | (c->mode & 07777);
	if (c->which & INODE_SET_UID)
		r->uid = c->uid;
	if (c->which & INODE_SET_GID)
		r->gid = c->gid;
	if (c->which & INODE_SET_ATIME)
		r->atime = time_to(c->atime);
	if (c->which & INODE_SET_MTIME)
		r->mtime = time_to(c->mtime);
	r->ctime = tree_now(volume_of(i));
	/* Programs that unpack change one after the other: once is enough. */
	volumefs_node_soil_safe(n);
	changed(i);
	if (c->which & INODE_SET_SIZE)
		return volumefs_node_refresh(n);
	if (c->which & INODE_SET_ATIME)
		i->atime = c->atime;
	if (c->which & INODE_SET_MTIME)
		i->mtime = c->mtime;
	return 0;
}

static long open_dir(struct file *f);

static long open_inode(struct inode *i, struct task *t, struct file *f)
{
	if (inode_is(i, S_IFDIR))
		return open_dir(f);
	if (inode_is(i, S_IFCHR) || inode_is(i, S_IFBLK))
		return device_open(t, i->rdev, f);
	return inode_is(i, S_IFREG) ? volumefs_file_open(i, t, f) : -ENXIO;
}

/* Access control lists would have to be obeyed: there are none. */
static long getxattr_of(struct inode *i, struct task *t, struct span name,
                        void *to, size_t room)
{
	struct span value;
	int err;

	(void)t;
	if (!xattrs_name_ok(i, name))
		return -EOPNOTSUPP;
	if (!volume_of(i))
		return -EIO;
	/* Most inodes have none. */
	if (node_of(i)->tree.r.xattr_bytes == 0)
		return -ENODATA;
	err = tree_xattr_get(volume_of(i), node_of(i)->tree.ino, name, &value);
	if (err == -ENODATA)
		inode_note_attr(i, name, false);
	if (err < 0)
		return err;
	if (room == 0)
		return (long)value.size;
	if (value.size > room)
		return -ERANGE;
	if (value.size)
		memcpy(to, value.at, value.size);
	return (long)value.size;
}

static long setxattr_of(struct inode *i, struct task *t, struct span name,
                        struct span value, int flags)
{
	long err;

	if (!xattrs_name_ok(i, name))
		return -EOPNOTSUPP;
	err = ready(i, t);
	if (err == 0)
		err = tree_xattr_set(volume_of(i), &node_of(i)->tree, name,
		                     value, flags);
	if (err < 0)
		return err == -ENOMEM ? -ENOSPC : err;
	inode_note_attr(i, name, true);
	changed(i);
	return 0;
}

static long listxattr_of(struct inode *i, struct task *t, char *to, size_t room)
{
	struct vrecord_key key = {0};
	struct vrecord_xattr x;
	size_t used = 0;
	int err;

	(void)t;
	if (!volume_of(i))
		return -EIO;
	while ((err = tree_xattr_next(volume_of(i), node_of(i)->tree.ino, &key,
	                              &x)) == 0) {
		if (room != 0) {
			if (x.name.size + 1 > room - used)
				return -ERANGE;
			memcpy(to + used, x.name.at, x.name.size);
			to[used + x.name.size] = '\0';
		}
		used += x.name.size + 1;
	}
	return err == -ENOENT ? (long)used : err;
}

static long removexattr_of(struct inode *i, struct task *t, struct span name)
{
	long err;

	if (!xattrs_name_ok(i, name))
		return -EOPNOTSUPP;
	err = ready(i, t);
	if (err == 0)
		err = tree_xattr_remove(volume_of(i), &node_of(i)->tree, name);
	if (err < 0)
		return err;
	inode_note_attr(i, name, false);
	changed(i);
	return 0;
}

static void destroy(struct inode *i)
{
	struct volumefs *fs = volumefs_node_fs(i->sb);

	if (!i->private)
		return;
	volumefs_node_destroy(node_of(i));
	if (fs->volume)
		volumefs_flush_later(fs);
}

const struct inode_ops volumefs_names_ops = {
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

/* ---- reading directories ---- */

static long dir_read(struct file *f, struct task *t, struct dirsink *sink)
{
	int64_t pos = MAX(f->pos, DOTS_FIRST);
	struct vrecord_name e;
	int err;

	(void)t;
	if (!volume_of(f->inode))
		return -EIO;
	while ((err = tree_name_at(volume_of(f->inode),
	                           node_of(f->inode)->tree.ino, &pos, &e)) ==
	       0) {
		if (!sink->add(sink, e.name, e.ino, e.type, pos + 1))
			break;
		pos++;
	}
	return err == -ENOENT ? 0 : err;
}

static long dir_sync(struct file *f, struct task *t, bool data_only)
{
	return volumefs_flush_wait(node_of(f->inode), t, -1, data_only);
}

static const struct file_ops dir_ops = {
	.seek = dots_seek,
	.readdir = dir_read,
	.fsync = dir_sync,
};

static long open_dir(struct file *f)
{
	f->ops = &dir_ops;
	return 0;
}
