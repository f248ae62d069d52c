/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/core/hashtable.h"

#include "kernel/core/limits.h"

#define CHAINS 4u /* at first */

void hashtable_fini(struct hashtable *h)
{
	limits_free(h->kernel, h->chain, h->chain_count * sizeof(*h->chain));
}

static void link_in(struct hashtable *h, struct hashtable_link *l)
{
	struct hashtable_link *
		*chain = &h->chain[l->hash & (h->chain_count - 1)];

	l->next = *chain;
	*chain = l;
}

int hashtable_reserve(struct hashtable *h)
{
	struct hashtable_link **old = h->chain;
	size_t old_count = h->chain_count;
	size_t count = old ? old_count * 2 : CHAINS;
	struct hashtable_link **chain;

	if (h->count < old_count)
		return 0;
	chain = limits_alloc(h->kernel, count * sizeof(*chain));
	if (!chain)
		return old ? 0 : -ENOMEM; /* longer chains do no harm */
	h->chain = chain;
	h->chain_count = count;
	for (size_t i = 0; i < old_count; i++) {
		while (old[i]) {
			struct hashtable_link *l = old[i];

			old[i] = l->next;
			link_in(h, l);
		}
	}
	limits_free(h->kernel, old, old_count * sizeof(*old));
	return 0;
}

void hashtable_add(struct hashtable *h, struct hashtable_link *l, uint32_t hash)
{
	l->hash = hash;
	link_in(h, l);
	h->count++;
}

void hashtable_remove(struct hashtable *h, struct hashtable_link *l)
{
	struct hashtable_link **at = &h->chain[l->hash & (h->chain_count - 1)];

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	h->count--;
}

struct hashtable_link *hashtable_after(const struct hashtable *h,
                                       const struct hashtable_link *l)
{
	size_t i = 0;

	if (l && l->next)
		return l->next;
	if (l)
		i = (l->hash & (h->chain_count - 1)) + 1;
	for (; i < h->chain_count; i++)
		if (h->chain[i])
			return h->chain[i];
	return NULL;
}
