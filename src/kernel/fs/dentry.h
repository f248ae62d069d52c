/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dentry cache: names in directories, and that there is no such name.
 *
 * All dentries hang in one hash table by (directory, name).  One nobody refers
 * to stays on a list, oldest first, until there are too many or memory is
 * short.  A child refers to its parent, so only leaves are on that list.
 *
 * How long a name is believed is its superblock's business.  When a look-up
 * after that yields the same inode the dentry stays; else it leaves the table
 * (whoever has it keeps it) and a new one takes its place.
 *
 * A dentry that left the table because its file was removed is `deleted`.
 */
#pragma once

#include "kernel/fs/inode.h"
#include "kernel/fs/mount.h"

#define DENTRY_SHORT 32

/* A name too long to lie in the dentry; shared when a file is renamed over. */
struct dentry_name;

struct dentry {
	struct dentry *next;   /* in its bucket */
	struct dentry *parent; /* owns a reference; NULL: root or nameless */
	struct inode *inode;   /* owns a reference; NULL: no such file */
	struct superblock *sb; /* borrowed: an ancestor's inode holds it */
	const char *name;
	uint32_t hash;
	uint32_t refs;
	uint16_t size; /* of the name */
	bool hashed;
	bool deleted;
	bool linkable;        /* of O_TMPFILE: may get a name by link(2) */
	struct mount *mounts; /* over it; mount.next_here */
	struct list lru;      /* in the list while refs is 0 */
	uint64_t checked_ns;  /* when the file system last said so */
	struct dentry_name *long_name;
	char short_name[DENTRY_SHORT];
};

/* The root of a file system; always the same one.  New reference, or NULL. */
must_check struct dentry *dentry_root(struct superblock *sb);

/* A dentry in no directory.  `name` is borrowed for good.  NULL: no memory. */
must_check struct dentry *dentry_nameless(struct inode *i, const char *name);

/* A deleted dentry of `dir` for a file that never had a name. */
must_check struct dentry *dentry_unlinked(struct dentry *dir, struct inode *i);

struct dentry *dentry_get(struct dentry *d);
void dentry_put(struct dentry *d); /* accepts NULL */

/*
 * The dentry of a name: from the cache if it is still believed, else asked of
 * the file system.  Negative if there is no such file.  0 and a new reference,
 * or a negative errno; `t` may be NULL where the file system allows it.
 */
must_check long dentry_lookup(struct task *t, struct dentry *dir,
                              struct span name, struct dentry **out);

/* A negative dentry's file was made.  Takes over the reference to `i`. */
void dentry_fill(struct dentry *d, struct inode *i);

/* Its file was removed, or it is not what the name means any more. */
void dentry_delete(struct dentry *d);

/*
 * `from` was renamed to where `to` is (positive or negative), which is deleted
 * by that; or they changed places.
 */
void dentry_move(struct dentry *from, struct dentry *to);
void dentry_exchange(struct dentry *from, struct dentry *to);

/* Is `d` equal to `top`, or below it? */
bool dentry_is_below(const struct dentry *d, const struct dentry *top);

/* Drops what nobody uses: of one file system, or (NULL) of all. */
void dentry_shrink(struct kernel *k, const struct superblock *sb);

static inline struct span dentry_name_span(const struct dentry *d)
{
	return (struct span){(const uint8_t *)d->name, d->size};
}
