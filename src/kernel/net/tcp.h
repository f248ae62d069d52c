/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP between two sockets of one qube: no packets, no loss, no time.  What one
 * writes lies in the other's buffer.
 *
 * A connection is made at once, by connect(), if a listener has room in its
 * backlog; else the client waits in the listener's queue in SYN_SENT.  To a
 * program that does not wait, connect() says EINPROGRESS in any case, and the
 * outcome is told by poll() and SO_ERROR, as if there were a wire.
 *
 * Each of a pair owns a reference to the other until it is closed.  A close
 * with unread data, or with SO_LINGER of zero, resets the connection.
 */
#pragma once

#include "kernel/net/inet.h"
#include "kernel/net/sockbuf.h"

struct optval;

/* States as linux/tcp.h's users know them from /proc and TCP_INFO. */
enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_FIN_WAIT1 = 4,
	TCP_FIN_WAIT2 = 5,
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8,
	TCP_LISTEN = 10,
};

struct tcp {
	struct inet i;
	enum tcp_state state;
	struct tcp *peer; /* owns a reference; NULL: none, or it is closed */
	struct sockbuf rx;
	size_t want;      /* MSG_WAITALL: the buffer may grow to this */
	bool connecting;  /* connect() has not told the outcome yet */
	bool was_open;    /* it was connected once: end of file, not ENOTCONN */
	bool peer_closed; /* the next byte we send is answered by a reset */
	bool has_urgent;  /* one byte out of band ... */
	uint8_t urgent;   /* ... this one, to be read with MSG_OOB */
	uint64_t sent;
	uint64_t received;

	/* A listener's. */
	uint32_t backlog;
	uint32_t queue_count;
	struct list queue;   /* in_queue of those not accepted yet */
	struct list waiting; /* in_queue of clients for whom was no room */

	/* In one of those lists. */
	struct tcp *listener;
	struct list in_queue;
};

static inline struct tcp *tcp_of(struct socket *s)
{
	return container_of(s, struct tcp, i.s);
}

must_check long tcp_create(struct kernel *k, int family, struct socket **out);

bool tcp_is(const struct socket *s);

/* TCP_INFO, SO_ACCEPTCONN. */
long tcp_get_info(struct socket *s, struct task *t, struct optval *v);
bool tcp_listens(struct socket *s);
