/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory kept in memory: names to inodes, in order of arrival.
 *
 * Each entry has a position that is never given to another, so that a reader
 * who comes back with a position misses and repeats nothing, whatever was
 * added or taken out in between.
 */
#pragma once

#include "base/span.h"
#include "kernel/core/hashtable.h"
#include "kernel/core/kernel.h"

struct inode;

struct memdir_entry {
	struct hashtable_link link; /* in memdir.names */
	struct inode *inode;        /* owns a reference */
	int64_t pos;
	uint8_t size;
	char name[];
};

struct memdir {
	struct kernel *kernel;
	struct hashtable names;
	struct memdir_entry **order; /* by position; NULL where one left */
	size_t order_used;
	size_t order_room;
	int64_t next_pos;
};

void memdir_init(struct memdir *d, struct kernel *k);

/* Frees the tables.  The directory is empty. */
void memdir_fini(struct memdir *d);

/* The entry of that name, or NULL. */
struct memdir_entry *memdir_find(const struct memdir *d, struct span name);

/*
 * Adds a name that is not there.  Takes over the reference to `i` on success.
 * 0 or -ENOMEM.
 */
must_check int memdir_add(struct memdir *d, struct span name, struct inode *i);

/* Takes an entry out and returns its inode, with the reference. */
struct inode *memdir_remove(struct memdir *d, struct memdir_entry *e);

/* The first entry at `pos` or behind, or NULL. */
struct memdir_entry *memdir_at(const struct memdir *d, int64_t pos);
