/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/hostnode.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "kernel/core/limits.h"

#define STATX_WANTED (STATX_BASIC_STATS | STATX_BTIME)
#define NOBODY       65534u
#define INO_BITS     44

static uint64_t dev_of(const struct statx *st)
{
	return makedev(st->stx_dev_major, st->stx_dev_minor);
}

static uint64_t born_of(const struct statx *st)
{
	if (!(st->stx_mask & STATX_BTIME))
		return 0;
	return (uint64_t)st->stx_btime.tv_sec * 1000000000u +
	       st->stx_btime.tv_nsec;
}

int hostnode_name(struct span name, char to[256])
{
	if (name.size == 0 || name.size > 255 || span_is(name, ".") ||
	    span_is(name, "..") || memchr(name.at, '/', name.size) ||
	    memchr(name.at, '\0', name.size))
		return -EINVAL;
	memcpy(to, name.at, name.size);
	to[name.size] = '\0';
	return 0;
}

int hostnode_statx(int dir, const char *name, struct statx *st)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;

	if (name[0] == '\0')
		flags |= AT_EMPTY_PATH;
	return statx(dir, name, flags, STATX_WANTED, st) < 0 ? -errno : 0;
}

/* Opens a relative path whose components are all real directories. */
static int open_beneath(struct hostfs *fs, int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint32_t)flags | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	                   RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	if (fd < 0)
		return errno == EMFILE ? -ENFILE : -errno;
	return world_keep(fs->kernel, (int)fd);
}

/* A second description of what `fd` holds, O_PATH or not. */
static int open_again(struct hostfs *fs, int fd, int flags)
{
	return world_reopen(fs->kernel, fd, flags);
}

/* ---- the table ---- */

static uint32_t hash_of(uint64_t dev, uint64_t ino)
{
	return hashtable_mix(ino ^ dev << 32);
}

static void unlink_node(struct hostnode *n)
{
	if (n->linked)
		hashtable_remove(&n->fs->nodes, &n->link);
	n->linked = false;
}

struct hostnode *hostnode_find(struct hostfs *fs, const struct statx *st)
{
	struct hashtable_link *at = hashtable_find(
		&fs->nodes, hash_of(dev_of(st), st->stx_ino));

	for (; at; at = hashtable_next(at)) {
		struct hostnode *n = container_of(at, struct hostnode, link);

		if (n->ino != st->stx_ino || n->dev != dev_of(st))
			continue;
		/* The number may have been used again for another file. */
		if (n->born == born_of(st) &&
		    (n->inode->mode & S_IFMT) == (st->stx_mode & S_IFMT))
			return n;
		unlink_node(n);
		return NULL;
	}
	return NULL;
}

/* ---- attributes ---- */

static abi_timespec time_of(struct statx_timestamp ts)
{
	return (abi_timespec){ts.tv_sec, ts.tv_nsec};
}

static uint32_t map_id(const struct hostfs *fs, uint32_t id, uint32_t host,
                       uint32_t guest)
{
	if (fs->options.of_root)
		return 0;
	/* In a user namespace of our own, root has no number. */
	if (fs->options.template)
		return id == NOBODY ? 0 : id;
	return id == host ? guest : NOBODY;
}

void hostnode_fill(struct hostnode *n, const struct statx *st)
{
	const struct hostfs_options *o = &n->fs->options;
	struct inode *i = n->inode;

	i->mode = st->stx_mode;
	i->uid = map_id(n->fs, st->stx_uid, o->host_uid, o->guest_uid);
	i->gid = map_id(n->fs, st->stx_gid, o->host_gid, o->guest_gid);
	i->nlink = st->stx_nlink;
	i->size = st->stx_size;
	i->blocks = st->stx_blocks;
	i->rdev = makedev(st->stx_rdev_major, st->stx_rdev_minor);
	i->atime = time_of(st->stx_atime);
	i->mtime = time_of(st->stx_mtime);
	i->ctime = time_of(st->stx_ctime);
	i->btime = st->stx_mask & STATX_BTIME ? time_of(st->stx_btime)
	                                      : i->mtime;
	n->checked_ns = timer_now();
}

