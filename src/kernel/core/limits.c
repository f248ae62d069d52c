/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/core/limits.h"

int limits_charge(struct kernel *k, uint64_t bytes)
{
	struct limits *l = &k->limits;

	if (bytes > l->memory - MIN(l->memory, l->memory_used))
		return -ENOMEM;
	l->memory_used += bytes;
	return 0;
}

void limits_uncharge(struct kernel *k, uint64_t bytes)
{
	assert(bytes <= k->limits.memory_used);
	k->limits.memory_used -= bytes;
}

void *limits_alloc(struct kernel *k, size_t size)
{
	void *p;

	if (limits_charge(k, size) < 0)
		return NULL;
	p = calloc(1, size);
	if (!p)
		limits_uncharge(k, size);
	return p;
}

void limits_free(struct kernel *k, void *p, size_t size)
{
	if (!p)
		return;
	free(p);
	limits_uncharge(k, size);
}
