/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/mount.h"

#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/dentry_table.h"
#include "kernel/fs/world.h"

#define MOUNTS_MAX 4096u

static const struct superblock_ops anonymous_ops = {.name = "anon_inodefs"};
static const struct inode_ops no_ops;

static struct mount *create(struct kernel *k, struct superblock *sb,
                            struct dentry *root, uint32_t flags,
                            const char *source)
{
	struct mount *m = limits_alloc(k, sizeof(*m));

	if (!m)
		return NULL;
	m->kernel = k;
	m->refs = 1;
	m->flags = flags;
	m->id = ++k->fs->last_mount_id;
	m->sb = inode_superblock_get(sb);
	m->root = dentry_get(root);
	list_init(&m->link);
	(void)snprintf(m->source, sizeof(m->source), "%s", source);
	return m;
}

/* The place where pipes, sockets and memory files are. */
static int create_nowhere(struct kernel *k, struct fs_world *w)
{
	struct superblock *sb;
	struct dentry *root;

	sb = inode_superblock_create(k, &anonymous_ops, 0x09041934);
	if (!sb)
		return -ENOMEM;
	w->anonymous = sb;
	sb->root = inode_create(sb, &no_ops, S_IFDIR | 0500);
	if (!sb->root)
		return -ENOMEM;
	root = dentry_root(sb);
	if (!root)
		return -ENOMEM;
	w->nowhere = create(k, sb, root, 0, "none");
	dentry_put(root);
	return w->nowhere ? 0 : -ENOMEM;
}

struct fs_world *mount_world(struct kernel *k)
{
	struct fs_world *w = k->fs;

	if (w)
		return w;
	w = limits_alloc(k, sizeof(*w));
	if (!w)
		return NULL;
	list_init(&w->mounts);
	list_init(&w->lock_waits);
	list_init(&w->marks);
	waitq_init(&w->mount_wait);
	w->dentries = dentry_table_create(k);
	k->fs = w;
	if (!w->dentries || create_nowhere(k, w) < 0) {
		mount_fini(k);
		return NULL;
	}
	return w;
}

struct mount *mount_get(struct mount *m)
{
	m->refs++;
	return m;
}

void mount_put(struct mount *m)
{
	if (!m || --m->refs > 0)
		return;
	assert(list_empty(&m->link));
	dentry_put(m->root);
	inode_superblock_put(m->sb);
	limits_free(m->kernel, m, sizeof(*m));
}

static void changed(struct fs_world *w)
{
	w->mounts_changed++;
	waitq_wake(&w->mount_wait, POLLPRI | POLLERR);
}

/* Puts a mount that is nowhere over `at` (NULL: as the root of all). */
static void attach(struct mount *m, const struct path *at)
{
	struct fs_world *w = m->kernel->fs;

	if (at) {
		m->parent = mount_get(at->mount);
		m->point = dentry_get(at->dentry);
		m->next_here = m->point->mounts;
		m->point->mounts = m;
	} else {
		w->root = m;
	}
	list_add_tail(&w->mounts, &m->link);
	mount_get(m);
	changed(w);
}

static void detach(struct mount *m)
{
	struct fs_world *w = m->kernel->fs;
	struct dentry *point = m->point;
	struct mount *parent = m->parent;

	if (point) {
		struct mount **here = &point->mounts;

		while (*here != m)
			here = &(*here)->next_here;
		*here = m->next_here;
	}
	if (w->root == m)
		w->root = NULL;
	m->parent = NULL;
	m->point = NULL;
	m->next_here = NULL;
	list_del(&m->link);
	changed(w);
	dentry_put(point);
	mount_put(parent);
	mount_put(m);
}

static struct mount *child_of(const struct mount *m)
{
	list_for_each (at, &m->kernel->fs->mounts) {
		struct mount *c = list_entry(at, struct mount, link);

		if (c->parent == m)
			return c;
	}
	return NULL;
}

/* Takes a mount and all below it away, the deepest first. */
static void detach_tree(struct mount *m)
{
	bool done = false;

	while (!done) {
		struct mount *deep = m, *c;

		while ((c = child_of(deep)))
			deep = c;
		done = deep == m;
		detach(deep);
	}
}

void mount_fini(struct kernel *k)
{
	struct fs_world *w = k->fs;

	if (!w)
		return;
	while (!list_empty(&w->mounts))
		detach_tree(list_first(&w->mounts, struct mount, link));
	mount_put(w->nowhere);
	if (w->anonymous)
		inode_superblock_put(w->anonymous);
	dentry_shrink(k, NULL);
	waitq_fini(&w->mount_wait);
	dentry_table_destroy(w->dentries);
	k->fs = NULL;
	limits_free(k, w, sizeof(*w));
}

struct mount *mount_over(const struct path *p)
{
	struct mount *m = p->dentry->mounts;

	while (m && m->parent != p->mount)
		m = m->next_here;
	return m;
}

/* The topmost of what is mounted on a place, with references. */
static struct path topmost(const struct path *at)
{
	struct path top = *at;
	struct mount *m;

	while ((m = mount_over(&top)))
		top = (struct path){m, m->root};
	path_get(&top);
	return top;
}

static bool may_cover(const struct path *at, const struct dentry *root)
{
	return inode_is(at->dentry->inode, S_IFDIR) ==
	       inode_is(root->inode, S_IFDIR);
}

static size_t count(const struct fs_world *w)
{
	size_t n = 0;

	list_for_each (at, &w->mounts)
		n++;
	return n;
}

