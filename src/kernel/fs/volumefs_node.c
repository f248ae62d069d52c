/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/volumefs_node.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/dots.h"
#include "kernel/fs/volumefs_sealed.h"
#include "volume/object.h"

#define ENTRY_SIZE 32u /* what a name adds to a directory's size */

void volumefs_node_damaged(struct volumefs *fs, uint64_t ino, const char *what)
{
	(void)fs;
	(void)fprintf(stderr,
	              "bento-kernel: volume: inode %llu: %s is damaged\n",
	              (unsigned long long)ino, what);
}

/* ---- the table ---- */

static struct volumefs_node *find(const struct volumefs *fs, uint64_t ino)
{
	struct hashtable_link *at = hashtable_find(&fs->nodes,
	                                           hashtable_mix(ino));

	for (; at; at = hashtable_next(at)) {
		struct volumefs_node *n = volumefs_node_linked(at);

		if (n->tree.ino == ino)
			return n;
	}
	return NULL;
}

/* ---- attributes ---- */

static abi_timespec time_of(struct vrecord_time t)
{
	return (abi_timespec){t.sec, t.nsec};
}

void volumefs_node_fill(struct volumefs_node *n)
{
	const struct vrecord_inode *r = &n->tree.r;
	struct inode *i = n->inode;

	i->mode = r->mode;
	i->uid = r->uid;
	i->gid = r->gid;
	i->nlink = r->nlink;
	i->rdev = r->rdev;
	i->ctime = time_of(r->ctime);
	i->btime = time_of(r->btime);
	if (S_ISREG(r->mode) && !n->fs->cipher)
		return;
	i->size = S_ISDIR(r->mode) ? r->size * ENTRY_SIZE : r->size;
	i->atime = time_of(r->atime);
	i->mtime = time_of(r->mtime);
}

static bool later(abi_timespec a, abi_timespec b)
{
	return a.sec > b.sec || (a.sec == b.sec && a.nsec > b.nsec);
}

/*
 * Was the file written since its time was last set?  That changes both times, of
 * which the object keeps one: the host changes the object's other one when the
 * object is made, copied or linked, too, which is not of the guest's doing.
 */
static bool written(abi_timespec object, struct vrecord_time set)
{
	return object.sec != set.sec || object.nsec != set.nsec;
}

static abi_timespec host_time(struct timespec t)
{
	return (abi_timespec){t.tv_sec, t.tv_nsec};
}

/* What the host says; behind volumefs_node_fill(). */
static void look(struct volumefs_node *n, const struct stat *st)
{
	struct inode *i = n->inode;

	i->blocks = (uint64_t)st->st_blocks;
	if (n->fs->cipher) {
		n->sparse |= !n->looked &&
		             n->tree.r.charged < round_up(i->size, 4096);
		n->shared = n->looked ? n->shared : object_shared(st);
		n->looked = true;
		return;
	}
	i->size = (uint64_t)st->st_size;
	i->atime = host_time(st->st_atim);
	i->mtime = host_time(st->st_mtim);
	if (written(i->mtime, n->tree.r.mtime) && later(i->mtime, i->ctime))
		i->ctime = i->mtime;
	if (!n->looked) {
		n->looked = true;
		n->shared = object_shared(st);
		n->sparse = object_held(st) <
		            round_up((uint64_t)st->st_size, 4096);
	}
}

static void look_young(struct volumefs_node *n)
{
	struct inode *i = n->inode;

	i->blocks = volumefs_young_held(n) / 512;
	i->atime = time_of(n->tree.r.atime);
	i->mtime = time_of(n->tree.r.mtime);
}

static struct timespec late_time(const struct volumefs_node *n, uint32_t which,
                                 struct vrecord_time t)
{
	return n->late & which ? (struct timespec){t.sec, t.nsec}
	                       : (struct timespec){0, UTIME_OMIT};
}