/* Devices of the host in the order we met them share one row of numbers. */
uint64_t hostnode_number(const struct hostfs *fs, uint64_t dev, uint64_t ino)
{
	uint64_t *known = fs->kernel->world->host_dev;
	uint64_t at = 0;

	while (at < WORLD_DEVS - 1 && known[at] != 0 && known[at] != dev)
		at++;
	if (known[at] == 0)
		known[at] = dev;
	return ino ^ at << INO_BITS;
}

int hostnode_place(struct hostnode *n, struct hostnode *parent,
                   struct span name)
{
	struct kernel *k = n->fs->kernel;
	struct inode *old = n->parent ? n->parent->inode : NULL;
	char *copy;

	if (n->parent == parent && n->name && span_eq(span_str(n->name), name))
		return 0;
	copy = limits_alloc(k, name.size + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, name.at, name.size);
	if (n->name)
		limits_free(k, n->name, strlen(n->name) + 1);
	n->name = copy;
	if (n->parent != parent) {
		inode_get(parent->inode);
		n->parent = parent;
		inode_put(old);
	}
	return 0;
}

struct inode *hostnode_inode(struct hostfs *fs, struct hostnode *parent,
                             struct span name, const struct statx *st)
{
	struct hostnode *n = hostnode_find(fs, st);
	struct inode *i;

	if (n) {
		hostnode_fill(n, st);
		if (parent && hostnode_place(n, parent, name) < 0)
			return NULL;
		return inode_get(n->inode);
	}
	if (hashtable_reserve(&fs->nodes) < 0)
		return NULL;
	n = limits_alloc(fs->kernel, sizeof(*n));
	if (!n)
		return NULL;
	i = inode_create(fs->sb, fs->ops, st->stx_mode);
	if (!i) {
		limits_free(fs->kernel, n, sizeof(*n));
		return NULL;
	}
	n->inode = i;
	n->fs = fs;
	n->path_fd = n->read_fd = n->write_fd = -1;
	n->dev = dev_of(st);
	n->ino = st->stx_ino;
	n->born = born_of(st);
	list_init(&n->idle);
	i->private = n;
	i->ino = hostnode_number(fs, n->dev, n->ino);
	hostnode_fill(n, st);
	hashtable_add(&fs->nodes, &n->link, hash_of(n->dev, n->ino));
	n->linked = true;
	if (parent && hostnode_place(n, parent, name) < 0) {
		inode_put(i);
		return NULL;
	}
	return i;
}

/* ---- descriptors ---- */

static void close_fds(struct hostnode *n)
{
	base_close(&n->path_fd);
	base_close(&n->read_fd);
	base_close(&n->write_fd);
	n->path_fd = n->read_fd = n->write_fd = -1;
}

static void leave_idle(struct hostnode *n)
{
	if (!list_empty(&n->idle)) {
		list_del(&n->idle);
		n->fs->idle_count--;
	}
}

/* The node has descriptors and nobody needs them now. */
static void enter_idle(struct hostnode *n)
{
	struct hostfs *fs = n->fs;

	leave_idle(n);
	list_add_tail(&fs->idle, &n->idle);
	fs->idle_count++;
	while (fs->idle_count > HOSTNODE_FDS) {
		struct hostnode *old = list_first(&fs->idle, struct hostnode,
		                                  idle);

		leave_idle(old);
		close_fds(old);
	}
}

/* A long line of parents is put one by one, not from within each other. */
static void put_parent(struct hostfs *fs, struct inode *parent)
{
	if (fs->putting) {
		fs->put_next = parent;
		return;
	}
	fs->putting = true;
	while (parent) {
		fs->put_next = NULL;
		inode_put(parent);
		parent = fs->put_next;
	}
	fs->putting = false;
}

void hostnode_destroy(struct hostnode *n)
{
	struct hostfs *fs = n->fs;
	struct inode *parent = n->parent ? n->parent->inode : NULL;

	unlink_node(n);
	leave_idle(n);
	close_fds(n);
	if (n->name)
		limits_free(fs->kernel, n->name, strlen(n->name) + 1);
	limits_free(fs->kernel, n, sizeof(*n));
	put_parent(fs, parent);
}

static bool same(const struct hostnode *n, const struct statx *st)
{
	return n->ino == st->stx_ino && n->dev == dev_of(st);
}

