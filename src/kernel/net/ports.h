/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ports of one protocol, and who has them.  IPv4 and IPv6 share them, as
 * one socket may be bound to both.
 */
#pragma once

#include "base/list.h"

struct inet;
struct kernel;

#define PORTS_BUCKETS 1024u
#define PORTS_FIRST   32768u /* net.ipv4.ip_local_port_range */
#define PORTS_LAST    60999u

struct port {
	struct list link; /* in its bucket */
	uint16_t number;
	struct list users;     /* inet.in_port, all sockets on it */
	struct list listeners; /* inet.in_listeners */
};

struct ports {
	struct kernel *kernel;
	struct list bucket[PORTS_BUCKETS];
	uint16_t next; /* where the search for a free one begins */
};

void ports_init(struct ports *ps, struct kernel *k);

/* The port, or NULL if nobody has it.  Borrowed. */
struct port *ports_find(struct ports *ps, uint16_t number);

/*
 * Puts a socket, whose local address and options are set, on `number`, or on a
 * free one for 0.  0, -EADDRINUSE, -ENOMEM.
 */
must_check int ports_bind(struct inet *i, uint16_t number);

/* Puts a connection on its listener's port, which is beyond conflicts. */
void ports_join(struct inet *i, struct port *p);

/* May a socket listen where it is bound?  0 or -EADDRINUSE; then it does. */
must_check int ports_listen(struct inet *i);

void ports_unlisten(struct inet *i);

/* Leaves the port; the last one frees it.  Harmless when on none. */
void ports_leave(struct inet *i);
