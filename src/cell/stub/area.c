/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/area.h"

#include <linux/mman.h>

static bool mapped(const struct process *p, uint32_t index)
{
	return p->mapped[index / 64] >> (index % 64) & 1;
}

struct area *area_make(uint32_t index, uint64_t channel)
{
	struct process *p = area_process();
	uint64_t base = area_address(index);
	struct area *a = (struct area *)base;
	long got;

	if (!mapped(p, index)) {
		got = host(SYS_mmap, base, LAYOUT_THREAD_SIZE,
		           PROT_READ | PROT_WRITE,
		           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (got != (long)base)
			return NULL;
		p->mapped[index / 64] |= 1ULL << (index % 64);
	}
	*a = (struct area){
		.index = index,
		.slot = (struct slot *)(channel +
	                                (uint64_t)index * CHANNEL_STRIDE),
		/* As a call would leave it, so that pushes stay aligned. */
		.stack_top = base + LAYOUT_THREAD_SIZE - 56,
		.minus_self = -base,
	};
	return a;
}

void area_use_stack(const struct area *a)
{
	struct altstack s = {
		.sp = (uint64_t)a + AREA_STACK,
		.size = LAYOUT_THREAD_SIZE - AREA_STACK,
	};

	host(SYS_sigaltstack, &s, 0);
}

void area_forget_others(const struct area *a)
{
	struct process *p = area_process();

	for (uint32_t i = 0; i < CHANNEL_THREADS; i++) {
		if (p->mapped[i / 64] == 0) {
			i |= 63;
			continue;
		}
		if (mapped(p, i) && i != a->index)
			host(SYS_munmap, area_address(i), LAYOUT_THREAD_SIZE);
	}
	for (size_t i = 0; i < ARRAY_LEN(p->mapped); i++)
		p->mapped[i] = 0;
	p->mapped[a->index / 64] = 1ULL << (a->index % 64);
}
