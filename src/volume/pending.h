/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes on their way to the disk: an ordered table from keys to values, or
 * to nothing where the key is to go.  A skip list: entries never move, and
 * the one behind a key is found as fast as the key.
 *
 * An entry is made first, which may fail for lack of memory, and entered
 * later, which cannot.
 */
#pragma once

#include "base/span.h"

#define PENDING_LEVELS 12

struct pending_entry {
	struct span key;
	struct span value; /* empty if `gone` */
	bool gone;         /* the key is to be deleted */
	uint8_t levels;
	struct pending_entry *link;   /* for who made it, until it is entered */
	struct pending_entry *next[]; /* `levels` of them, then the bytes */
};

struct pending {
	struct pending_entry *first[PENDING_LEVELS];
	uint64_t random;
	size_t count;
	size_t bytes; /* of keys and values */
};

void pending_init(struct pending *p);

/* Frees all entries; the table is empty then. */
void pending_clear(struct pending *p);

/* A copy of both spans; value.at NULL makes a deletion.  NULL: no memory. */
must_check struct pending_entry *pending_make(struct span key,
                                              struct span value, bool gone);
void pending_free(struct pending_entry *e);

/* Takes over the entry; one with the same key goes. */
void pending_enter(struct pending *p, struct pending_entry *e);

/* The entry of that key, or NULL. */
struct pending_entry *pending_find(const struct pending *p, struct span key);

/* The first entry whose key is not less, or NULL. */
struct pending_entry *pending_from(const struct pending *p, struct span key);

/* As memcmp(3), a shorter key before a longer one that begins with it. */
int pending_compare(struct span a, struct span b);

/* Moves what `to` has no entry for from `from`, and frees the rest of it. */
void pending_merge(struct pending *to, struct pending *from);
