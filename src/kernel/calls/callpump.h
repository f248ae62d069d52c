/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries the bytes of a call between the host's streams and a socket of this
 * qube, whose other end a service has: both ways, each as fast as its receiver
 * takes them, each with an end of its own.
 *
 * What the receiver does not take stays where it is: the host's stream is not
 * read while the service's buffer is full, nor the service's socket while there
 * is something the host did not take.
 */
#pragma once

#include "base/span.h"
#include "kernel/core/kernel.h"

struct callpump;
struct socket;

struct callpump_how {
	struct socket *socket; /* connected, of nobody's; taken over */
	int in, out;           /* host stream sockets; taken over */
	struct span head;      /* for the service, before all else; copied */
	bool end_with_client;  /* all is over when either has sent all */
	bool end_with_service;
	/* It is over: in order (true), or for want of memory.  Called from the
	 * loop; destroys it. */
	void (*over)(void *who, bool in_order);
	void *who;
};

/* NULL: no memory; all is closed. */
must_check struct callpump *callpump_create(struct kernel *k,
                                            const struct callpump_how *how);

/* Closes all.  Accepts NULL. */
void callpump_destroy(struct callpump *p);
