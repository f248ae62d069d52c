/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that qubes ask for: from a kernel's question to its answer.
 *
 *	asked -> policy -> refused
 *	           |  \--> the user is asked -> refused
 *	           v            |
 *	        the route  <----'        (manager/route.h)
 *	           |
 *	        joined, and forgotten
 *
 * The caller hears yes or no, and nothing of what is or is not there: there is
 * no difference for it between a qube that does not exist and one it may not
 * call.  What goes on is told to the user (manager/notices.h).
 *
 * A qube may have BROKER_WAITING_MAX calls wait, of BROKER_SIZE_MAX bytes in
 * all; more are refused.  Nothing here waits, so one qube's calls hold up
 * another's for as long as it takes to look at them.
 */
#pragma once

#include "channel/callmsg.h"

#define BROKER_WAITING_MAX 4096u
#define BROKER_SIZE_MAX    ((size_t)4 << 20)

struct trunk;

/* A qube asks.  False: that was garbage. */
must_check bool broker_asked(struct trunk *t, const struct control *c,
                             struct control_fds *fds);

/* It does not want an answer any more. */
void broker_gone(struct trunk *t, uint64_t id);

/* Forgets all calls it has asked for. */
void broker_forget(struct trunk *t);
