/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/watcher.h"

#include "kernel/core/limits.h"
#include "kernel/fs/file.h"

static void woken(struct waiter *waiter, uint32_t events)
{
	struct watcher *w = container_of(waiter, struct watcher_place, waiter)
	                            ->watcher;

	w->news(w, waiter, events);
}

static void watch(struct poller *p, struct waitq *q)
{
	struct watcher *w = container_of(p, struct watcher, poller);
	struct watcher_place *at;

	if (w->place_count < WATCHER_PLACES) {
		at = &w->place[w->place_count++];
	} else {
		at = limits_alloc(w->kernel, sizeof(*at));
		if (!at) {
			w->short_of_memory = true;
			return;
		}
		list_add_tail(&w->more, &at->more);
	}
	at->watcher = w;
	at->waiter = (struct waiter){.wake = woken, .exclusive = w->exclusive};
	list_init(&at->waiter.link);
	waitq_add(q, &at->waiter);
}

int watcher_start(struct watcher *w, struct file *f, struct task *t)
{
	w->kernel = f->kernel;
	list_init(&w->more);
	w->poller = (struct poller){.watch = watch, .task = t};
	(void)file_poll(f, &w->poller);
	w->poller.task = NULL;
	if (!w->short_of_memory)
		return 0;
	watcher_stop(w);
	return -ENOMEM;
}

void watcher_stop(struct watcher *w)
{
	for (unsigned n = 0; n < w->place_count; n++)
		waitq_remove(&w->place[n].waiter);
	w->place_count = 0;
	while (w->kernel && !list_empty(&w->more)) {
		struct watcher_place *at = list_first(
			&w->more, struct watcher_place, more);

		waitq_remove(&at->waiter);
		list_del(&at->more);
		limits_free(w->kernel, at, sizeof(*at));
	}
}
