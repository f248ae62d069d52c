/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dentry cache's hash table, and its list of dentries nobody uses; for
 * dentry.c and mount.c.
 */
#pragma once

#include "kernel/fs/dentry.h"

/* NULL: no memory. */
must_check struct dentry_table *dentry_table_create(struct kernel *k);
void dentry_table_destroy(struct dentry_table *table); /* accepts NULL */

/*
 * Find returns no new reference; NULL: it is not there.  Add and remove keep and
 * drop none.  `hash` is dentry_table_hash() of the same name.
 */
uint32_t dentry_table_hash(const struct dentry *dir, struct span name);
struct dentry *dentry_table_find(const struct dentry_table *table,
                                 const struct dentry *dir, struct span name,
                                 uint32_t hash);
void dentry_table_add(struct dentry_table *table, struct dentry *d);
void dentry_table_remove(struct dentry_table *table, struct dentry *d);

/* Puts it at the young end of the list of unused ones, or takes it off. */
void dentry_table_rest(struct dentry_table *table, struct dentry *d);
void dentry_table_use(struct dentry_table *table, struct dentry *d);

/* That list, of dentry.lru, the oldest first. */
struct list *dentry_table_unused(struct dentry_table *table);
size_t dentry_table_unused_count(const struct dentry_table *table);
