/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What someone may have meant who wrote something that is not there.
 */
#pragma once

#include "base/base.h"

#define NEAREST_MAX 63u /* longer words are like nothing */

struct nearest {
	const char *to;   /* what was written; borrowed */
	const char *best; /* NULL: nothing is near; borrowed */
	unsigned far;     /* of `best`: letters that differ, or swapped pairs */
};

/* Looks at one more candidate. */
void nearest_see(struct nearest *n, const char *candidate);
