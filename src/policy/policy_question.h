/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The question that a prompt gets (policy_json_ask()), put to a person on a
 * terminal.
 *
 * What came from a qube is escaped before it is shown.  Whatever is not a clear
 * choice is a denial.
 */
#pragma once

#include "base/buffer.h"
#include "base/fault.h"
#include "base/span.h"

#define POLICY_QUESTION_ANSWER 160u /* room for one, with its NUL */

struct policy_question;

/*
 * Reads a question.  0 and *out, which policy_question_free() frees; or -EINVAL
 * or -ENOMEM and why.
 */
must_check int policy_question_read(struct span text,
                                    struct policy_question **out,
                                    struct fault *f);
void policy_question_free(struct policy_question *q);

/* The targets with their numbers and labels, and what to type. */
void policy_question_show(const struct policy_question *q, struct buffer *to);

/*
 * What a prompt answers when a person has typed this line, without its end: a
 * number, or nothing for the preset target if there is one.  `allow:TARGET` or
 * `deny`.
 */
void policy_question_answer(const struct policy_question *q, struct span line,
                            char answer[POLICY_QUESTION_ANSWER]);
