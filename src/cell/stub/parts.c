/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/parts.h"

static bool touches(const struct range *r, uint64_t lo, uint64_t hi)
{
	return r->lo < hi && r->hi > lo;
}

/* Most changes of memory are nowhere near them. */
static bool is_far(const struct process *p, uint64_t lo, uint64_t hi)
{
	return lo >= p->part_hi || hi <= p->part_lo;
}

void parts_add(uint64_t lo, uint64_t hi)
{
	struct process *p = area_process();

	if (p->part_hi == 0 || lo < p->part_lo)
		p->part_lo = lo;
	if (hi > p->part_hi)
		p->part_hi = hi;
	p->part[p->part_next] = (struct range){lo, hi};
	p->part_next = (p->part_next + 1) % PROCESS_PARTS;
}

void parts_drop(uint64_t lo, uint64_t hi)
{
	struct process *p = area_process();

	if (is_far(p, lo, hi))
		return;
	for (uint32_t i = 0; i < PROCESS_PARTS; i++)
		if (touches(&p->part[i], lo, hi))
			p->part[i] = (struct range){0, 0};
}

bool parts_touch(uint64_t lo, uint64_t hi)
{
	const struct process *p = area_process();

	if (is_far(p, lo, hi))
		return false;
	for (uint32_t i = 0; i < PROCESS_PARTS; i++)
		if (touches(&p->part[i], lo, hi))
			return true;
	return false;
}

void parts_clear(void)
{
	struct process *p = area_process();

	/* Most processes have none; their pages stay untouched. */
	if (p->part_hi == 0)
		return;
	for (uint32_t i = 0; i < PROCESS_PARTS; i++)
		p->part[i] = (struct range){0, 0};
	p->part_lo = p->part_hi = 0;
	p->part_next = 0;
}
