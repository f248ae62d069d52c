/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file's poll() is given: someone who wants to be put on the file's
 * wait queues.  A task in poll(2) or in a blocking read is one, an epoll item
 * another.
 */
#pragma once

#include "kernel/core/waitq.h"
#include "kernel/task/task.h"

struct poller {
	void (*watch)(struct poller *p, struct waitq *q);
	struct task *task; /* for poller_task */
};

/* Puts the poller on `q`.  Accepts NULL: then only the state is wanted. */
static inline void poller_watch(struct poller *p, struct waitq *q)
{
	if (p)
		p->watch(p, q);
}

/* A poller that puts `t` on the queues, by task_watch(). */
struct poller poller_task(struct task *t);

/* One that only wants the state, as `t` sees it. */
struct poller poller_look(struct task *t);
