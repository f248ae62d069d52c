/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that this qube serves: the manager has allowed them, and hands over
 * their streams.
 *
 * A service that is a program runs as a child of process 1 with the streams as
 * its descriptors 0, 1 and 2; its exit status is the call's.  A socket's, or a
 * link's to /dev/tcp, is connected to, and a callpump carries the bytes; the
 * status is 0.  127 means that there is no such service, 125 that it could not be
 * served.
 */
#pragma once

#include "kernel/calls/callhub.h"
#include "kernel/calls/callpump.h"
#include "kernel/calls/servefind.h"
#include "kernel/program.h"

struct served {
	struct list link; /* in callhub.running, then .ended */
	struct callhub *hub;
	uint64_t id;
	uint32_t flags;
	uint32_t exit_status;
	bool session; /* `program` is not the service yet: it awaits it */
	int streams[CALLMSG_STREAMS];
	char *text; /* the record */
	struct callmsg names;
	struct servefind found;
	struct program_over program; /* how it hears of a program's end */
	struct callpump *pump;
	uint64_t lent; /* bytes that may lie at the pump */

	/* Of a socket whose listener has no room yet. */
	struct socket *socket; /* not connected; owned */
	struct waiter room;
	struct soon again;
};

/* A `serve` of the manager's.  Takes what it wants out of `fds`. */
void served_begin(struct callhub *h, const struct control *c,
                  struct control_fds *fds);

/* Lets go of it in whatever state it is; nobody is told. */
void served_destroy(struct served *s);
