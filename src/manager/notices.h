/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling the user what became of calls, where the policy says `notify`, and of
 * calls that failed: an event `call` of admin.Events, a line in the manager's
 * log, and the program `policy-notify` beside the user's policy or in /etc/bento,
 * which gets one object on one line:
 *
 *	{"result": "deny", "source": "work", "service": "qubes.Gpg",
 *	 "argument": "+", "requested_target": "vault", "target": "",
 *	 "why": "no rule is for this call", "left_out": 0}
 *
 * `result` is allow, deny or fail; `target` where the call went.  A qube that
 * calls without end does not drown the others: of each, NOTICES_AT_ONCE are told,
 * and from then on one a second; `left_out` says how many of its were not.  One
 * program runs at a time, and NOTICES_QUEUE wait for it.
 */
#pragma once

#include "base/fault.h"
#include "base/span.h"

#define NOTICES_AT_ONCE 10u
#define NOTICES_QUEUE   64u

struct manager;
struct notices;

enum notices_result { NOTICES_ALLOW, NOTICES_DENY, NOTICES_FAIL };

struct notice {
	enum notices_result result;
	struct span source;
	struct span service; /* with or without an argument */
	struct span wanted;
	struct span target; /* or empty */
	const char *why;    /* or NULL */
};

must_check int notices_create(struct manager *m, struct notices **out,
                              struct fault *f);
void notices_destroy(struct notices *n);

void notices_tell(struct notices *n, const struct notice *what);
