/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams waiting in a socket: of UDP, of unix sockets that keep message
 * boundaries, of netlink.
 */
#pragma once

#include "kernel/core/kernel.h"
#include "kernel/net/socket.h"

struct sockpkt {
	struct list link;
	uint32_t size; /* of data */
	bool has_cred;
	struct sockcred cred;
	struct scm_files *files;
	uint64_t time_ns; /* CLOCK_REALTIME of its arrival; 0: nobody asked */
	uint8_t to[16];   /* internet: the address it was sent to */
	uint16_t to_port;
	uint8_t ttl;
	uint8_t tos;
	int32_t error; /* of an error queue's entry; positive */
	struct sockname from;
	uint8_t data[];
};

struct sockpkts {
	struct list list;
	size_t used; /* bytes charged for what is in it */
	uint32_t count;
};

/* A datagram in no queue, charged; NULL: no memory.  No name, no files. */
must_check struct sockpkt *sockpkt_create(struct kernel *k, size_t size);

/* The same, with all that is left of `u` as data.  0, -ENOMEM, -EFAULT. */
must_check long sockpkt_take(struct kernel *k, struct uio *u,
                             struct sockpkt **out);

/* Accepts NULL; drops files. */
void sockpkt_free(struct kernel *k, struct sockpkt *p);

/* What it counts for in a queue. */
size_t sockpkt_cost(size_t size);

void sockpkt_queue_init(struct sockpkts *q);
void sockpkt_queue_fini(struct kernel *k, struct sockpkts *q);
void sockpkt_push(struct sockpkts *q, struct sockpkt *p);
struct sockpkt *sockpkt_first(struct sockpkts *q); /* NULL: none */
void sockpkt_remove(struct sockpkts *q, struct sockpkt *p);

/*
 * Copies the data to the receiver, notes MSG_TRUNC, fills in the name.
 * Returns what recv returns, or -EFAULT.
 */
must_check long sockpkt_give(const struct sockpkt *p, struct sockmsg *m);
