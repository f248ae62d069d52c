/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/memdir.h"

#include "kernel/core/limits.h"
#include "kernel/fs/dots.h"

void memdir_init(struct memdir *d, struct kernel *k)
{
	*d = (struct memdir){
		.kernel = k,
		.names = {.kernel = k},
		.next_pos = DOTS_FIRST,
	};
}

void memdir_fini(struct memdir *d)
{
	assert(d->names.count == 0);
	hashtable_fini(&d->names);
	limits_free(d->kernel, d->order,
	            d->order_room * sizeof(struct memdir_entry *));
}

struct memdir_entry *memdir_find(const struct memdir *d, struct span name)
{
	struct hashtable_link *at = hashtable_find(&d->names,
	                                           hashtable_text(name));

	for (; at; at = hashtable_next(at)) {
		struct memdir_entry *e = container_of(at, struct memdir_entry,
		                                      link);

		if (e->size == name.size &&
		    memcmp(e->name, name.at, name.size) == 0)
			return e;
	}
	return NULL;
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

	if (d->order_used > d->names.count * 2)
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
	if (hashtable_reserve(&d->names) < 0)
		return -ENOMEM;
	if (d->order_used == d->order_room && grow_order(d) < 0)
		return -ENOMEM;
	e = limits_alloc(d->kernel, sizeof(*e) + name.size);
	if (!e)
		return -ENOMEM;

	/* Nothing below can fail. */
	e->inode = i;
	e->pos = d->next_pos++;
	e->size = (uint8_t)name.size;
	memcpy(e->name, name.at, name.size);
	hashtable_add(&d->names, &e->link, hashtable_text(name));
	d->order[d->order_used++] = e;
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
	struct inode *i = e->inode;

	hashtable_remove(&d->names, &e->link);
	d->order[search(d, e->pos)] = NULL;
	if (d->names.count == 0)
		d->order_used = 0;
	else if (d->order_used > 64 && d->order_used > d->names.count * 2)
		compact(d);
	limits_free(d->kernel, e, sizeof(*e) + e->size);
	return i;
}

struct memdir_entry *memdir_at(const struct memdir *d, int64_t pos)
{
	size_t i = search(d, pos);

	return i < d->order_used ? d->order[i] : NULL;
}
