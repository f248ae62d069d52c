/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls policy.* of whoever serves them:
 *
 *	policy.List              names, one a line, without .policy
 *	policy.Get+NAME          the token, a line end, the file
 *	policy.Replace+NAME      payload: a token, a line end, the new file
 *	policy.Remove+NAME       payload: a token
 *	policy.GetFiles+SERVICE  paths of the files whose rules name the service
 *
 * and policy.include.List, Get, Replace and Remove for what lies in include/.
 * Tokens are those of policy_change.h.
 */
#pragma once

#include "policy/policy_change.h"

struct policy_call {
	struct span method;
	struct span argument; /* without its + */
	struct span payload;
};

/* Is there such a method? */
bool policy_calls_has(struct span method);

/*
 * Answers a call.  Returns 0 and adds the answer to *out; or a negative errno
 * (-ENOSYS: there is no such method), *exception, which is the name of what
 * goes over the wire, and why.
 */
must_check int policy_calls_serve(struct policy_store *s,
                                  const struct policy_call *c,
                                  struct buffer *out, const char **exception,
                                  struct fault *f);
