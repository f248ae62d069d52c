/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the user: what the policy leaves to them (manager/prompts_policy.h), and
 * for passphrases (manager/domain_unlock.c).  One question at a time, on the terminal
 * of `bento prompt` (manager/prompts_terminal.h) if there is one, or else by the
 * program `policy-prompt` beside the folder of the user's policy or of /etc's.
 * Qubes whose questions wait take turns, so that one that asks without end
 * delays the others by one question each.  Without either nobody answers.
 *
 * An answer may be a secret: what it was read into is wiped behind each.
 */
#pragma once

#include "base/fault.h"
#include "base/list.h"
#include "base/span.h"

#define PROMPTS_SAID 1280u /* a longer answer is none */

struct manager;
struct prompts;

/*
 * A question that waits for its turn or for its answer.  Embedded by its owner,
 * who fills in what is above the line, and keeps all of it as it is until
 * `answered`.
 */
struct prompts_question {
	struct span asker; /* whose turn it takes: a qube's name */

	/* What a prompt reads: a file's descriptor, the caller's; or an error. */
	int (*file)(struct prompts_question *q, struct fault *f);

	/*
	 * All that was said, which is gone behind this, and a status as of
	 * waitpid(2): -1, if nobody was there to ask.
	 */
	void (*answered)(struct prompts_question *q, struct span said,
	                 int status);

	/* ---- */
	struct list turn;
	struct prompts_asker *waits; /* NULL: it is the one that is asked */
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

/* Asks.  `answered` comes once, later or at once. */
void prompts_ask(struct prompts *p, struct prompts_question *q);

/* Nobody wants to know any more: `answered` does not come. */
void prompts_cancel(struct prompts *p, struct prompts_question *q);
