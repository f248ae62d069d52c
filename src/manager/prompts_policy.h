/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question of the policy's, as the user is asked it (manager/prompts.h).
 */
#pragma once

#include "manager/prompts.h"
#include "policy/policy_eval.h"

struct census;

/*
 * Embedded by its owner, who fills in what is above the line and keeps all of it as
 * it is until `done`.  prompts_cancel(&question) takes it back.
 */
struct prompts_policy {
	const struct census *census;
	const struct policy_request *request;
	struct policy_answer *answer; /* an ask; then an allow or a deny */
	void (*done)(struct prompts_policy *q);

	/* ---- */
	struct prompts_question question;
};

/* Asks.  `done` comes once, later or at once. */
void prompts_policy_ask(struct prompts *p, struct prompts_policy *q);
