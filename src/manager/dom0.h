/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to dom0, the user's own session.  Who serves one is looked for here:
 *
 *	a program of the user's or of the machine's (manager/helper.h)
 *	a service of ours (dom0.def)
 *	a method of the Admin API, or one that qubes tell us things by, with the
 *	qube that calls as its source and what that asked for as its target
 *
 * The last reads what the qube sends, at most REQUEST_SIZE_MAX bytes, as the
 * payload (admin/request.h).  The default policy allows none of `admin.*`.
 */
#pragma once

#include "channel/callmsg.h"

struct manager;

/* Programs at once; for each qube half of what the others leave. */
#define DOM0_MAX 512u

/*
 * Serves a call that is allowed.  The streams, the target's ends, are taken
 * over; what becomes of it goes to the one for the status.
 */
void dom0_serve(struct manager *m, const struct callmsg *what,
                int streams[CALLMSG_STREAMS]);

/* Forgets the programs, which go on. */
void dom0_forget(struct manager *m);
