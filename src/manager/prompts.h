/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the user what the policy leaves to them: one question at a time, on the
 * terminal of `bento prompt` (manager/prompts_terminal.h) if there is one, or else
 * by the program `policy-prompt` beside the folder of the user's policy or of
 * /etc's (policy/policy_prompt.h).  Qubes whose questions wait take turns, so that one
 * that asks without end delays the others by one question each.  Without
 * either the answer is no.
 */
#pragma once

#include "base/fault.h"
#include "base/list.h"
#include "policy/policy_eval.h"

struct census;
struct manager;
struct prompts;

/*
 * A question that waits for its turn or for its answer.  Embedded by its owner,
 * who fills in what is above the line, keeps all of it as it is until `done`, and
 * asks no question twice.
 */
struct prompts_question {
	const struct census *census;
	const struct policy_request *request;
	struct policy_answer *answer; /* an ask; then an allow or a deny */
	void (*done)(struct prompts_question *q);

	/* ---- */
	struct list turn;
	struct prompts_asker *asker; /* NULL: it is the one that is asked */
};

must_check int prompts_create(struct manager *m, struct prompts **out,
                              struct fault *f);

/* Nobody waits any more. */
void prompts_destroy(struct prompts *p);

/*
 * Lets a terminal come: 0 and the descriptor for it, which the caller owns; or a
 * negative errno and why.
 */
must_check int prompts_open(struct prompts *p, int *theirs, struct fault *f);

/* Asks.  `done` comes once, later or at once. */
void prompts_ask(struct prompts *p, struct prompts_question *q);

/* Nobody wants to know any more: `done` does not come. */
void prompts_cancel(struct prompts *p, struct prompts_question *q);