void volumefs_node_set_late(struct volumefs_node *n)
{
	const struct vrecord_inode *r = &n->tree.r;
	const struct timespec times[2] = {
		late_time(n, INODE_SET_ATIME, r->atime),
		late_time(n, INODE_SET_MTIME, r->mtime)};

	if (n->young.is)
		return;
	/* That fails only where nothing else works either. */
	if (n->late)
		(void)futimens(n->fd, times);
	n->late = 0;
}

long volumefs_node_refresh(struct volumefs_node *n)
{
	struct stat st;
	int fd = n->fd >= 0 ? n->fd : n->read_fd;

	volumefs_node_set_late(n);
	volumefs_node_fill(n);
	if (!S_ISREG(n->tree.r.mode) || !n->fs->volume)
		return 0;
	if (n->young.is) {
		look_young(n);
		return 0;
	}
	if (fd >= 0) {
		if (fstat(fd, &st) < 0)
			return -errno;
	} else {
		int err = object_stat(n->fs->volume->objects_fd, n->tree.ino,
		                      &st);

		if (err < 0)
			return err == -ENOENT ? -EIO : err;
	}
	look(n, &st);
	return 0;
}

void volumefs_node_soil(struct volumefs_node *n)
{
	if (list_empty(&n->dirty))
		list_add_tail(&n->fs->dirty, &n->dirty);
}

void volumefs_node_soil_safe(struct volumefs_node *n)
{
	volumefs_node_soil(n);
	n->tree.batch = store_batch(n->fs->volume->store);
}

/* ---- making and going ---- */

struct volumefs_node *volumefs_node_create(struct volumefs *fs, uint32_t mode)
{
	struct volumefs_node *n;

	if (hashtable_reserve(&fs->nodes) < 0)
		return NULL;
	n = limits_alloc(fs->kernel, sizeof(*n));
	if (!n)
		return NULL;
	n->inode = inode_create(fs->sb, &volumefs_names_ops, mode);
	if (!n->inode) {
		limits_free(fs->kernel, n, sizeof(*n));
		return NULL;
	}
	n->inode->private = n;
	n->fs = fs;
	n->fd = n->read_fd = -1;
	list_init(&n->dirty);
	list_init(&n->idle);
	list_init(&n->young.link);
	filedata_name_init(&n->name, fs->kernel);
	return n;
}

void volumefs_node_enter(struct volumefs_node *n, const struct tree_node *tree,
                         int object)
{
	struct volumefs *fs = n->fs;
	struct inode *i = n->inode;

	n->tree = *tree;
	n->tree.r.target = (struct span){NULL, 0};
	n->fd = object;
	n->looked = object >= 0;
	if (tree->older && !fs->cipher)
		n->late = INODE_SET_ATIME | INODE_SET_MTIME;
	i->ino = tree->ino;
	i->may_have = tree->r.xattr_bytes > 0 ? INODE_MAY_ALL : 0;
	i->blocks = 0;
	hashtable_add(&fs->nodes, &n->link, hashtable_mix(tree->ino));
	volumefs_lent_find(n);
	volumefs_node_fill(n);
}

int volumefs_node_get(struct volumefs *fs, uint64_t ino, struct inode **out)
{
	struct volumefs_node *n = find(fs, ino);
	struct tree_node tree;
	long err;

	if (n) {
		*out = inode_get(n->inode);
		return 0;
	}
	err = tree_load(fs->volume, ino, &tree);
	if (err < 0) {
		volumefs_node_damaged(fs, ino, "its record");
		return err == -ENOENT ? -EIO : (int)err;
	}
	n = volumefs_node_create(fs, tree.r.mode);
	if (!n)
		return -ENOMEM;
	volumefs_node_enter(n, &tree, -1);
	err = volumefs_node_refresh(n);
	if (err < 0) {
		inode_put(n->inode);
		return (int)err;
	}
	*out = n->inode;
	return 0;
}

