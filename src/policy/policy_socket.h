/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy socket's messages: a question of lines KEY=VALUE with an empty
 * line behind them, and the answer's lines.
 *
 *	domain_id=  source=  intended_target=  service_and_arg=  process_ident=
 *	assume_yes_for_ask=yes|no  just_evaluate=yes|no  requested_source=
 *
 * The second line's may be left out.  Each may come once, nothing else may.
 *
 *	result=allow          or   result=deny
 *	user=  target=  target_uuid=  autostart=True|False  requested_target=
 */
#pragma once

#include "base/buffer.h"
#include "policy/policy_eval.h"

#define POLICY_SOCKET_MAX 70000u

struct policy_question {
	struct policy_request request;
	struct span domain_id;
	struct span process_ident;
	struct span requested_source; /* empty: none */
	bool assume_yes;              /* whoever asks has asked the user */
	bool just_evaluate;           /* an ask is a denial */
};

/*
 * The size of the question at the front of these bytes, its empty line
 * counted in; 0 if it is not whole yet; -EPROTO if it never will be.
 */
must_check ssize_t policy_socket_size(struct span bytes);

/*
 * Reads one question.  0 and *out, whose spans point into it; or -EPROTO and
 * *out is left alone.
 */
must_check int policy_socket_parse(struct span bytes,
                                   struct policy_question *out);

/*
 * Settles whose call it is: request.source becomes the requested_source where the
 * source may speak for that.  False: it may not, and the answer is a denial.
 */
must_check bool policy_socket_source(const struct policy_system *s,
                                     struct policy_question *q);

/*
 * Settles what the question itself settles of an answer: an ask is a denial
 * with just_evaluate, and with assume_yes an allow of the wanted target if it
 * is on offer.
 */
void policy_socket_settle(const struct policy_question *q,
                          struct policy_answer *a);

/* Writes an answer that is allow or deny; what else it is, is a denial. */
void policy_socket_format(const struct policy_system *s,
                          const struct policy_answer *a, struct buffer *to);
