/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where parts of objects are mapped: files of a template image.  Behind such a
 * file in its object lie others, which the host would show when the mapping is
 * made larger; so that is refused (pages_mremap()).
 *
 * The last PROCESS_PARTS mappings are known: what is older is libraries, which
 * nobody makes larger.  All under process->memory.
 */
#pragma once

#include "cell/stub/area.h"

void parts_add(uint64_t lo, uint64_t hi);

/* Forgets those that touch [lo, hi). */
void parts_drop(uint64_t lo, uint64_t hi);

/* Does one touch [lo, hi)? */
bool parts_touch(uint64_t lo, uint64_t hi);

/* A new program begins: there are none. */
void parts_clear(void);
