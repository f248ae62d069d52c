/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's memory: mmap(2) and its family, done by the host's own.
 *
 * Our window is not the guest's to change.  That is politeness: a guest that
 * calls the host around us hurts only itself.
 */
#pragma once

#include "cell/stub/area.h"

/* The advices of madvise(2) that the host hears, as bits. */
#define PAGES_ADVICE                                                      \
	((1ULL << 0 | 1ULL << 1 | 1ULL << 2 | 1ULL << 3 | 1ULL << 4) |    \
	 (1ULL << 8 | 1ULL << 9 | 1ULL << 10 | 1ULL << 11 | 1ULL << 14) | \
	 (1ULL << 15 | 1ULL << 16 | 1ULL << 17 | 1ULL << 18) |            \
	 (1ULL << 19 | 1ULL << 20 | 1ULL << 21 | 1ULL << 22) |            \
	 (1ULL << 23 | 1ULL << 24 | 1ULL << 25))

/* Each returns what the call of that name returns. */
long pages_mmap(struct area *a, const uint64_t arg[6]);
long pages_shmat(struct area *a, const uint64_t arg[6]);
long pages_shmdt(struct area *a, const uint64_t arg[6]);
long pages_munmap(const uint64_t arg[6]);
long pages_mprotect(const uint64_t arg[6]);
long pages_mremap(const uint64_t arg[6]);
long pages_madvise(const uint64_t arg[6]);
long pages_msync(const uint64_t arg[6]);
long pages_mincore(const uint64_t arg[6]);
long pages_brk(uint64_t addr);

/* Begins a new heap at `start`. */
void pages_start_brk(uint64_t start);
