/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wait queues: who wants to know when an object's state changes.
 *
 * A waiter sits in one queue and is called when the queue is woken; what it
 * does then (run a task again, mark an epoll item) is its own business.  The
 * callback may take its own waiter out of the queue, and no other.
 */
#pragma once

#include "base/list.h"

/* What changed, in the words of poll(2); ~0 when everything may have. */
#define WAITQ_ANY (~0u)

struct waitq {
	struct list waiters;
};

/*
 * Of those who wait exclusively, one is called for each change that it says it
 * took; the others are passed over then.
 */
struct waiter {
	struct list link; /* in waitq.waiters, or in no list */
	void (*wake)(struct waiter *w, uint32_t events);
	bool exclusive;
	bool took; /* set by wake() of an exclusive one */
};

static inline void waitq_init(struct waitq *q)
{
	list_init(&q->waiters);
}

static inline void waitq_add(struct waitq *q, struct waiter *w)
{
	list_add_tail(&q->waiters, &w->link);
}

/* Harmless on a waiter that is in no queue, once list_init() was called. */
static inline void waitq_remove(struct waiter *w)
{
	list_del(&w->link);
}

/* Calls who waits.  `events` are POLL* bits. */
void waitq_wake(struct waitq *q, uint32_t events);

/*
 * Before an object with a queue goes away: wakes everyone a last time and
 * takes them out.
 */
void waitq_fini(struct waitq *q);
