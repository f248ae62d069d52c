/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/pending.h"

#define ROWS_MIN 256u

void pending_init(struct pending *p)
{
	*p = (struct pending){.random = 0x9e3779b97f4a7c15u};
}

void pending_free(struct pending_entry *e)
{
	free(e->newer);
	free(e);
}

void pending_clear(struct pending *p)
{
	struct pending_entry *e = p->oldest;

	while (e) {
		struct pending_entry *next = e->link;

		pending_free(e);
		e = next;
	}
	free(p->rows);
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

/* Keys end in a number that counts up, or in a hash with a key of its own. */
static uint64_t hash_of(struct span key)
{
	uint64_t end = 0;

	for (size_t i = key.size - MIN(key.size, 8); i < key.size; i++)
		end = end << 8 | key.at[i];
	end *= 0x9e3779b97f4a7c15u;
	return end ^ end >> 32;
}

/*
 * Room for the tallest entry is always there: how tall it is is drawn when it
 * comes into the skip list.
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
	e->hash = hash_of(key);
	return e;
}

/* ---- by hash ---- */

static struct pending_entry **row_of(const struct pending *p, uint64_t hash)
{
	return &p->rows[hash & (p->row_count - 1)];
}

static void add(struct pending *p, struct pending_entry *e)
{
	struct pending_entry **row = row_of(p, e->hash);

	e->same = *row;
	*row = e;
}

/* Twice the rows, and all entries in them.  False: no memory. */
static bool grow(struct pending *p)
{
	size_t count = p->rows ? p->row_count * 2 : ROWS_MIN;
	struct pending_entry **rows;

	rows = calloc(count, sizeof(struct pending_entry *));
	if (!rows)
		return false;
	free(p->rows);
	p->rows = rows;
	p->row_count = count;
	for (struct pending_entry *e = p->oldest; e; e = e->link)
		add(p, e);
	return true;
}

static struct pending_entry *find(struct pending *p, struct span key,
                                  uint64_t hash)
{
	struct pending_entry *e;

	if (!p->rows) {
		e = pending_from(p, key);
		return e && pending_compare(e->key, key) == 0 ? e : NULL;
	}
	e = *row_of(p, hash);
	while (e && (e->hash != hash || pending_compare(e->key, key) != 0))
		e = e->same;
	return e;
}

struct pending_entry *pending_find(struct pending *p, struct span key)
{
	return find(p, key, hash_of(key));
}

void pending_enter(struct pending *p, struct pending_entry *e)
{
	struct pending_entry *old = find(p, e->key, e->hash);

	p->bytes += e->value.size;
	if (old) {
		p->bytes -= old->value.size;
		free(old->newer);
		old->newer = e;
		old->value = e->value;
		old->gone = e->gone;
		return;
	}
	p->bytes += e->key.size;
	p->count++;
	e->link = NULL;
	if (p->newest)
		p->newest->link = e;
	else
		p->oldest = e;
	p->newest = e;
	if (p->rows && p->count <= p->row_count)
		add(p, e);
	else if (!grow(p) && p->rows)
		add(p, e);
}

/* ---- in order ---- */

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

/* Puts what was entered since the last time into the skip list. */
static void put_in_order(struct pending *p)
{
	struct pending_entry *e = p->listed ? p->listed->link : p->oldest;

	for (; e; e = e->link) {
		struct pending_entry **row = p->first;

		e->levels = draw(p);
		for (int level = PENDING_LEVELS - 1; level >= 0; level--) {
			while (row[level] &&
			       pending_compare(row[level]->key, e->key) < 0)
				row = row[level]->next;
			if (level >= e->levels)
				continue;
			e->next[level] = row[level];
			row[level] = e;
		}
	}
	p->listed = p->newest;
}

struct pending_entry *pending_from(struct pending *p, struct span key)
{
	struct pending_entry *const *row = p->first;

	put_in_order(p);
	for (int level = PENDING_LEVELS - 1; level >= 0; level--)
		while (row[level] && pending_compare(row[level]->key, key) < 0)
			row = row[level]->next;
	return row[0];
}

void pending_merge(struct pending *to, struct pending *from)
{
	struct pending_entry *e = from->oldest;

	while (e) {
		struct pending_entry *next = e->link;

		if (pending_find(to, e->key))
			pending_free(e);
		else
			pending_enter(to, e);
		e = next;
	}
	free(from->rows);
	pending_init(from);
}
