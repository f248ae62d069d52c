/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V message queues.
 */
#pragma once

#include "kernel/ipc/sysv.h"

#define MSG_SIZE_MAX  8192u  /* bytes in one message */
#define MSG_QUEUE_MAX 16384u /* bytes in a queue, to begin with */

struct msg {
	struct list link;
	int64_t type;
	size_t size;
	uint8_t data[];
};

struct msg_queue {
	struct sysv_object object;
	struct list messages;
	struct waitq read_wait, write_wait;
	uint64_t bytes, count; /* in it */
	uint64_t room;         /* bytes it takes */
	int64_t stime, rtime, ctime;
	int32_t sender, receiver; /* the last ones */
};

/* An empty queue, not entered yet.  NULL: no memory. */
must_check struct msg_queue *msg_queue_create(struct kernel *k);

/* Removes a queue that was entered; who waits for it gets -EIDRM. */
void msg_queue_destroy(struct kernel *k, struct msg_queue *q);

/* A message of that size to be filled in.  NULL: no memory. */
must_check struct msg *msg_create(struct kernel *k, int64_t type, size_t size);
void msg_destroy(struct kernel *k, struct msg *m);

/* May a message of that size go in now? */
bool msg_fits(const struct msg_queue *q, size_t size);

/* Takes over the message, which fits. */
void msg_send(struct task *t, struct msg_queue *q, struct msg *m);

/* The message msgrcv(2) means by `type` and `except`, or NULL. */
struct msg *msg_choose(const struct msg_queue *q, int64_t type, bool except);

/* Takes it out; the caller destroys it. */
void msg_receive(struct task *t, struct msg_queue *q, struct msg *m);
