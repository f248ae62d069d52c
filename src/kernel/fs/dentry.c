/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/dentry.h"

#include <stdio.h>

#include "kernel/core/limits.h"
#include "kernel/fs/dentry_table.h"
#include "kernel/fs/inotify.h"

/* Kept though nobody uses them, in all. */
#define UNUSED_MAX 32768u

struct dentry_name {
	uint32_t refs;
	uint32_t size;
	char text[];
};

static struct dentry_table *table_of(const struct superblock *sb)
{
	return sb->kernel->fs->dentries;
}

static void name_put(struct kernel *k, struct dentry_name *n)
{
	if (n && --n->refs == 0)
		limits_free(k, n, sizeof(*n) + n->size);
}

static int name_set(struct dentry *d, struct kernel *k, struct span name)
{
	char *to = d->short_name;

	assert(name.size <= LIMIT_NAME);
	if (name.size > sizeof(d->short_name)) {
		d->long_name = limits_alloc(k,
		                            sizeof(*d->long_name) + name.size);
		if (!d->long_name)
			return -ENOMEM;
		d->long_name->refs = 1;
		d->long_name->size = (uint32_t)name.size;
		to = d->long_name->text;
	}
	memcpy(to, name.at, name.size);
	d->name = to;
	d->size = (uint16_t)name.size;
	return 0;
}

static struct dentry *create(struct superblock *sb, struct dentry *parent,
                             struct span name)
{
	struct kernel *k = sb->kernel;
	struct dentry *d = limits_alloc(k, sizeof(*d));

	if (!d) {
		/* What is cached only may go first. */
		dentry_shrink(k, NULL);
		d = limits_alloc(k, sizeof(*d));
	}
	if (!d)
		return NULL;
	if (name_set(d, k, name) < 0) {
		limits_free(k, d, sizeof(*d));
		return NULL;
	}
	d->refs = 1;
	d->sb = sb;
	d->parent = parent ? dentry_get(parent) : NULL;
	list_init(&d->lru);
	return d;
}

struct dentry *dentry_root(struct superblock *sb)
{
	struct dentry *d = sb->root_dentry;

	if (d)
		return dentry_get(d);
	d = create(sb, NULL, span_str(""));
	if (!d)
		return NULL;
	d->inode = inode_get(sb->root);
	sb->root_dentry = d;
	return d;
}

struct dentry *dentry_nameless(struct inode *i, const char *name)
{
	struct dentry *d = create(i->sb, NULL, span_str(""));

	if (!d)
		return NULL;
	d->name = name;
	d->size = (uint16_t)strlen(name);
	d->inode = inode_get(i);
	return d;
}

struct dentry *dentry_unlinked(struct dentry *dir, struct inode *i)
{
	char name[24];
	struct dentry *d;

	(void)snprintf(name, sizeof(name), "#%llu", (unsigned long long)i->ino);
	d = create(dir->sb, dir, span_str(name));
	if (!d)
		return NULL;
	d->inode = inode_get(i);
	d->deleted = true;
	return d;
}

struct dentry *dentry_get(struct dentry *d)
{
	if (d->refs++ == 0)
		dentry_table_use(table_of(d->sb), d);
	return d;
}

static void unhash(struct dentry *d)
{
	if (!d->hashed)
		return;
	dentry_table_remove(table_of(d->sb), d);
	d->hashed = false;
}

/* Frees one without references; returns the parent, still referred to. */
static struct dentry *destroy(struct dentry *d)
{
	struct dentry *parent = d->parent;
	struct kernel *k = d->sb->kernel;
	struct inode *i = d->inode;

	unhash(d);
	if (d->sb->root_dentry == d)
		d->sb->root_dentry = NULL;
	name_put(k, d->long_name);
	if (i && d->deleted && i->nlink == 0)
		inotify_deleted(i);
	limits_free(k, d, sizeof(*d));
	inode_put(i);
	return parent;
}

/* dentry_put() without the trimming. */
static void drop(struct dentry *d)
{
	while (d && --d->refs == 0) {
		if (d->hashed && d->sb->cache != SUPERBLOCK_NO_CACHE) {
			dentry_table_rest(table_of(d->sb), d);
			return;
		}
		d = destroy(d);
	}
}

/* Frees one of the unused, and what that leaves without a use. */
static void evict(struct dentry_table *table, struct dentry *d)
{
	dentry_table_use(table, d);
	drop(destroy(d));
}

void dentry_put(struct dentry *d)
{
	struct dentry_table *table;
	struct list *unused;

	if (!d)
		return;
	table = table_of(d->sb);
	drop(d);
	unused = dentry_table_unused(table);
	while (dentry_table_unused_count(table) > UNUSED_MAX)
		evict(table, list_first(unused, struct dentry, lru));
}

