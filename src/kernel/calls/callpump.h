/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries the bytes of a call between the host's streams and a socket of this
 * qube, whose other end a service has: both ways, each as fast as its receiver
 * takes them, each with an end of its own.
 *
 * What the receiver does not take stays where it is: the host's stream is not
 * read while the service's buffer is full, nor the service's socket while there
 * is something the host did not take.  So `most` bytes lie, at most, in each of
 * four places: in the socket and before it, in either direction.
 */
#pragma once

#include "base/span.h"
#include "kernel/core/kernel.h"

struct callpump;
struct socket;

enum callpump_end {
	CALLPUMP_UNREAD, /* all is said; the service has not read all; goes on */
	CALLPUMP_OVER,
	CALLPUMP_NO_MEMORY,
};

struct callpump_how {
	struct socket *socket; /* connected, of nobody's; taken over */
	int in, out;           /* host stream sockets; taken over */
	size_t most;
	struct span head;     /* for the service, before all else; copied */
	bool end_with_client; /* all is over when either has sent all */
	bool end_with_service;
	/* Called from the loop; destroys it, but for CALLPUMP_UNREAD, which comes
	 * once at most, and before another. */
	void (*over)(void *who, enum callpump_end end);
	void *who;
};

/* NULL: no memory; all is closed. */
must_check struct callpump *callpump_create(struct kernel *k,
                                            const struct callpump_how *how);

/* Closes all.  Accepts NULL. */
void callpump_destroy(struct callpump *p);
