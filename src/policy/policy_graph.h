/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may call whom, as a graph that dot(1) draws.
 */
#pragma once

#include "base/buffer.h"
#include "policy/policy_eval.h"

/* Empty spans: all. */
struct policy_graph {
	struct span source;
	struct span target;
	struct span service;
	bool include_ask;
};

/*
 * Evaluates every call that a rule could be about, between any two qubes, and
 * writes an edge for each that is allowed (or asked about).  0 or -ENOMEM.
 */
must_check int policy_graph(const struct policy_rules *rules,
                            const struct policy_system *system,
                            const struct policy_graph *what, struct buffer *to);
