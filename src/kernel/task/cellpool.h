/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and unmaking cells: the zygote, the pools of prepared ones, and the
 * host's reports of ended processes.  Only cells.c uses this.
 */
#pragma once

#include "kernel/task/cells.h"

#define CELLPOOL_HOT 8 /* slots the kernel looks at without a bell */

struct cells {
	struct kernel *kernel;
	int32_t zygote_pid;
	int zygote_sock;
	struct notice *notice;
	struct event sigchld; /* a signalfd */
	struct list live, pool, warm;
	unsigned pool_count;
	bool cold; /* the last process asked for was not to be had */
	struct {
		struct task *task; /* or NULL */
		uint64_t stamp;    /* of its last request */
	} hot[CELLPOOL_HOT];
	uint64_t stamp;
	bool far;            /* guest memory goes through the stubs; far.h */
	struct slot nowhere; /* of tasks without a cell; nobody waits */
};

must_check int cellpool_create(struct kernel *k, int exe_fd,
                               struct cells **out);
void cellpool_destroy(struct cells *cs);

/* A cell with channel, socket and bell but no process; NULL: no memory. */
must_check struct cell *cellpool_take(struct cells *cs);

/* A cell whose process waits in OP_hello, or will soon. */
must_check struct cell *cellpool_take_warm(struct cells *cs);

/* Hands the cell's descriptors over and forgets our copies.  0 or -errno. */
must_check long cellpool_send_parts(int sock, struct cell *c);

/* Sends descriptors over a SEQPACKET socket without waiting.  0 or -errno. */
must_check long cellpool_send(int sock, const int *fds, size_t count);

/* Frees a cell that has no process and no task. */
void cellpool_free(struct cell *c);

/* Kills the host process, now or as soon as its pid is known. */
void cellpool_doom(struct cell *c);

/* Reads the hello if it has come.  Returns whether the pid is known. */
bool cellpool_hello(struct cell *c);

/* Fills the pools by one.  Returns whether there was something to do. */
bool cellpool_refill(struct cells *cs);

/* The slot with this index. */
static inline struct slot *cellpool_slot(struct cell *c, uint32_t index)
{
	return (struct slot *)(void *)(c->channel +
	                               (size_t)index * CHANNEL_STRIDE);
}
