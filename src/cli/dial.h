/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's own calls to services of qubes.  The manager gives the streams and
 * is out of the way then.
 */
#pragma once

#include "channel/callmsg.h"
#include "cli/query.h"

struct dial {
	const char *qube; /* NULL with `disposable`: the default template */
	bool disposable;  /* a new one, of `qube`, which goes with the call */
	const char *service; /* SERVICE or SERVICE+ARGUMENT */
	const char *user;    /* NULL: the qube's default user */
	bool no_start;       /* fail if the qube does not run */
};

/* Sets it up for a target as the policy names it: "work", "@dispvm:work". */
void dial_to(struct dial *d, const char *target);

/* 0 and the streams, which the caller owns; or a negative errno and why. */
must_check int dial_open(const struct dial *d, struct query *q,
                         int streams[CALLMSG_STREAMS], struct fault *f);

#define DIAL_NO_INPUT  1u
#define DIAL_NO_OUTPUT 2u
#define DIAL_VISIBLE   4u /* filter what is shown on a terminal */

/*
 * Carries our standard streams until the service has ended.  Takes over the
 * streams.  Returns its exit status, or 125 if that was never told.
 */
int dial_carry(int streams[CALLMSG_STREAMS], uint32_t how);

/*
 * Has a program of ours talk to the service: it reads what that writes, and the
 * other way; its standard error is ours.  The same otherwise, once both have
 * ended.
 */
int dial_command(int streams[CALLMSG_STREAMS], char *const command[],
                 struct fault *f);
