/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second evaluator, to compare with: it works on the texts of rules and the
 * names of qubes alone, as slowly as it likes.
 */
#pragma once

#include "policy/policy_system.h"

#define REFERENCE_RULES 16u
#define REFERENCE_ROOM  512u

/* Rules as written; those that are no rules are passed over. */
struct reference_call {
	char line[REFERENCE_RULES][160];
	size_t count;
	char source[64];
	char target[64];
	char service[64];
};

/* What policybed_tell() should say. */
void reference_evaluate(const struct policy_system *s,
                        const struct reference_call *c,
                        char to[REFERENCE_ROOM]);