/* mount_add() of a folder of a file system. */
static long add(struct kernel *k, struct superblock *sb, struct dentry *root,
                const struct path *at, uint32_t flags, const char *source,
                struct path *out)
{
	struct path top = {0};
	struct mount *m;

	if (count(k->fs) >= MOUNTS_MAX)
		return -ENOSPC;
	if (at && at->dentry) {
		if (!path_inode(at))
			return -ENOENT;
		if (!may_cover(at, root))
			return -ENOTDIR;
		if (at->dentry->deleted)
			return -ENOENT;
	}
	m = create(k, sb, root, flags, source);
	if (!m)
		return -ENOMEM;
	if (at && at->dentry) {
		top = topmost(at);
		attach(m, &top);
		path_put(&top);
	} else {
		attach(m, NULL);
	}
	if (out) {
		*out = (struct path){m, m->root};
		path_get(out);
	}
	mount_put(m);
	return 0;
}

long mount_add(struct kernel *k, struct superblock *sb, const struct path *at,
               uint32_t flags, const char *source, struct path *root)
{
	struct dentry *top;
	long err;

	if (!mount_world(k))
		return -ENOMEM;
	top = dentry_root(sb);
	if (!top)
		return -ENOMEM;
	err = add(k, sb, top, at, flags, source, root);
	dentry_put(top);
	return err;
}

/* Where the copy of the mount `m` is that a deep bind made; see below. */
static struct mount *copy_of(const struct mount *m, struct mount *const *from,
                             struct mount *const *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (from[i] == m)
			return to[i];
	return NULL;
}

#define BIND_MAX 128u

/* Copies what is mounted below `from` to the same places below `copy`. */
static long bind_below(struct kernel *k, const struct path *from,
                       struct mount *copy)
{
	struct mount *src[BIND_MAX] = {from->mount};
	struct mount *dst[BIND_MAX] = {copy};
	uint32_t last = copy->id;
	size_t n = 1;

	list_for_each (link, &k->fs->mounts) {
		struct mount *m = list_entry(link, struct mount, link);
		struct path at = {0}, made;
		long err;

		if (m->id >= last || !m->parent || n == BIND_MAX)
			continue;
		at.mount = copy_of(m->parent, src, dst, n);
		at.dentry = m->point;
		if (!at.mount || (m->parent == from->mount &&
		                  !dentry_is_below(m->point, from->dentry)))
			continue;
		err = add(k, m->sb, m->root, &at, m->flags, m->source, &made);
		if (err < 0)
			return err;
		src[n] = m;
		dst[n++] = made.mount;
		path_put(&made);
	}
	return 0;
}

long mount_bind(struct kernel *k, const struct path *from,
                const struct path *at, bool deep)
{
	struct path made;
	long err;

	if (!path_inode(from) || from->mount == k->fs->nowhere)
		return -EINVAL;
	err = add(k, from->mount->sb, from->dentry, at, from->mount->flags,
	          from->mount->source, &made);
	if (err < 0)
		return err;
	if (deep)
		err = bind_below(k, from, made.mount);
	if (err < 0)
		detach_tree(made.mount);
	path_put(&made);
	return err;
}

long mount_move(const struct path *from, const struct path *at)
{
	struct mount *m = from->mount;
	struct path top;

	if (!mount_is_root(from) || !m->parent)
		return -EINVAL;
	if (!path_inode(at) || !may_cover(at, m->root))
		return -ENOTDIR;
	for (struct mount *up = at->mount; up; up = up->parent)
		if (up == m)
			return -ELOOP;
	mount_get(m);
	top = topmost(at);
	detach(m);
	attach(m, &top);
	path_put(&top);
	mount_put(m);
	return 0;
}

long mount_remove(const struct path *p, bool lazily)
{
	struct mount *m = p->mount;

	if (!mount_is_root(p) || list_empty(&m->link))
		return -EINVAL;
	if (!m->parent)
		return -EBUSY;
	if (lazily) {
		detach_tree(m);
		return 0;
	}
	/* Its own reference and the caller's. */
	if (m->refs > 2 || child_of(m))
		return -EBUSY;
	detach(m);
	return 0;
}

bool mount_is_readonly(const struct path *p)
{
	return p->mount &&
	       ((p->mount->flags & MOUNT_RDONLY) || p->mount->sb->read_only);
}

struct mount *mount_next(struct kernel *k, const struct mount *m)
{
	struct list *head = &k->fs->mounts;
	struct list *next = m ? m->link.next : head->next;

	return next == head ? NULL : list_entry(next, struct mount, link);
}

size_t mount_options(const struct mount *m, char *to, size_t room)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{MOUNT_NOSUID, ",nosuid"},
		{MOUNT_NODEV, ",nodev"},
		{MOUNT_NOEXEC, ",noexec"},
		{MOUNT_NOATIME, ",noatime"},
		{MOUNT_NODIRATIME, ",nodiratime"},
		{MOUNT_RELATIME, ",relatime"},
	};
	bool ro = (m->flags & MOUNT_RDONLY) || m->sb->read_only;
	size_t n = 0;

	n += (size_t)snprintf(to, room, "%s", ro ? "ro" : "rw");
	for (size_t i = 0; i < ARRAY_LEN(names) && n < room; i++)
		if (m->flags & names[i].flag)
			n += (size_t)snprintf(to + n, room - n, "%s",
			                      names[i].name);
	return MIN(n, room);
}
