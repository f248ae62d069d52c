/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lock among the threads of one cell, held for microseconds.
 *
 * Nobody dies with one: a thread of ours ends only where it asked to, and the
 * kick handler does nothing but set flags while the stub's code runs, so the
 * holder always goes on.
 */
#pragma once

#include <stdatomic.h>

#include "cell/stub/x86_64/host.h"

struct lock {
	_Atomic uint32_t held;
};

static inline void lock_take(struct lock *l)
{
	uint32_t turns = 0;

	while (atomic_exchange_explicit(&l->held, 1, memory_order_acquire)) {
		host_pause();
		if (++turns > 100)
			host(SYS_sched_yield, 0);
	}
}

static inline void lock_give(struct lock *l)
{
	atomic_store_explicit(&l->held, 0, memory_order_release);
}