/* Closes `fd` unless it is the node. */
static int believe(const struct hostnode *n, int fd)
{
	struct statx st;
	int err;

	if (fd < 0)
		return fd;
	err = hostnode_statx(fd, "", &st);
	if (err == 0 && !same(n, &st))
		err = -ESTALE;
	if (err < 0) {
		close(fd);
		return err;
	}
	return fd;
}

/*
 * Up to the next directory that is open, then down in one step.  `path` has
 * LIMIT_PATH bytes; the names are put in from its end.
 */
static int open_dir(struct hostnode *n)
{
	autofree char *path = malloc(LIMIT_PATH);
	struct hostnode *top = n;
	size_t at = LIMIT_PATH - 1;

	if (!path)
		return -ENOMEM;
	path[at] = '\0';
	while (top->path_fd < 0) {
		size_t size;

		if (!top->parent)
			return -ESTALE;
		size = strlen(top->name);
		if (size + 1 > at)
			return -ENAMETOOLONG;
		if (path[at] != '\0')
			path[--at] = '/';
		at -= size;
		memcpy(path + at, top->name, size);
		top = top->parent;
	}
	return believe(n, open_beneath(n->fs, top->path_fd, path + at,
	                               O_PATH | O_DIRECTORY));
}

int hostnode_dir(struct hostnode *n)
{
	if (n->path_fd < 0) {
		int fd = open_dir(n);

		if (fd < 0)
			return fd;
		n->path_fd = fd;
	}
	if (n->parent && n->pins == 0)
		enter_idle(n);
	return n->path_fd;
}

int hostnode_open(struct hostnode *n, int flags)
{
	int dir;

	if (!(flags & O_PATH)) /* openat2 refuses what means nothing */
		flags |= O_NOCTTY | O_NONBLOCK;
	if (n->path_fd >= 0) {
		if (inode_is(n->inode, S_IFDIR))
			return open_beneath(n->fs, n->path_fd, ".", flags);
		return open_again(n->fs, n->path_fd, flags);
	}
	if (n->write_fd >= 0)
		return open_again(n->fs, n->write_fd, flags);
	if (n->read_fd >= 0)
		return open_again(n->fs, n->read_fd, flags);
	if (!n->parent)
		return -ESTALE;
	dir = hostnode_dir(n->parent);
	if (dir < 0)
		return dir;
	return believe(n, open_beneath(n->fs, dir, n->name, flags));
}

int hostnode_stat(struct hostnode *n, struct statx *st)
{
	int dir;
	int err;

	if (n->path_fd >= 0)
		return hostnode_statx(n->path_fd, "", st);
	if (n->write_fd >= 0 || n->read_fd >= 0)
		return hostnode_statx(
			n->write_fd >= 0 ? n->write_fd : n->read_fd, "", st);
	if (!n->parent)
		return -ESTALE;
	dir = hostnode_dir(n->parent);
	if (dir < 0)
		return dir;
	err = hostnode_statx(dir, n->name, st);
	return err == 0 && !same(n, st) ? -ESTALE : err;
}

static int open_write(struct hostnode *n)
{
	int fd = hostnode_open(n, O_RDWR);

	n->write_only = fd == -EACCES;
	if (fd == -EACCES)
		fd = hostnode_open(n, O_WRONLY);
	return fd;
}

int hostnode_pin(struct hostnode *n, bool write)
{
	int *fd = write ? &n->write_fd : &n->read_fd;

	if (*fd < 0) {
		int got = write ? open_write(n) : hostnode_open(n, O_RDONLY);

		if (got < 0)
			return got;
		*fd = got;
	}
	n->pins++;
	leave_idle(n);
	inode_get(n->inode);
	return 0;
}

void hostnode_unpin(struct hostnode *n)
{
	assert(n->pins > 0);
	n->pins--;
	/* Closed at once for writing: the host may want to execute it. */
	if (n->pins == 0) {
		base_close(&n->write_fd);
		if (n->inode->nlink == 0)
			close_fds(n);
		else if (n->read_fd >= 0 && n->parent)
			enter_idle(n);
	}
	inode_put(n->inode);
}

int hostnode_read_fd(struct hostnode *n)
{
	if (n->read_fd < 0)
		n->read_fd = hostnode_open(n, O_RDONLY);
	if (n->read_fd < 0) {
		int err = n->read_fd;

		n->read_fd = -1;
		return err;
	}
	return n->read_fd;
}
