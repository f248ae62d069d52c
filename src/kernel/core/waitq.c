/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/core/waitq.h"

void waitq_wake(struct waitq *q, uint32_t events)
{
	/*
	 * A waiter may put itself back while it is called.  Moving everyone
	 * to a list of our own first makes that end.
	 */
	struct list todo;
	bool taken = false;

	if (list_empty(&q->waiters))
		return;
	todo = q->waiters;
	todo.next->prev = &todo;
	todo.prev->next = &todo;
	list_init(&q->waiters);
	while (!list_empty(&todo)) {
		struct waiter *w = list_first(&todo, struct waiter, link);

		list_del(&w->link);
		list_add_tail(&q->waiters, &w->link);
		if (w->exclusive) {
			if (taken)
				continue;
			w->took = false;
			w->wake(w, events);
			taken = w->took;
		} else {
			w->wake(w, events);
		}
	}
}

void waitq_fini(struct waitq *q)
{
	list_for_each (at, &q->waiters)
		list_entry(at, struct waiter, link)->exclusive = false;
	waitq_wake(q, WAITQ_ANY);
	while (!list_empty(&q->waiters))
		list_del(q->waiters.next);
}
