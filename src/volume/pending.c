/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/pending.h"

void pending_init(struct pending *p)
{
	*p = (struct pending){.random = 0x9e3779b97f4a7c15u};
}

void pending_free(struct pending_entry *e)
{
	free(e);
}

void pending_clear(struct pending *p)
{
	struct pending_entry *e = p->first[0];

	while (e) {
		struct pending_entry *next = e->next[0];

		pending_free(e);
		e = next;
	}
	pending_init(p);
}

int pending_compare(struct span a, struct span b)
{
	size_t size = MIN(a.size, b.size);
	int order = size ? memcmp(a.at, b.at, size) : 0;

	if (order != 0)
		return order;
	return a.size < b.size ? -1 : a.size > b.size;
}

/*
 * Room for the tallest entry is always there: how tall it is is drawn when it
 * is entered.
 */
struct pending_entry *pending_make(struct span key, struct span value,
                                   bool gone)
{
	size_t links = PENDING_LEVELS * sizeof(struct pending_entry *);
	struct pending_entry *e;
	uint8_t *bytes;

	e = calloc(1, sizeof(*e) + links + key.size + value.size);
	if (!e)
		return NULL;
	bytes = (uint8_t *)e + sizeof(*e) + links;
	memcpy(bytes, key.at, key.size);
	if (value.size)
		memcpy(bytes + key.size, value.at, value.size);
	e->key = (struct span){bytes, key.size};
	e->value = (struct span){bytes + key.size, value.size};
	e->gone = gone;
	return e;
}

/* One level more in each of four cases. */
static uint8_t draw(struct pending *p)
{
	uint8_t levels = 1;
	uint64_t r;

	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	for (r = p->random; levels < PENDING_LEVELS && (r & 3) == 0; r >>= 2)
		levels++;
	return levels;
}

/*
 * For each level the link that leads to the first entry not less than the
 * key: its address in at[].
 */
static struct pending_entry *seek(struct pending *p, struct span key,
                                  struct pending_entry **at[PENDING_LEVELS])
{
	struct pending_entry **row = p->first;

	for (int level = PENDING_LEVELS - 1; level >= 0; level--) {
		while (row[level] && pending_compare(row[level]->key, key) < 0)
			row = row[level]->next;
		at[level] = &row[level];
	}
	return *at[0];
}

static void take_out(struct pending *p, struct pending_entry *e,
                     struct pending_entry **at[PENDING_LEVELS])
{
	for (uint8_t level = 0; level < e->levels; level++)
		*at[level] = e->next[level];
	p->count--;
	p->bytes -= e->key.size + e->value.size;
}

void pending_enter(struct pending *p, struct pending_entry *e)
{
	struct pending_entry **at[PENDING_LEVELS];
	struct pending_entry *old = seek(p, e->key, at);

	if (old && pending_compare(old->key, e->key) == 0) {
		take_out(p, old, at);
		pending_free(old);
	}
	e->levels = draw(p);
	for (uint8_t level = 0; level < e->levels; level++) {
		e->next[level] = *at[level];
		*at[level] = e;
	}
	p->count++;
	p->bytes += e->key.size + e->value.size;
}

struct pending_entry *pending_from(const struct pending *p, struct span key)
{
	struct pending_entry *const *row = p->first;

	for (int level = PENDING_LEVELS - 1; level >= 0; level--)
		while (row[level] && pending_compare(row[level]->key, key) < 0)
			row = row[level]->next;
	return row[0];
}

struct pending_entry *pending_find(const struct pending *p, struct span key)
{
	struct pending_entry *e = pending_from(p, key);

	return e && pending_compare(e->key, key) == 0 ? e : NULL;
}

void pending_merge(struct pending *to, struct pending *from)
{
	struct pending_entry *e = from->first[0];

	while (e) {
		struct pending_entry *next = e->next[0];

		if (pending_find(to, e->key))
			pending_free(e);
		else
			pending_enter(to, e);
		e = next;
	}
	pending_init(from);
}