static void close_fds(struct volumefs_node *n)
{
	volumefs_node_set_late(n);
	base_close(&n->fd);
	base_close(&n->read_fd);
	n->fd = n->read_fd = -1;
}

static void leave_idle(struct volumefs_node *n)
{
	if (list_empty(&n->idle))
		return;
	list_del(&n->idle);
	n->fs->idle_count--;
}

static void enter_idle(struct volumefs_node *n)
{
	struct volumefs *fs = n->fs;

	leave_idle(n);
	list_add_tail(&fs->idle, &n->idle);
	fs->idle_count++;
	while (fs->idle_count > VOLUMEFS_NODE_FDS) {
		struct volumefs_node *old = list_first(
			&fs->idle, struct volumefs_node, idle);

		leave_idle(old);
		close_fds(old);
	}
}

bool volumefs_node_close(struct volumefs_node *n)
{
	if (n->pins > 0)
		return false;
	leave_idle(n);
	close_fds(n);
	return true;
}

/* The last name and the last user have gone. */
void volumefs_node_orphan(struct volumefs_node *n)
{
	struct volume *v = n->fs->volume;
	const struct vrecord_inode *r = &n->tree.r;

	if (tree_forget(v, n->tree.ino, S_ISREG(r->mode) && !n->young.is) < 0) {
		n->fs->leaked = true;
		return;
	}
	volume_uncharge(v, r->charged + r->xattr_bytes);
	volume_uncharge_inode(v);
}

void volumefs_node_destroy(struct volumefs_node *n)
{
	struct volumefs *fs = n->fs;
	bool dirty = !list_empty(&n->dirty);

	list_del(&n->dirty);
	leave_idle(n);
	close_fds(n);
	assert(!n->copy);
	if (n->tree.ino == 0)
		goto free_node; /* it was never entered */
	if (fs->volume && n->tree.r.nlink == 0)
		volumefs_node_orphan(n);
	else if (fs->volume && dirty && tree_update(fs->volume, &n->tree) < 0)
		fs->leaked = true;
	volumefs_young_end(n);
	volumefs_lent_forget(n);
	hashtable_remove(&fs->nodes, &n->link);
free_node:
	filedata_name_fini(&n->name);
	limits_free(fs->kernel, n, sizeof(*n));
}

/* ---- descriptors ---- */

static int open_object(struct volumefs_node *n, int flags)
{
	int fd;

	if (!n->fs->volume)
		return -EIO;
	fd = object_open(n->fs->volume->objects_fd, n->tree.ino, flags);
	if (fd == -EMFILE)
		return -ENFILE;
	if (fd == -ENOENT) {
		volumefs_node_damaged(n->fs, n->tree.ino, "its object");
		return -EIO;
	}
	return world_keep(n->fs->kernel, fd);
}

int volumefs_node_pin(struct volumefs_node *n)
{
	if (n->fd < 0 && !n->young.is) {
		int fd = open_object(n, O_RDWR);

		if (fd < 0)
			return fd;
		n->fd = fd;
	}
	n->pins++;
	leave_idle(n);
	inode_get(n->inode);
	return 0;
}

void volumefs_node_unpin(struct volumefs_node *n)
{
	assert(n->pins > 0);
	n->pins--;
	if (n->pins == 0) {
		if (n->fs->cipher && n->fs->volume)
			volumefs_sealed_closed(n);
		volumefs_node_set_late(n);
		if (n->fd >= 0)
			enter_idle(n);
	}
	inode_put(n->inode);
}

static int pin(void *node)
{
	return volumefs_node_pin(node);
}

static void unpin(void *node)
{
	volumefs_node_unpin(node);
}

const struct filejob_owner volumefs_node_owner = {
	.pin = pin, .unpin = unpin, .run = object_unshare};

int volumefs_node_read_fd(struct volumefs_node *n)
{
	if (n->read_fd < 0) {
		int fd = open_object(n, O_RDONLY);

		if (fd < 0)
			return fd;
		n->read_fd = fd;
	}
	return n->read_fd;
}
