/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/ranges.h"

/* The first range that ends above `addr`. */
static uint32_t first_above(const struct process *p, uint64_t addr)
{
	uint32_t lo = 0;
	uint32_t hi = p->range_count;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (p->range[mid].hi > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

void ranges_add(uint64_t lo, uint64_t hi)
{
	struct process *p = area_process();
	uint32_t at;

	ranges_drop(lo, hi);
	if (p->range_count == PROCESS_RANGES)
		return;
	at = first_above(p, lo);
	for (uint32_t i = p->range_count; i > at; i--)
		p->range[i] = p->range[i - 1];
	p->range[at] = (struct range){lo, hi};
	p->range_count++;
}

void ranges_drop(uint64_t lo, uint64_t hi)
{
	struct process *p = area_process();
	uint32_t from = first_above(p, lo);
	uint32_t to = from;

	while (to < p->range_count && p->range[to].lo < hi)
		to++;
	if (to == from)
		return;
	while (to < p->range_count)
		p->range[from++] = p->range[to++];
	p->range_count = from;
}

const struct range *ranges_find(uint64_t addr)
{
	const struct process *p = area_process();
	uint32_t at = first_above(p, addr);

	if (at == p->range_count || p->range[at].lo > addr)
		return NULL;
	return &p->range[at];
}
