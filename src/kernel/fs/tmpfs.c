/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes and directories of tmpfs.  Descriptions of its regular files are in
 * tmpfs_file.c.
 *
 * A directory's entries own references to their inodes.  When a tree goes all
 * at once, the inodes of one directory are put on a list instead of being put
 * from within destroy(), so that a deep tree costs no stack.
 */
#include "kernel/fs/tmpfs.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/device.h"
#include "kernel/fs/dots.h"
#include "kernel/fs/tmpfs_file.h"
#include "kernel/fs/world.h"

#define PAGE 4096u

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

struct tmpfs {
	struct filedata_quota quota;
	struct list doomed; /* tmpfs_node.doomed */
	bool draining;
};

static struct tmpfs *fs_of(const struct superblock *sb)
{
	return sb->private;
}

static struct tmpfs_node *node_of(const struct inode *i)
{
	return i->private;
}

static void touch(struct inode *i)
{
	i->ctime = inode_now();
}

static void touch_dir(struct inode *dir, int64_t by)
{
	dir->mtime = dir->ctime = inode_now();
	dir->size = (uint64_t)((int64_t)dir->size + by);
}

/* Puts everything in the directory, and what that sets free, one by one. */
static void empty(struct inode *dir)
{
	struct tmpfs *fs = fs_of(dir->sb);
	struct memdir *d = &node_of(dir)->dir;
	struct memdir_entry *e;

	while ((e = memdir_at(d, 0)) != NULL) {
		struct inode *i = memdir_remove(d, e);

		/* It may have other names, even here. */
		if (i->refs > 1)
			inode_put(i);
		else
			list_add_tail(&fs->doomed, &node_of(i)->doomed);
	}
	if (fs->draining)
		return;
	fs->draining = true;
	while (!list_empty(&fs->doomed)) {
		struct tmpfs_node *n = list_first(&fs->doomed,
		                                  struct tmpfs_node, doomed);

		list_del(&n->doomed);
		inode_put(n->inode);
	}
	fs->draining = false;
}

static void destroy(struct inode *i)
{
	struct tmpfs_node *n = node_of(i);

	if (!n)
		return;
	if (inode_is(i, S_IFDIR)) {
		empty(i);
		memdir_fini(&n->dir);
	} else if (inode_is(i, S_IFREG)) {
		filedata_fini(&n->data);
	} else if (inode_is(i, S_IFLNK)) {
		limits_free(i->sb->kernel, n->target, n->target_size);
	}
	limits_free(i->sb->kernel, n->label, n->label_room);
	xattrs_fini(&n->xattrs);
	limits_free(i->sb->kernel, n, sizeof(*n));
}

static long lookup(struct inode *dir, struct task *t, struct span name,
                   struct inode **out)
{
	struct memdir_entry *e = memdir_find(&node_of(dir)->dir, name);

	(void)t;
	if (!e)
		return -ENOENT;
	*out = inode_get(e->inode);
	return 0;
}

struct inode *tmpfs_child(struct inode *dir, struct span name)
{
	struct memdir_entry *e = memdir_find(&node_of(dir)->dir, name);

	return e ? e->inode : NULL;
}

static int fill_link(struct tmpfs_node *n, struct kernel *k, struct span to)
{
	n->target = limits_alloc(k, to.size);
	if (!n->target)
		return -ENOMEM;
	memcpy(n->target, to.at, to.size);
	n->target_size = to.size;
	return 0;
}

static const struct inode_ops tmpfs_ops;

struct inode *tmpfs_inode(struct superblock *sb, const struct inode_new *how)
{
	struct kernel *k = sb->kernel;
	struct tmpfs_node *n = limits_alloc(k, sizeof(*n));
	struct inode *i;

	if (!n)
		return NULL;
	if (S_ISLNK(how->mode) && fill_link(n, k, how->target) < 0)
		goto free_node;
	i = inode_create(sb, &tmpfs_ops, how->mode);
	if (!i)
		goto free_target;

