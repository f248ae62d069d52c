/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes on their way to the disk: a table from keys to values, or to
 * nothing where the key is to go.  It is found by hash, since nearly all who
 * ask know the whole key.  Who wants the key behind one makes a skip list of
 * what was entered since somebody wanted that last.  Entries never move.
 *
 * An entry is made first, which may fail for lack of memory, and entered
 * later, which cannot: then rows of the hash table are too few, or none.
 */
#pragma once

#include "base/span.h"

#define PENDING_LEVELS 12

struct pending_entry {
	struct span key;
	struct span value;          /* empty if `gone` */
	bool gone;                  /* the key is to be deleted */
	uint64_t hash;              /* of the key */
	struct pending_entry *same; /* the next one of its row */
	/* The one entered after it; until then, for who made it. */
	struct pending_entry *link;
	/* Holds `value`, if it was entered with this key later; or NULL. */
	struct pending_entry *newer;
	uint8_t levels;               /* 0: not in the skip list yet */
	struct pending_entry *next[]; /* PENDING_LEVELS, then the bytes */
};

struct pending {
	struct pending_entry *oldest; /* and those entered after it, by link */
	struct pending_entry *newest;
	struct pending_entry *listed; /* up to this one they are in... */
	struct pending_entry *first[PENDING_LEVELS]; /* ...the skip list */
	struct pending_entry **rows;                 /* by hash; or NULL */
	size_t row_count;                            /* a power of two */
	uint64_t random;
	size_t count;
	size_t bytes; /* of keys and values */
};

void pending_init(struct pending *p);

/* Frees everything; the table is empty then. */
void pending_clear(struct pending *p);

/* A copy of both spans; value.at NULL makes a deletion.  NULL: no memory. */
must_check struct pending_entry *pending_make(struct span key,
                                              struct span value, bool gone);
void pending_free(struct pending_entry *e);

/* Takes over the entry; one with the same key has its value from then on. */
void pending_enter(struct pending *p, struct pending_entry *e);

/* The entry of that key, or NULL. */
struct pending_entry *pending_find(struct pending *p, struct span key);

/* The first entry whose key is not less, or NULL. */
struct pending_entry *pending_from(struct pending *p, struct span key);

/* As memcmp(3), a shorter key before a longer one that begins with it. */
int pending_compare(struct span a, struct span b);

/* Moves what `to` has no entry for from `from`, and frees the rest of it. */
void pending_merge(struct pending *to, struct pending *from);
