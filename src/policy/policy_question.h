/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The question that a prompt gets, put to a person on a terminal: where a call may
 * go (policy_json_ask()), or the passphrase of a volume, for a qube that is to start:
 *
 *	{"passphrase": "vault:private", "qube": "vault", "source": "work",
 *	 "wrong": false}
 *
 * where *source* is the qube whose call wants it, or empty.
 *
 * What came from a qube is escaped before it is shown.  Whatever is not a clear
 * choice is a denial.
 */
#pragma once

#include "base/buffer.h"
#include "base/fault.h"
#include "base/span.h"

#define POLICY_QUESTION_LINE 512u /* a longer one is no answer */
#define POLICY_QUESTION_ANSWER \
	(POLICY_QUESTION_LINE + 16u) /* room for one, with its NUL */

struct policy_question;

/*
 * Reads a question.  0 and *out, which policy_question_free() frees; or -EINVAL
 * or -ENOMEM and why.
 */
must_check int policy_question_read(struct span text,
                                    struct policy_question **out,
                                    struct fault *f);
void policy_question_free(struct policy_question *q);

/* Is the answer a secret, not to be shown while it is typed? */
bool policy_question_is_secret(const struct policy_question *q);

/* The targets with their numbers and labels, and what to type. */
void policy_question_show(const struct policy_question *q, struct buffer *to);

/*
 * What a prompt answers when a person has typed this line, without its end: a
 * number, or nothing for the preset target if there is one.  `allow:TARGET` or
 * `deny`; or `passphrase:LINE`, unless that is empty.
 */
void policy_question_answer(const struct policy_question *q, struct span line,
                            char answer[POLICY_QUESTION_ANSWER]);
