/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy socket, runtime/policy.sock: one question a connection
 * (policy/policy_socket.h), one answer, and the connection is closed.
 *
 * Where the policy says to ask, the user's prompt program is started,
 * `policy-prompt` beside the folder of the user's policy or of /etc's, and the
 * answer waits for its end; any number of others is answered meanwhile.  If
 * there is no such program the call is denied.  So it is when the policy is in
 * error.  What is no question, and who is another user, gets no answer.
 */
#pragma once

#include "base/fault.h"

#define VERDICTS_MAX 4096u /* that wait at once; more have to queue */

struct manager;
struct verdicts;

/* Answers on a listening socket, which is taken over.  0 or -errno and why. */
must_check int verdicts_create(struct manager *m, int sock,
                               struct verdicts **out, struct fault *f);

/* Ends the prompts that are open. */
void verdicts_destroy(struct verdicts *v);
