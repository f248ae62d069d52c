/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP inside the qube: a datagram is queued at its receiver or dropped.  That
 * nobody has the port is told to a connected sender by its next call, and to
 * one with IP_RECVERR by its error queue, as ICMP would.
 */
#pragma once

#include "kernel/net/inet.h"
#include "kernel/net/sockpkt.h"

struct udp {
	struct inet i;
	bool connected;
	struct sockpkts rx;
	struct sockpkts errors; /* MSG_ERRQUEUE */
};

static inline struct udp *udp_of(struct socket *s)
{
	return container_of(s, struct udp, i.s);
}

/* `protocol` is IPPROTO_UDP or IPPROTO_UDPLITE, which has its own ports. */
must_check long udp_create(struct kernel *k, int family, int protocol,
                           struct socket **out);

bool udp_is(const struct socket *s);
