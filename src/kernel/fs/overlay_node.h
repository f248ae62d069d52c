/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An overlay's inodes: each stands for a real one below (`lower`, never
 * changed), above (`upper`), or, if a directory, for both.
 *
 *	lower only  ->  upper (and lower still, for a directory)   copy-up
 *
 * A name in an upper directory that is a character device 0/0 is a whiteout:
 * it says that there is no such name, whatever the lower one has.  An upper
 * directory with the attribute trusted.overlay.opaque hides a lower one of
 * the same name.  Guests can make and see neither.
 *
 * Where two read-only sides are joined, nothing is ever changed, and only what
 * is a directory in both has a node: for the template under a qube's root, that
 * costs a look-up in a few directories and nothing below them.
 *
 * A directory with a lower one never changes its place (rename(2) says EXDEV,
 * as Linux's overlay does), so the way from the root to something not yet
 * copied up stays what it was when it was looked up; `parent` and `name` keep
 * it until then.
 */
#pragma once

#include "kernel/core/hashtable.h"
#include "kernel/fs/inode.h"

struct overlay {
	struct kernel *kernel;
	struct superblock *sb;
	const struct inode_ops *ops; /* of its inodes */
	struct superblock *lower;
	struct superblock *upper;
	bool joined; /* overlay_join(): only directories of both are ours */
	struct hashtable nodes;
	bool putting;
	struct inode *put_next;
};

/* inode.private */
struct overlay_node {
	struct inode *inode;
	struct overlay *fs;
	struct inode *lower; /* own references */
	struct inode *upper;
	struct overlay_node *parent; /* while there is no upper; a reference */
	char *name;                  /* while there is no upper */
	struct hashtable_link link;  /* in fs->nodes */
	struct inode *key;           /* ... by this; NULL: it is not there */
	bool gone;                   /* removed without ever having an upper */
	struct inode *partial;       /* the copy under way, without a name */
	int64_t partial_pos;
};

static inline struct overlay_node *overlay_node_of(const struct inode *i)
{
	return i->private;
}

/* Where attributes and contents are now. */
static inline struct inode *overlay_node_real(const struct overlay_node *n)
{
	return n->upper ? n->upper : n->lower;
}

/*
 * The inode that stands for these two (either may be NULL), found under
 * `name` in `parent` (NULL: the root or nameless).  Takes over the references
 * to both whatever happens.  NULL: no memory.
 */
must_check struct inode *overlay_node_inode(struct overlay *fs,
                                            struct overlay_node *parent,
                                            struct span name,
                                            struct inode *lower,
                                            struct inode *upper);

/* From inode_ops.destroy. */
void overlay_node_destroy(struct overlay_node *n);

/* The copy is in place: takes over the reference to `upper`. */
void overlay_node_rise(struct overlay_node *n, struct inode *upper);

/* No look-up finds it any more. */
void overlay_node_forget(struct overlay_node *n);

/* Copies the real inode's attributes. */
void overlay_node_fill(struct overlay_node *n);

/* The same after bringing those up to date. */
must_check long overlay_node_refresh(struct overlay_node *n, struct task *t);
