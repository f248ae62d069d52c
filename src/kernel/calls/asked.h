/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to other qubes that programs of this one ask for, on the socket that
 * channel/agent.h describes.
 *
 * Whoever connects may send anything, or nothing, and go away at any time.  A
 * request stays in the socket's own buffer, which is the sender's charge, until
 * all of it is there; then it is read once, and checked.  Too many connections
 * at once wait in the backlog; those whose request is not complete make room.
 */
#pragma once

#include "channel/agent.h"
#include "channel/callmsg.h"
#include "kernel/calls/callhub.h"
#include "kernel/core/waitq.h"

struct socket;

enum asked_state { ASKED_READING, ASKED_UNTOLD, ASKED_TOLD, ASKED_GONE };

struct asked {
	struct list link; /* in the list of callhub for its state */
	struct callhub *hub;
	enum asked_state state;
	uint64_t id;
	bool early;     /* it would have its streams before the answer: ... */
	uint64_t ahead; /* ... those of that number; 0: there were none */
	int near[CALLMSG_STREAMS]; /* these, until it has them */
	struct socket *socket;     /* a reference; NULL: GONE */
	struct waiter changed;
	struct soon look;
	uint8_t ident[AGENT_IDENT_SIZE];
	uint8_t *body; /* of the request; charged */
	size_t size;
	struct callmsg names; /* in `body` */
};

/* Makes the socket.  0 or a negative errno. */
must_check long asked_listen(struct callhub *h);

/* Closes it, and all connections. */
void asked_end(struct callhub *h);

/* What the manager is to know of it; borrowed. */
void asked_names(const struct asked *a, struct callmsg *out);

void asked_is_told(struct asked *a);

/* All that is told is untold again. */
void asked_untell(struct callhub *h);

/* The answers.  The first takes its streams out of `fds`. */
void asked_allowed(struct callhub *h, const struct control *c,
                   struct control_fds *fds);
void asked_refused(struct callhub *h, uint64_t id);
void asked_refuse_all(struct callhub *h);

/* The end of its connection without an answer. */
void asked_drop(struct asked *a);

/* Frees one in any state; nobody hears. */
void asked_destroy(struct asked *a);
