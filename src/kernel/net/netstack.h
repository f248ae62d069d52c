/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All sockets of a qube, the names they have, and a view of them for /proc.
 */
#pragma once

#include "kernel/core/kernel.h"
#include "kernel/net/ports.h"
#include "kernel/net/socket.h"

struct scm;
struct sockbuf_pool;

#define NETSTACK_ABSTRACT 256u /* buckets */

struct netstack {
	struct kernel *kernel;
	struct list sockets; /* socket.in_stack, all of them */
	uint32_t count;
	struct list abstract[NETSTACK_ABSTRACT]; /* unix_sock.in_abstract */
	uint32_t next_auto;                      /* autobind of unix sockets */
	uint32_t next_netlink;                   /* and of netlink ones */
	struct ports tcp;
	struct ports udp;
	struct ports udplite;
	struct scm *scm;
	struct sockbuf_pool *pool;
};

/* Makes k->net; the first socket does.  0 or -ENOMEM. */
must_check int netstack_create(struct kernel *k);

/* After all tasks and files have gone. */
void netstack_destroy(struct kernel *k);

/* What /proc/net shows. */
enum netstack_table {
	NETSTACK_UNIX,
	NETSTACK_TCP,
	NETSTACK_TCP6,
	NETSTACK_UDP,
	NETSTACK_UDP6,
	NETSTACK_NETLINK,
};

/* One socket as a line of its table. */
struct netstack_row {
	uint64_t ino;
	uint32_t uid;
	uint32_t refs;
	uint16_t type; /* SOCK_* */
	int32_t protocol;
	uint8_t state; /* TCP_*; unix: 1 free, 3 connected */
	bool listening;
	size_t unread;
	size_t unsent;
	uint8_t local[16]; /* IPv4 in the first four bytes; network order */
	uint8_t remote[16];
	uint16_t local_port;
	uint16_t remote_port;
	uint32_t netlink_port;
	uint32_t netlink_groups;
	/* The name of a unix socket; '@' for each NUL.  Empty: it has none. */
	char path[112];
};

/* Calls `each` for every socket of a table, until it returns false. */
void netstack_each(struct kernel *k, enum netstack_table table,
                   bool (*each)(const struct netstack_row *row, void *ctx),
                   void *ctx);
