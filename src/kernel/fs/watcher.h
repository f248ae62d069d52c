/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Someone who watches a file for as long as it lasts: sits on all of its wait
 * queues and is told of each change.  An item of an epoll set is one, a file
 * with O_ASYNC has another.
 */
#pragma once

#include "kernel/fs/poller.h"

struct file;
struct watcher;

#define WATCHER_PLACES 2 /* queues of a file that need no memory */

struct watcher_place {
	struct waiter waiter;
	struct watcher *watcher;
	struct list more; /* in watcher.more, if it is not embedded */
};

struct watcher {
	/* Something changed: POLL* bits, as for waiter.wake. */
	void (*news)(struct watcher *w, struct waiter *place, uint32_t events);
	struct kernel *kernel;
	bool exclusive; /* as a waiter's; set before it starts */
	struct poller poller;
	struct watcher_place place[WATCHER_PLACES];
	unsigned place_count;
	struct list more;
	bool short_of_memory; /* it is not on all queues */
};

/*
 * Begins: `news` is set, the rest zero or `exclusive`.  `t` is who asks for
 * it.  0, or -ENOMEM and it watches nothing.
 */
must_check int watcher_start(struct watcher *w, struct file *f, struct task *t);

/* Before the file goes, at the latest.  Harmless if it never started. */
void watcher_stop(struct watcher *w);
