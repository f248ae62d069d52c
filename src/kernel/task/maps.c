/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/maps.h"

void maps_places(const struct process *p, uint64_t *stack, uint64_t *heap)
{
	*stack = *heap = 0;
	if (!p->leader || !p->leader->slot)
		return;
	*stack = atomic_load_explicit(&p->leader->slot->stack_start,
	                              memory_order_relaxed);
	*heap = atomic_load_explicit(&p->leader->slot->brk_start,
	                             memory_order_relaxed);
}

uint64_t maps_auxv(const struct process *p)
{
	if (!p->leader || !p->leader->slot)
		return 0;
	return atomic_load_explicit(&p->leader->slot->auxv_start,
	                            memory_order_relaxed);
}
