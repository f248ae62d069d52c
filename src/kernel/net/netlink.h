/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_NETLINK: questions to the kernel as datagrams.
 *
 * NETLINK_ROUTE answers dumps of what there is: the loopback interface, its
 * addresses and routes.  Other protocols can be bound and stay silent.  A
 * request is answered while it is sent; the answers wait in the queue.
 */
#pragma once

#include "base/span.h"
#include "kernel/net/socket.h"
#include "kernel/net/sockpkt.h"

struct netstack_row;

struct netlink {
	struct socket s;
	uint32_t port; /* nl_pid; 0: not bound */
	uint32_t groups;
	uint32_t peer_port; /* connect() */
	uint32_t peer_groups;
	struct sockpkts rx;
};

static inline struct netlink *netlink_of(struct socket *s)
{
	return container_of(s, struct netlink, s);
}

extern const struct socket_family netlink_family;

/* One request, as it came. */
struct netlink_request {
	uint16_t type;
	uint16_t flags; /* NLM_F_* */
	uint32_t seq;
	uint32_t port;
	struct span whole; /* head and body, borrowed */
	struct span body;
};

/*
 * Takes the next request off a datagram.  Returns 1 and fills *out, 0 at the
 * end, or when what is left is no request: Linux ignores that.
 */
int netlink_next(struct reader *r, struct netlink_request *out);

/* An answer being written.  What does not fit makes it `bad`. */
#define NETLINK_ANSWER 4096u

struct netlink_answer {
	size_t size;
	bool bad;
	size_t start; /* of the message being written */
	uint8_t bytes[NETLINK_ANSWER];
};

/* Begins a message, appends to it, and ends it. */
void netlink_begin(struct netlink_answer *a, const struct netlink_request *q,
                   uint16_t type, uint16_t flags, uint32_t port);
void netlink_put(struct netlink_answer *a, const void *data, size_t size);
void netlink_attr(struct netlink_answer *a, uint16_t type, const void *data,
                  size_t size);
void netlink_attr_u32(struct netlink_answer *a, uint16_t type, uint32_t v);
void netlink_attr_u8(struct netlink_answer *a, uint16_t type, uint8_t v);
void netlink_end(struct netlink_answer *a);

/* An attribute's nest: begin, put others, end with what begin returned. */
size_t netlink_nest(struct netlink_answer *a, uint16_t type);
void netlink_nest_end(struct netlink_answer *a, size_t at);

void netlink_describe(struct socket *s, struct netstack_row *r);
