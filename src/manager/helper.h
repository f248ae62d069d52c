/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of the user's own session that the manager starts and does not wait
 * for: services of dom0, and the program that is told of calls.
 *
 * Between such a program and us stands a *steward*, a process that starts it,
 * waits for it, tells its exit status, and is confined to that (helper.def).  So
 * what runs goes on when the manager ends.
 *
 * All that starts a process for a call is in this file.
 */
#pragma once

#include "base/fault.h"
#include "channel/callmsg.h"

struct manager;

#define HELPER_SERVICES "rpc"
#define HELPER_CONFIGS  "rpc-config"
#define HELPER_NOTIFY   "policy-notify"

/* A call to dom0, by names that callmsg_parse() let pass. */
struct helper_call {
	struct span service; /* with the '+' */
	struct span source;
	struct span wanted; /* the target that was asked for */
};

/*
 * Starts a service: SERVICE+ARGUMENT, or else SERVICE, in rpc/ beside the
 * user's policy, or else in /etc/bento/rpc.  An executable finds its streams at
 * 0, 1 and 2 (all borrowed), the argument as its first one, and QREXEC_* in its
 * environment; for a unix socket or a link to /dev/tcp a carrier takes its
 * place (carrier.h).  0, and *ended is readable at its end; -ENOENT: there is
 * none; or another negative errno.
 */
must_check int helper_service(const struct manager *m,
                              const struct helper_call *call,
                              const int streams[CALLMSG_STREAMS], int *ended,
                              struct fault *f);

/*
 * Starts the user's policy-notify with `message` (borrowed) to read.  As above.
 */
must_check int helper_notify(const struct manager *m, int message, int *ended,
                             struct fault *f);
