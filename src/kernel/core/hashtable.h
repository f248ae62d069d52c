/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash tables of things that embed a link: chains, and twice as many of them
 * whenever there are as many links.
 *
 * What makes two things equal is the owner's business; it walks the links that
 * have the same hash.
 */
#pragma once

#include "base/base.h"
#include "base/span.h"

struct kernel;

struct hashtable_link {
	struct hashtable_link *next; /* in its chain */
	uint32_t hash;
};

/* All zero but for `kernel`, whose limits it is charged to: an empty table. */
struct hashtable {
	struct kernel *kernel;
	struct hashtable_link **chain;
	size_t chain_count; /* a power of two, or 0 */
	size_t count;       /* of links */
};

/* Frees the chains, not what is linked. */
void hashtable_fini(struct hashtable *h);

/* A hash of a number, or of an address. */
static inline uint32_t hashtable_mix(uint64_t n)
{
	return (uint32_t)(n * 0x9e3779b97f4a7c15u >> 32);
}

/* A hash of a name. */
static inline uint32_t hashtable_text(struct span text)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < text.size; i++)
		h = (h ^ text.at[i]) * 16777619u;
	return h ^ h >> 15;
}

/* Sees to it that one link can be added.  0 or -ENOMEM. */
must_check int hashtable_reserve(struct hashtable *h);

/* Adds a link; hashtable_reserve() came before. */
void hashtable_add(struct hashtable *h, struct hashtable_link *l,
                   uint32_t hash);

/* Takes out a link that is in it. */
void hashtable_remove(struct hashtable *h, struct hashtable_link *l);

/* The first link of that hash, and the next behind one; or NULL. */
static inline struct hashtable_link *hashtable_find(const struct hashtable *h,
                                                    uint32_t hash)
{
	struct hashtable_link *l;

	if (!h->chain)
		return NULL;
	l = h->chain[hash & (h->chain_count - 1)];
	while (l && l->hash != hash)
		l = l->next;
	return l;
}

static inline struct hashtable_link *hashtable_next(
	const struct hashtable_link *l)
{
	struct hashtable_link *next = l->next;

	while (next && next->hash != l->hash)
		next = next->next;
	return next;
}

/*
 * All links one after the other, in no order: the one behind `l`, or the first
 * for NULL; NULL at the end.
 */
struct hashtable_link *hashtable_after(const struct hashtable *h,
                                       const struct hashtable_link *l);