/* May the cache answer for this name still? */
static bool believed(const struct dentry *d)
{
	uint32_t cache = d->sb->cache;

	if (cache == SUPERBLOCK_CACHE_FOREVER)
		return true;
	if (cache == SUPERBLOCK_NO_CACHE)
		return false;
	return timer_now() - d->checked_ns < cache * 1000000ull;
}

/* The dentry for what was just found, in place of `old`, if there is one. */
static long enter(struct dentry *dir, struct span name, uint32_t hash,
                  struct dentry *old, struct inode *i, struct dentry **out)
{
	struct dentry *d;

	if (old && (old->inode == i || old->mounts)) {
		inode_put(i);
		d = dentry_get(old);
	} else {
		d = create(dir->sb, dir, name);
		if (!d) {
			inode_put(i);
			return -ENOMEM;
		}
		/* Making room may have freed the old one. */
		old = dentry_table_find(table_of(dir->sb), dir, name, hash);
		if (old) {
			dentry_get(old);
			if (!i || dir->sb->cache != SUPERBLOCK_NO_CACHE)
				old->deleted = true;
			unhash(old);
			dentry_put(old);
		}
		d->inode = i;
		d->hash = hash;
		dentry_table_add(table_of(dir->sb), d);
		d->hashed = true;
	}
	if (dir->sb->cache > SUPERBLOCK_NO_CACHE)
		d->checked_ns = timer_now();
	*out = d;
	return 0;
}

long dentry_lookup(struct task *t, struct dentry *dir, struct span name,
                   struct dentry **out)
{
	uint32_t hash = dentry_table_hash(dir, name);
	struct dentry *d;
	struct inode *i = NULL;
	long err;

	d = dentry_table_find(table_of(dir->sb), dir, name, hash);
	if (d && believed(d)) {
		*out = dentry_get(d);
		return 0;
	}
	if (name.size > LIMIT_NAME)
		return -ENAMETOOLONG;
	if (!dir->inode->ops->lookup)
		return -ENOTDIR;
	if (!dir->deleted) {
		err = dir->inode->ops->lookup(dir->inode, t, name, &i);
		if (err < 0 && err != -ENOENT)
			return err;
		if (err < 0)
			i = NULL;
	}
	return enter(dir, name, hash, d, i, out);
}

void dentry_fill(struct dentry *d, struct inode *i)
{
	assert(!d->inode);
	d->inode = i;
	if (d->sb->cache > SUPERBLOCK_NO_CACHE)
		d->checked_ns = timer_now();
}

void dentry_delete(struct dentry *d)
{
	d->deleted = true;
	unhash(d);
}

/* Takes the name and place of `to` in the tree. */
static void take_place(struct dentry *d, struct dentry *to)
{
	struct kernel *k = d->sb->kernel;
	struct dentry *old = d->parent;

	name_put(k, d->long_name);
	d->long_name = to->long_name;
	if (d->long_name) {
		d->long_name->refs++;
		d->name = d->long_name->text;
	} else {
		memcpy(d->short_name, to->short_name, sizeof(d->short_name));
		d->name = d->short_name;
	}
	d->size = to->size;
	d->hash = to->hash;
	d->parent = dentry_get(to->parent);
	dentry_put(old);
}

static void rehash(struct dentry *d)
{
	d->hash = dentry_table_hash(d->parent, dentry_name_span(d));
	if (d->sb->cache > SUPERBLOCK_NO_CACHE)
		d->checked_ns = timer_now();
	dentry_table_add(table_of(d->sb), d);
	d->hashed = true;
}

void dentry_move(struct dentry *from, struct dentry *to)
{
	unhash(from);
	dentry_delete(to);
	take_place(from, to);
	rehash(from);
}

void dentry_exchange(struct dentry *from, struct dentry *to)
{
	struct dentry keep = *to;

	unhash(from);
	unhash(to);
	if (keep.long_name)
		keep.long_name->refs++;
	dentry_get(keep.parent);
	take_place(to, from);
	take_place(from, &keep);
	dentry_put(keep.parent);
	name_put(from->sb->kernel, keep.long_name);
	rehash(from);
	rehash(to);
}

bool dentry_is_below(const struct dentry *d, const struct dentry *top)
{
	while (d && d != top)
		d = d->parent;
	return d == top;
}

void dentry_shrink(struct kernel *k, const struct superblock *sb)
{
	struct dentry_table *table = k->fs ? k->fs->dentries : NULL;
	struct list *unused, *at;

	if (!table)
		return;
	/* Parents that become unused go to the end, and are met there. */
	unused = dentry_table_unused(table);
	at = unused;
	while (at->next != unused) {
		struct dentry *d = list_first(at, struct dentry, lru);

		if (!sb || d->sb == sb)
			evict(table, d);
		else
			at = at->next;
	}
}