	/* Nothing below can fail. */
	n->inode = i;
	list_init(&n->doomed);
	xattrs_init(&n->xattrs, k);
	if (S_ISREG(how->mode))
		filedata_init(&n->data, k, &fs_of(sb)->quota);
	if (S_ISDIR(how->mode)) {
		memdir_init(&n->dir, k);
		n->up = i;
		i->nlink = 2;
	}
	i->size = S_ISLNK(how->mode) ? how->target.size : 0;
	i->uid = how->uid;
	i->gid = how->gid;
	i->rdev = how->rdev;
	i->private = n;
	return i;

free_target:
	if (S_ISLNK(how->mode))
		limits_free(k, n->target, n->target_size);
free_node:
	limits_free(k, n, sizeof(*n));
	return NULL;
}

int tmpfs_enter(struct inode *dir, struct span name, struct inode *i)
{
	struct memdir *d = &node_of(dir)->dir;
	int err;

	if (memdir_find(d, name))
		return -EEXIST;
	err = memdir_add(d, name, i);
	if (err < 0)
		return err;
	inode_get(i);
	if (inode_is(i, S_IFDIR)) {
		node_of(i)->up = dir;
		dir->nlink++;
	}
	touch_dir(dir, 20);
	return 0;
}

/* What a directory with the set-group-id bit hands down. */
static struct inode_new inherit(const struct inode *dir,
                                const struct inode_new *how)
{
	struct inode_new h = *how;

	if (dir->mode & S_ISGID) {
		h.gid = dir->gid;
		if (S_ISDIR(h.mode))
			h.mode |= S_ISGID;
	}
	return h;
}

static long create(struct inode *dir, struct task *t, struct span name,
                   const struct inode_new *how, struct inode **out)
{
	struct inode_new h = inherit(dir, how);
	struct inode *i;
	int err;

	(void)t;
	if (dir->nlink == 0)
		return -ENOENT;
	i = tmpfs_inode(dir->sb, &h);
	if (!i)
		return -ENOSPC;
	err = tmpfs_enter(dir, name, i);
	if (err < 0) {
		inode_put(i);
		return err == -ENOMEM ? -ENOSPC : err;
	}
	*out = i;
	return 0;
}

static long tmpfile_at(struct inode *dir, struct task *t,
                       const struct inode_new *how, struct inode **out)
{
	struct inode_new h = inherit(dir, how);
	struct inode *i = tmpfs_inode(dir->sb, &h);

	(void)t;
	if (!i)
		return -ENOSPC;
	i->nlink = 0;
	*out = i;
	return 0;
}

static long link_at(struct inode *dir, struct task *t, struct span name,
                    struct inode *target)
{
	int err;

	(void)t;
	if (dir->nlink == 0)
		return -ENOENT;
	err = tmpfs_enter(dir, name, target);
	if (err < 0)
		return err == -ENOMEM ? -ENOSPC : err;
	target->nlink++;
	touch(target);
	return 0;
}

/* Takes an entry away, with all that means for the two inodes' links. */
static void leave(struct inode *dir, struct memdir_entry *e)
{
	struct inode *i = memdir_remove(&node_of(dir)->dir, e);

	touch_dir(dir, -20);
	touch(i);
	if (inode_is(i, S_IFDIR)) {
		dir->nlink--;
		i->nlink = 0;
		node_of(i)->up = i;
	} else {
		i->nlink--;
	}
	inode_put(i);
}

static long unlink_at(struct inode *dir, struct task *t, struct span name,
                      struct inode *what)
{
	struct memdir_entry *e = memdir_find(&node_of(dir)->dir, name);

	(void)t;
	if (!e || e->inode != what)
		return -ENOENT;
	if (inode_is(what, S_IFDIR))
		return -EISDIR;
	leave(dir, e);
	return 0;
}

static long rmdir_at(struct inode *dir, struct task *t, struct span name,
                     struct inode *what)
{
	struct memdir_entry *e = memdir_find(&node_of(dir)->dir, name);

	(void)t;
	if (!e || e->inode != what)
		return -ENOENT;
	if (!inode_is(what, S_IFDIR))
		return -ENOTDIR;
	if (node_of(what)->dir.names.count > 0)
		return -ENOTEMPTY;
	leave(dir, e);
	return 0;
}

