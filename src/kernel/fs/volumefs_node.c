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

static bool later(abi_timespec a, struct timespec b)
{
	return a.sec > b.tv_sec || (a.sec == b.tv_sec && a.nsec > b.tv_nsec);
}

static abi_timespec host_time(struct timespec t)
{
	return (abi_timespec){t.tv_sec, t.tv_nsec};
}

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
	i->ctime = time_of(n->tree.r.ctime);
	if (!later(i->ctime, st->st_ctim))
		i->ctime = host_time(st->st_ctim);
	if (!n->looked) {
		n->looked = true;
		n->shared = object_shared(st);
		n->sparse = object_held(st) <
		            round_up((uint64_t)st->st_size, 4096);
	}
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

int volumefs_node_enter(struct volumefs *fs, const struct tree_node *tree,
                        int object, struct inode **out)
{
	struct volumefs_node *n;
	struct inode *i;

	if (hashtable_reserve(&fs->nodes) < 0)
		goto close_object;
	n = limits_alloc(fs->kernel, sizeof(*n));
	if (!n)
		goto close_object;
	i = inode_create(fs->sb, &volumefs_names_ops, tree->r.mode);
	if (!i) {
		limits_free(fs->kernel, n, sizeof(*n));
		goto close_object;
	}
	*n = (struct volumefs_node){.inode = i,
	                            .fs = fs,
	                            .tree = *tree,
	                            .fd = object,
	                            .read_fd = -1,
	                            .looked = object >= 0};
	if (tree->older && !fs->cipher)
		n->late = INODE_SET_ATIME | INODE_SET_MTIME;
	n->tree.r.target = (struct span){NULL, 0};
	list_init(&n->dirty);
	list_init(&n->idle);
	filedata_name_init(&n->name, fs->kernel);
	i->private = n;
	i->ino = tree->ino;
	i->may_have = tree->r.xattr_bytes > 0 ? INODE_MAY_ALL : 0;
	i->blocks = 0;
	hashtable_add(&fs->nodes, &n->link, hashtable_mix(tree->ino));
	volumefs_lent_find(n);
	volumefs_node_fill(n);
	*out = i;
	return 0;

close_object:
	base_close(&object);
	return -ENOMEM;
}

int volumefs_node_get(struct volumefs *fs, uint64_t ino, struct inode **out)
{
	struct volumefs_node *n = find(fs, ino);
	struct tree_node tree;
	struct inode *i;
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
	err = volumefs_node_enter(fs, &tree, -1, &i);
	if (err < 0)
		return (int)err;
	err = volumefs_node_refresh(volumefs_node_of(i));
	if (err < 0) {
		inode_put(i);
		return (int)err;
	}
	*out = i;
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

	if (tree_forget(v, n->tree.ino, S_ISREG(r->mode)) < 0) {
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
	if (fs->volume && n->tree.r.nlink == 0)
		volumefs_node_orphan(n);
	else if (fs->volume && dirty && tree_update(fs->volume, &n->tree) < 0)
		fs->leaked = true;
	volumefs_lent_forget(n);
	hashtable_remove(&fs->nodes, &n->link);
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
	if (n->fd < 0) {
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
