/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/dentry_table.h"

#include "kernel/core/limits.h"

#define FIRST_SIZE 1024u

struct dentry_table {
	struct kernel *kernel;
	struct dentry **buckets;
	size_t size; /* a power of two */
	size_t count;
	struct list unused;
	size_t unused_count;
};

struct dentry_table *dentry_table_create(struct kernel *k)
{
	struct dentry_table *table = limits_alloc(k, sizeof(*table));

	if (!table)
		return NULL;
	table->kernel = k;
	table->size = FIRST_SIZE;
	table->buckets = limits_alloc(k, FIRST_SIZE * sizeof(struct dentry *));
	if (!table->buckets) {
		limits_free(k, table, sizeof(*table));
		return NULL;
	}
	list_init(&table->unused);
	return table;
}

void dentry_table_destroy(struct dentry_table *table)
{
	if (!table)
		return;
	limits_free(table->kernel, table->buckets,
	            table->size * sizeof(struct dentry *));
	limits_free(table->kernel, table, sizeof(*table));
}

uint32_t dentry_table_hash(const struct dentry *dir, struct span name)
{
	uint64_t h = (uint64_t)(uintptr_t)dir >> 4;

	for (size_t i = 0; i < name.size; i++)
		h = (h ^ name.at[i]) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32);
}

struct dentry *dentry_table_find(const struct dentry_table *table,
                                 const struct dentry *dir, struct span name,
                                 uint32_t hash)
{
	struct dentry *d = table->buckets[hash & (table->size - 1)];

	for (; d; d = d->next)
		if (d->hash == hash && d->parent == dir &&
		    d->size == name.size &&
		    memcmp(d->name, name.at, name.size) == 0)
			return d;
	return NULL;
}

/* Twice the buckets, if there is memory; else the chains grow. */
static void grow(struct dentry_table *table)
{
	size_t size = table->size * 2;
	struct dentry **buckets = limits_alloc(table->kernel,
	                                       size * sizeof(*buckets));

	if (!buckets)
		return;
	for (size_t i = 0; i < table->size; i++) {
		struct dentry *d = table->buckets[i];

		while (d) {
			struct dentry *next = d->next;
			size_t at = d->hash & (size - 1);

			d->next = buckets[at];
			buckets[at] = d;
			d = next;
		}
	}
	limits_free(table->kernel, table->buckets,
	            table->size * sizeof(*buckets));
	table->buckets = buckets;
	table->size = size;
}

void dentry_table_add(struct dentry_table *table, struct dentry *d)
{
	struct dentry **bucket;

	if (table->count >= table->size)
		grow(table);
	bucket = &table->buckets[d->hash & (table->size - 1)];
	d->next = *bucket;
	*bucket = d;
	table->count++;
}

void dentry_table_remove(struct dentry_table *table, struct dentry *d)
{
	struct dentry **at = &table->buckets[d->hash & (table->size - 1)];

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	d->next = NULL;
	table->count--;
}

void dentry_table_rest(struct dentry_table *table, struct dentry *d)
{
	list_add_tail(&table->unused, &d->lru);
	table->unused_count++;
}

void dentry_table_use(struct dentry_table *table, struct dentry *d)
{
	if (list_empty(&d->lru))
		return;
	list_del(&d->lru);
	table->unused_count--;
}

struct list *dentry_table_unused(struct dentry_table *table)
{
	return &table->unused;
}

size_t dentry_table_unused_count(const struct dentry_table *table)
{
	return table->unused_count;
}