/* A directory's new parent. */
static void move_up(struct inode *i, struct inode *from, struct inode *to)
{
	touch(i);
	if (!inode_is(i, S_IFDIR))
		return;
	node_of(i)->up = to;
	from->nlink--;
	to->nlink++;
}

static long exchange(struct inode *dir, struct memdir_entry *e,
                     struct inode *to_dir, struct memdir_entry *over)
{
	struct inode *i = e->inode;

	if (!over)
		return -ENOENT;
	e->inode = over->inode;
	over->inode = i;
	move_up(i, dir, to_dir);
	move_up(e->inode, to_dir, dir);
	touch_dir(dir, 0);
	touch_dir(to_dir, 0);
	return 0;
}

/* May `e` take the place of `over`? */
static long may_replace(const struct memdir_entry *e,
                        const struct memdir_entry *over, uint32_t flags)
{
	bool dir = inode_is(e->inode, S_IFDIR);

	if (flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (inode_is(over->inode, S_IFDIR)) {
		if (!dir)
			return -EISDIR;
		if (node_of(over->inode)->dir.names.count > 0)
			return -ENOTEMPTY;
	} else if (dir) {
		return -ENOTDIR;
	}
	return 0;
}

/* The name stays and stands for another inode.  Takes no reference. */
static void replace(struct inode *dir, struct memdir_entry *e, struct inode *by)
{
	struct inode *old = e->inode;

	e->inode = by;
	touch(old);
	if (inode_is(old, S_IFDIR)) {
		dir->nlink--;
		old->nlink = 0;
		node_of(old)->up = old;
	} else {
		old->nlink--;
	}
	inode_put(old);
}

static long rename_at(struct inode *dir, struct task *t, struct span name,
                      struct inode *to_dir, struct span to, uint32_t flags)
{
	struct memdir_entry *e = memdir_find(&node_of(dir)->dir, name);
	struct memdir_entry *over = memdir_find(&node_of(to_dir)->dir, to);
	struct inode_new blank = {.mode = S_IFCHR};
	struct inode *whiteout = NULL;
	struct inode *i;
	long err;

	(void)t;
	if (!e || to_dir->nlink == 0)
		return -ENOENT;
	if (flags & RENAME_EXCHANGE)
		return exchange(dir, e, to_dir, over);
	if (over && over->inode == e->inode)
		return flags & RENAME_NOREPLACE ? -EEXIST : 0;
	err = over ? may_replace(e, over, flags) : 0;
	if (err < 0)
		return err;
	if (flags & RENAME_WHITEOUT) {
		whiteout = tmpfs_inode(dir->sb, &blank);
		if (!whiteout)
			return -ENOSPC;
	}
	i = e->inode;
	if (!over) {
		err = memdir_add(&node_of(to_dir)->dir, to, i);
		if (err < 0) {
			inode_put(whiteout);
			return -ENOSPC;
		}
		touch_dir(to_dir, 20);
	}

	/* Nothing below can fail. */
	if (over)
		replace(to_dir, over, i);
	inode_get(i);
	if (whiteout) {
		e->inode = whiteout;
		touch_dir(dir, 0);
	} else {
		(void)memdir_remove(&node_of(dir)->dir, e);
		touch_dir(dir, -20);
	}
	move_up(i, dir, to_dir);
	touch_dir(to_dir, 0);
	inode_put(i);
	return 0;
}

static long readlink_of(struct inode *i, struct task *t, char *to, size_t room)
{
	struct tmpfs_node *n = node_of(i);
	size_t size = MIN(room, n->target_size);

	(void)t;
	memcpy(to, n->target, size);
	return (long)size;
}

static long refresh(struct inode *i, struct task *t)
{
	struct tmpfs_node *n = node_of(i);

	(void)t;
	if (inode_is(i, S_IFREG)) {
		i->blocks = filedata_held(&n->data) / 512;
		i->size = n->data.size;
	}
	return 0;
}

static long change(struct inode *i, struct task *t,
                   const struct inode_change *c)
{
	abi_timespec now = inode_now();
	long err;

	(void)t;
	if (c->which & INODE_SET_SIZE) {
		if (!inode_is(i, S_IFREG))
			return inode_is(i, S_IFDIR) ? -EISDIR : -EINVAL;
		err = filedata_truncate(&node_of(i)->data, c->size);
		if (err < 0)
			return err;
		i->size = c->size;
		i->mtime = now;
	}
	if (c->which & INODE_SET_MODE)
		i->mode = (i->mode & S_IFMT) | (c->mode & 07777);
	if (c->which & INODE_SET_UID)
		i->uid = c->uid;
	if (c->which & INODE_SET_GID)
		i->gid = c->gid;
	if (c->which & INODE_SET_ATIME)
		i->atime = c->atime;
	if (c->which & INODE_SET_MTIME)
		i->mtime = c->mtime;
	i->ctime = now;
	return 0;
}

static long open_dir(struct inode *i, struct task *t, struct file *f);

static long open_inode(struct inode *i, struct task *t, struct file *f)
{
	if (inode_is(i, S_IFDIR))
		return open_dir(i, t, f);
	if (inode_is(i, S_IFCHR) || inode_is(i, S_IFBLK))
		return device_open(t, i->rdev, f);
	return inode_is(i, S_IFREG) ? tmpfs_file_open(i, f) : -ENXIO;
}

static long getxattr_of(struct inode *i, struct task *t, struct span name,
                        void *to, size_t room)
{
	(void)t;
	if (!xattrs_name_ok(i, name))
		return -EOPNOTSUPP;
	return xattrs_get(&node_of(i)->xattrs, name, to, room);
}

static long setxattr_of(struct inode *i, struct task *t, struct span name,
                        struct span value, int flags)
{
	long err;

	(void)t;
	if (!xattrs_name_ok(i, name))
		return -EOPNOTSUPP;
	err = xattrs_set(&node_of(i)->xattrs, name, value, flags);
	if (err < 0)
		return err;
	inode_note_attr(i, name, true);
	touch(i);
	return 0;
}

static long listxattr_of(struct inode *i, struct task *t, char *to, size_t room)
{
	(void)t;
	return xattrs_list(&node_of(i)->xattrs, to, room);
}

static long removexattr_of(struct inode *i, struct task *t, struct span name)
{
	long err;

	(void)t;
	if (!xattrs_name_ok(i, name))
		return -EOPNOTSUPP;
	err = xattrs_remove(&node_of(i)->xattrs, name);
	if (err < 0)
		return err;
	inode_note_attr(i, name, false);
	touch(i);
	return 0;
}

static const struct inode_ops tmpfs_ops = {
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

static long dir_read(struct file *f, struct task *t, struct dirsink *sink)
{
	struct memdir *d = &node_of(f->inode)->dir;
	int64_t pos = MAX(f->pos, DOTS_FIRST);
	struct memdir_entry *e;

	(void)t;
	while ((e = memdir_at(d, pos)) != NULL) {
		struct span name = {(const uint8_t *)e->name, e->size};

		if (!sink->add(sink, name, e->inode->ino,
		               dots_type(e->inode->mode), e->pos + 1))
			break;
		pos = e->pos + 1;
	}
	return 0;
}

static const struct file_ops dir_ops = {
	.seek = dots_seek,
	.readdir = dir_read,
};

static long open_dir(struct inode *i, struct task *t, struct file *f)
{
	(void)i, (void)t;
	f->ops = &dir_ops;
	return 0;
}

static long statfs(struct superblock *sb, struct task *t, abi_statfs *out)
{
	struct filedata_quota *q = &fs_of(sb)->quota;
	uint64_t left = q->max - MIN(q->max, q->used);
	struct limits *l = &sb->kernel->limits;

	(void)t;
	if (!q->disk)
		left = MIN(left, l->memory - MIN(l->memory, l->memory_used));
	out->bsize = PAGE;
	out->frsize = PAGE;
	out->blocks = (int64_t)((q->used + left) / PAGE);
	out->bfree = (int64_t)(left / PAGE);
	out->bavail = out->bfree;
	out->files = (int64_t)(l->memory / 1024);
	out->ffree = (int64_t)(left / 1024);
	out->namelen = LIMIT_NAME;
	return 0;
}

static void destroy_sb(struct superblock *sb)
{
	limits_free(sb->kernel, sb->private, sizeof(struct tmpfs));
}

static const struct superblock_ops sb_ops = {
	.name = "tmpfs",
	.statfs = statfs,
	.destroy = destroy_sb,
};

static const struct superblock_ops dev_ops = {
	.name = "devtmpfs",
	.statfs = statfs,
	.destroy = destroy_sb,
};

static int create_as(struct kernel *k, const struct superblock_ops *ops,
                     uint64_t max_bytes, uint32_t root_mode,
                     struct superblock **out)
{
	struct inode_new how = {.mode = S_IFDIR | (root_mode & 07777)};
	struct tmpfs *fs = limits_alloc(k, sizeof(*fs));
	struct superblock *sb;

	if (!fs)
		return -ENOMEM;
	sb = inode_superblock_create(k, ops, TMPFS_MAGIC);
	if (!sb) {
		limits_free(k, fs, sizeof(*fs));
		return -ENOMEM;
	}
	fs->quota.max = max_bytes;
	list_init(&fs->doomed);
	sb->private = fs;
	sb->root = tmpfs_inode(sb, &how);
	if (!sb->root) {
		inode_superblock_put(sb);
		return -ENOMEM;
	}
	*out = sb;
	return 0;
}

int tmpfs_create(struct kernel *k, uint64_t max_bytes, uint32_t root_mode,
                 struct superblock **out)
{
	return create_as(k, &sb_ops, max_bytes, root_mode, out);
}

void tmpfs_use_disk(struct superblock *sb, uint64_t max_bytes)
{
	fs_of(sb)->quota.max = max_bytes;
	fs_of(sb)->quota.disk = true;
}

int tmpfs_create_dev(struct kernel *k, struct superblock **out)
{
	return create_as(k, &dev_ops, UINT64_MAX, 0755, out);
}

#define GONE " (deleted)"

/* The file system of files that never had a name; made when first wanted. */
static int nameless(struct kernel *k, struct superblock **out)
{
	int err = 0;

	if (!k->world->memfds)
		err = tmpfs_create(k, UINT64_MAX, 0700, &k->world->memfds);
	if (err == 0)
		*out = k->world->memfds;
	return err;
}

static int nameless_file(struct kernel *k, const char *prefix, const char *name,
                         uint32_t mode, struct file **out)
{
	struct inode_new how = {.mode = S_IFREG | mode};
	struct superblock *sb;
	struct tmpfs_node *n;
	struct inode *i;
	struct file *f;
	int err;

	err = nameless(k, &sb);
	if (err < 0)
		return err;
	i = tmpfs_inode(sb, &how);
	if (!i)
		return -ENOMEM;
	i->nlink = 0;
	n = node_of(i);
	n->label_room = strlen(prefix) + strlen(name) + sizeof(GONE);
	n->label = limits_alloc(k, n->label_room);
	f = n->label ? file_create(k, NULL, NULL, O_RDWR) : NULL;
	if (!f) {
		inode_put(i);
		return -ENOMEM;
	}
	(void)snprintf(n->label, n->label_room, "%s%s" GONE, prefix, name);
	err = tmpfs_file_open(i, f);
	assert(err == 0);
	err = file_name(f, i, n->label);
	if (err < 0) {
		file_put(f);
		return err;
	}
	*out = f;
	return 0;
}

int tmpfs_memfd(struct kernel *k, const char *name, uint32_t flags,
                struct file **out)
{
	uint32_t mode = flags & MFD_NOEXEC_SEAL ? 0666 : 0777;
	struct file *f;
	int err;

	err = nameless_file(k, "/memfd:", name, mode, &f);
	if (err < 0)
		return err;
	node_of(f->inode)->sealable = flags &
	                              (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (flags & MFD_NOEXEC_SEAL)
		node_of(f->inode)->data.seals = F_SEAL_EXEC;
	*out = f;
	return 0;
}

int tmpfs_shared(struct kernel *k, const char *name, uint64_t size,
                 struct file **out)
{
	struct file *f;
	long err;
	int made;

	made = nameless_file(k, "/", name, 0777, &f);
	if (made < 0)
		return made;
	err = filedata_truncate(&node_of(f->inode)->data, size);
	if (err < 0) {
		file_put(f);
		return (int)err;
	}
	*out = f;
	return 0;
}
