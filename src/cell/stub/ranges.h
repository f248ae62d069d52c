/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ranges of memory whose code may be patched: private mappings of files,
 * executable and not writable.  Sorted, disjoint; all under process->memory.
 *
 * A change of mappings that may touch one happens between ranges_lock() and
 * ranges_unlock(), so that nobody patches what has just become something else.
 */
#pragma once

#include "cell/stub/area.h"

/* Adds a range; it is dropped silently when there are too many. */
void ranges_add(uint64_t lo, uint64_t hi);

/* Forgets every range that touches [lo, hi). */
void ranges_drop(uint64_t lo, uint64_t hi);

/* The range that holds `addr`, or NULL. */
const struct range *ranges_find(uint64_t addr);
