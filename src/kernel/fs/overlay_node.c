/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/overlay_node.h"

#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/task/cells.h"

static uint32_t hash_of(const struct inode *key)
{
	return hashtable_mix((uint64_t)(uintptr_t)key);
}

static void enter(struct overlay_node *n, struct inode *key)
{
	n->key = key;
	hashtable_add(&n->fs->nodes, &n->link, hash_of(key));
}

void overlay_node_forget(struct overlay_node *n)
{
	if (n->key)
		hashtable_remove(&n->fs->nodes, &n->link);
	n->key = NULL;
}

/*
 * Two names of one lower file become two files once one of them is written
 * to, so for those the name counts too.
 */
static struct overlay_node *find(const struct overlay *fs, struct inode *key,
                                 const struct overlay_node *parent,
                                 struct span name)
{
	struct hashtable_link *at = hashtable_find(&fs->nodes, hash_of(key));

	for (; at; at = hashtable_next(at)) {
		struct overlay_node *n = container_of(at, struct overlay_node,
		                                      link);

		if (n->key != key)
			continue;
		if (key == n->upper || inode_is(key, S_IFDIR))
			return n;
		if (n->parent == parent && n->name &&
		    span_eq(span_str(n->name), name))
			return n;
	}
	return NULL;
}

void overlay_node_fill(struct overlay_node *n)
{
	const struct inode *real = overlay_node_real(n);
	struct inode *i = n->inode;

	i->mode = real->mode;
	i->uid = real->uid;
	i->gid = real->gid;
	i->nlink = n->gone ? 0 : real->nlink;
	/* How many folders a merged one has is not worth counting. */
	if (inode_is(i, S_IFDIR) && n->lower && n->upper && i->nlink > 0)
		i->nlink = 1;
	i->size = real->size;
	i->blocks = real->blocks;
	i->rdev = real->rdev;
	i->may_have = real->may_have;
	i->atime = real->atime;
	i->mtime = real->mtime;
	i->ctime = real->ctime;
	i->btime = real->btime;
}

long overlay_node_refresh(struct overlay_node *n, struct task *t)
{
	long err = inode_refresh(overlay_node_real(n), t);

	if (err == 0)
		overlay_node_fill(n);
	return err;
}

/* A long line of parents is put one by one, not from within each other. */
static void put_parent(struct overlay *fs, struct inode *parent)
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

static void drop_name(struct overlay_node *n)
{
	struct inode *parent = n->parent ? n->parent->inode : NULL;

	if (n->name)
		limits_free(n->fs->kernel, n->name, strlen(n->name) + 1);
	n->name = NULL;
	n->parent = NULL;
	put_parent(n->fs, parent);
}

static int keep_name(struct overlay_node *n, struct overlay_node *parent,
                     struct span name)
{
	if (!parent || n->upper ||
	    (n->parent == parent && n->name &&
	     span_eq(span_str(n->name), name)))
		return 0;
	if (n->name)
		drop_name(n);
	n->name = limits_alloc(n->fs->kernel, name.size + 1);
	if (!n->name)
		return -ENOMEM;
	memcpy(n->name, name.at, name.size);
	inode_get(parent->inode);
	n->parent = parent;
	return 0;
}

/* A known node, as it was found again. */
static struct inode *known(struct overlay_node *n, struct overlay_node *parent,
                           struct span name, struct inode *lower,
                           struct inode *upper)
{
	if (inode_is(n->inode, S_IFDIR) && lower != n->lower && n->upper) {
		inode_put(n->lower);
		n->lower = lower ? inode_get(lower) : NULL;
	}
	inode_put(lower);
	inode_put(upper);
	if (keep_name(n, parent, name) < 0)
		return NULL;
	overlay_node_fill(n);
	return inode_get(n->inode);
}

struct inode *overlay_node_inode(struct overlay *fs,
                                 struct overlay_node *parent, struct span name,
                                 struct inode *lower, struct inode *upper)
{
	struct inode *key = upper ? upper : lower;
	struct overlay_node *n = find(fs, key, parent, name);
	struct inode *i;

	if (n)
		return known(n, parent, name, lower, upper);
	if (hashtable_reserve(&fs->nodes) < 0)
		goto put_real;
	n = limits_alloc(fs->kernel, sizeof(*n));
	if (!n)
		goto put_real;
	i = inode_create(fs->sb, fs->ops, key->mode);
	if (!i)
		goto free_node;

	n->inode = i;
	n->fs = fs;
	n->lower = lower;
	n->upper = upper;
	i->private = n;
	i->ino = key->ino;
	overlay_node_fill(n);
	if (keep_name(n, parent, name) < 0) {
		inode_put(i);
		return NULL;
	}
	enter(n, key);
	return i;

free_node:
	limits_free(fs->kernel, n, sizeof(*n));
put_real:
	inode_put(lower);
	inode_put(upper);
	return NULL;
}

void overlay_node_destroy(struct overlay_node *n)
{
	struct overlay *fs = n->fs;

	overlay_node_forget(n);
	inode_put(n->lower);
	inode_put(n->upper);
	inode_put(n->partial);
	drop_name(n);
	limits_free(fs->kernel, n, sizeof(*n));
}

void overlay_node_rise(struct overlay_node *n, struct inode *upper)
{
	bool hashed = n->key != NULL;

	overlay_node_forget(n);
	n->upper = upper;
	upper->ino = n->inode->ino;
	if (hashed)
		enter(n, upper);
	if (!inode_is(upper, S_IFDIR)) {
		inode_put(n->lower);
		n->lower = NULL;
		cells_recall_leases(n->fs->kernel);
	}
	n->gone = false;
	drop_name(n);
	overlay_node_fill(n);
}
