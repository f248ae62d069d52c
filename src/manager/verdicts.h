/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy socket, runtime/policy.sock: one question a connection
 * (policy/policy_socket.h), one answer, and the connection is closed.
 *
 * Where the policy says to ask, the answer waits for the user's
 * (manager/prompts.h); any number of others is answered meanwhile.  When the
 * policy is in error, the answer is a denial.  What is no question, and who is another user, gets no answer.
 */
#pragma once

#include "base/fault.h"

#define VERDICTS_MAX 4096u /* that wait at once; more have to queue */

struct manager;
struct verdicts;

/* Answers on a listening socket, which is taken over.  0 or -errno and why. */
must_check int verdicts_create(struct manager *m, int sock,
                               struct verdicts **out, struct fault *f);

void verdicts_destroy(struct verdicts *v);
