/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the user, outside every qube: on a terminal, or by a program.
 *
 * What came from a qube is escaped before a person sees it.  Whatever does not
 * end in a clear choice (no answer, an end of input, a program that fails) is
 * a denial.
 */
#pragma once

#include "policy/policy_eval.h"

struct policy_prompt {
	const struct policy_system *system;
	const struct policy_request *request;
};

/*
 * Asks on two descriptors, which are a terminal or stand for one: the targets
 * with their numbers and labels, then one line of answer: a number, or just
 * the end of the line for the preset target if there is one.  Settles the
 * answer.  Returns 0, or -ENOMEM, when it is settled as a denial, too.
 */
must_check int policy_prompt_terminal(const struct policy_prompt *p, int in,
                                      int out, struct policy_answer *a);

/*
 * The question as a prompt program reads it from its standard input: a descriptor
 * of a file, at its start, that the caller owns; or a negative errno and why.
 */
must_check int policy_prompt_question(const struct policy_prompt *p,
                                      const struct policy_answer *a,
                                      struct fault *f);

/*
 * Settles the answer by what a prompt program wrote, all of it: `allow:TARGET`
 * for one of the targets, with one line end at most.  Everything else, and an
 * exit status other than 0, is a denial.
 */
void policy_prompt_settle(const struct policy_prompt *p, struct span said,
                          int status, struct policy_answer *a);

/*
 * Starts a program, waits for its answer and settles.  A program that does not
 * answer within `timeout_ms` (-1: it may take its time) is killed.
 */
must_check int policy_prompt_program(const struct policy_prompt *p,
                                     char *const argv[], int timeout_ms,
                                     struct policy_answer *a, struct fault *f);
