/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/poller.h"

static void watch(struct poller *p, struct waitq *q)
{
	task_watch(p->task, q);
}

static void watch_nothing(struct poller *p, struct waitq *q)
{
	(void)p, (void)q;
}

struct poller poller_task(struct task *t)
{
	return (struct poller){.watch = watch, .task = t};
}

struct poller poller_look(struct task *t)
{
	return (struct poller){.watch = watch_nothing, .task = t};
}
