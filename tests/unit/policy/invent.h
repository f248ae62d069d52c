/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Qubes, rules and a call made of bytes, random or a fuzzer's; and what must
 * hold for all of them.
 */
#pragma once

#include "reference.h"

#define INVENT_QUBES 9u

struct invention {
	struct policy_qube qube[INVENT_QUBES];
	struct policy_system system;
	struct span tags[INVENT_QUBES][3];
	struct reference_call call;
};

void invent(struct reader *r, struct invention *to);

/*
 * Evaluates the call, and compares: with the reference; with the qubes in
 * another order; with a qube more that no rule names.  NULL, or what differs,
 * which is written to `why`.
 */
const char *invent_check(const struct invention *v, char *why, size_t room);
