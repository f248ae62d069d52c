/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_INET and AF_INET6: addresses, binding, and where an address leads.
 *
 * Inside, every address has sixteen bytes; an IPv4 one is ::ffff:a.b.c.d.  An
 * IPv6 socket without IPV6_V6ONLY may use those too.  The qube has one
 * interface, the loopback; inet_route() is the one place that knows.
 */
#pragma once

#include "kernel/net/ports.h"
#include "kernel/net/socket.h"

struct inet_addr {
	uint8_t byte[16];
};

struct inet_end {
	struct inet_addr addr;
	uint16_t port; /* host order */
};

struct inet {
	struct socket s;
	struct inet_end local;
	struct inet_end remote;
	bool addr_locked; /* bind() said which; else the connection did */
	bool port_locked;
	/* Our place in net->tcp or net->udp. */
	struct ports *ports;
	struct port *port;
	struct list in_port;
	struct list in_listeners; /* TCP in LISTEN only */
};

static inline struct inet *inet_of(struct socket *s)
{
	return container_of(s, struct inet, s);
}

extern const struct socket_family inet_family;
extern const struct socket_family inet_family6;

#define INET_LOOPBACK_INDEX 1 /* the interface "lo" */
#define INET_MTU            65536

/* Where a packet to an address would go. */
enum inet_way {
	INET_HERE,    /* to a socket of this qube */
	INET_NOWHERE, /* no route: ENETUNREACH */
};

enum inet_way inet_route(const struct inet_addr *to);

/* The fields a constructor of tcp or udp leaves to us. */
void inet_init(struct inet *i, int family, int type, int protocol,
               struct ports *ports);

bool inet_is_v4(const struct inet_addr *a);  /* ::ffff:0:0/96 */
bool inet_is_any(const struct inet_addr *a); /* 0.0.0.0 or :: */
bool inet_same(const struct inet_addr *a, const struct inet_addr *b);
bool inet_is_multicast(const struct inet_addr *a);
bool inet_is_broadcast(const struct inet_addr *a);

/* The unspecified address of a socket's family. */
struct inet_addr inet_any(const struct inet *i);

/* The address packets to `to` come from. */
struct inet_addr inet_source(const struct inet_addr *to);

/*
 * Reads a name as this socket may use it, for connecting and sending (an
 * unspecified address becomes the loopback's).  0, -EINVAL, -EAFNOSUPPORT, or
 * -ENETUNREACH for an IPv4 address on an IPv6-only socket.
 */
must_check long inet_parse(const struct inet *i, const struct sockname *n,
                           struct inet_end *out);

/* An end as a name of the socket's family. */
void inet_format(const struct inet *i, const struct inet_end *e,
                 struct sockname *out);

/* Is `to` among the addresses the socket receives for? */
bool inet_covers(const struct inet *i, const struct inet_addr *to);

/* Would the two receive for a common address?  For bind's conflicts. */
bool inet_overlap(const struct inet *a, const struct inet *b);

long inet_bind(struct socket *s, struct task *t, const struct sockname *name);
long inet_get_name(struct socket *s, bool peer, struct sockname *out);

/* Before a connection or the first datagram: a port of our own. */
must_check long inet_autobind(struct inet *i);

/* Gives back what bind() did not ask for; at disconnect. */
void inet_unbind_auto(struct inet *i);
