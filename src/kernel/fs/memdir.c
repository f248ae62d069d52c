/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/memdir.h"

#include "kernel/core/limits.h"
#include "kernel/fs/dots.h"

void memdir_init(struct memdir *d, struct kernel *k)
{
	*d = (struct memdir){.kernel = k, .next_pos = DOTS_FIRST};
}

void memdir_fini(struct memdir *d)
{
	assert(d->count == 0);
	limits_free(d->kernel, d->bucket,
	            d->bucket_count * sizeof(struct memdir_entry *));
	limits_free(d->kernel, d->order,
	            d->order_room * sizeof(struct memdir_entry *));
}

static uint32_t hash_of(struct span name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < name.size; i++)
		h = (h ^ name.at[i]) * 16777619u;
	return h ^ h >> 15;
}

struct memdir_entry *memdir_find(const struct memdir *d, struct span name)
{
	uint32_t hash = hash_of(name);
	struct memdir_entry *e;

	if (d->bucket_count == 0)
		return NULL;
	e = d->bucket[hash & (d->bucket_count - 1)];
	while (e && (e->hash != hash || e->size != name.size ||
	             memcmp(e->name, name.at, name.size) != 0))
		e = e->next;
	return e;
}

static int grow_buckets(struct memdir *d)
{
	size_t count = d->bucket_count ? d->bucket_count * 2 : 4;
	struct memdir_entry **bucket;

	bucket = limits_alloc(d->kernel, count * sizeof(*bucket));
	if (!bucket)
		return -ENOMEM;
	for (size_t i = 0; i < d->bucket_count; i++) {
		struct memdir_entry *e = d->bucket[i];

		while (e) {
			struct memdir_entry *next = e->next;

			e->next = bucket[e->hash & (count - 1)];
			bucket[e->hash & (count - 1)] = e;
			e = next;
		}
	}
	limits_free(d->kernel, d->bucket, d->bucket_count * sizeof(*bucket));
	d->bucket = bucket;
	d->bucket_count = count;
	return 0;
}

/* Closes the gaps of entries that left. */
static void compact(struct memdir *d)
{
	size_t used = 0;

	for (size_t i = 0; i < d->order_used; i++)
		if (d->order[i])
			d->order[used++] = d->order[i];
	d->order_used = used;
}

static int grow_order(struct memdir *d)
{
	size_t room = d->order_room ? d->order_room * 2 : 4;
	struct memdir_entry **order;

	if (d->order_used > d->count * 2)
		compact(d);
	if (d->order_used < d->order_room)
		return 0;
	order = limits_alloc(d->kernel, room * sizeof(*order));
	if (!order)
		return -ENOMEM;
	if (d->order_used)
		memcpy(order, d->order, d->order_used * sizeof(*order));
	limits_free(d->kernel, d->order, d->order_room * sizeof(*order));
	d->order = order;
	d->order_room = room;
	return 0;
}

int memdir_add(struct memdir *d, struct span name, struct inode *i)
{
	struct memdir_entry *e;

	assert(name.size > 0 && name.size <= LIMIT_NAME);
	if (d->count >= d->bucket_count && grow_buckets(d) < 0)
		return -ENOMEM;
	if (d->order_used == d->order_room && grow_order(d) < 0)
		return -ENOMEM;
	e = limits_alloc(d->kernel, sizeof(*e) + name.size);
	if (!e)
		return -ENOMEM;

	/* Nothing below can fail. */
	e->inode = i;
	e->pos = d->next_pos++;
	e->hash = hash_of(name);
	e->size = (uint8_t)name.size;
	memcpy(e->name, name.at, name.size);
	e->next = d->bucket[e->hash & (d->bucket_count - 1)];
	d->bucket[e->hash & (d->bucket_count - 1)] = e;
	d->order[d->order_used++] = e;
	d->count++;
	return 0;
}

/* Index in `order` of the first entry at `pos` or behind.  Gaps have no
 * position of their own: the search steps over them. */
static size_t search(const struct memdir *d, int64_t pos)
{
	size_t low = 0;
	size_t high = d->order_used;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		size_t seen = mid;

		while (seen < high && !d->order[seen])
			seen++;
		if (seen == high)
			high = mid;
		else if (d->order[seen]->pos < pos)
			low = seen + 1;
		else
			high = mid;
	}
	while (low < d->order_used && !d->order[low])
		low++;
	return low;
}

struct inode *memdir_remove(struct memdir *d, struct memdir_entry *e)
{
	struct memdir_entry **at;
	struct inode *i = e->inode;

	at = &d->bucket[e->hash & (d->bucket_count - 1)];
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	d->order[search(d, e->pos)] = NULL;
	d->count--;
	if (d->count == 0)
		d->order_used = 0;
	else if (d->order_used > 64 && d->order_used > d->count * 2)
		compact(d);
	limits_free(d->kernel, e, sizeof(*e) + e->size);
	return i;
}

struct memdir_entry *memdir_at(const struct memdir *d, int64_t pos)
{
	size_t i = search(d, pos);

	return i < d->order_used ? d->order[i] : NULL;
}
