/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager's one place to wait: descriptors and times, one thread.
 */
#pragma once

#include "base/fault.h"
#include "base/list.h"

struct reactor;

/*
 * A descriptor that is looked at.  Embedded by its owner; `ready` is called with
 * what epoll found, and may close its own watch or any other.
 */
struct reactor_watch {
	int fd; /* the owner's; -1: not watched */
	uint32_t events;
	void (*ready)(struct reactor_watch *w, uint32_t events);
};

/* Something that is done once, after a time.  Embedded by its owner. */
struct reactor_timer {
	struct list link;
	int64_t at_ms;
	void (*fire)(struct reactor_timer *t);
};

must_check int reactor_create(struct reactor **out, struct fault *f);
void reactor_destroy(struct reactor *r);

/* 0 or a negative errno. */
must_check int reactor_add(struct reactor *r, struct reactor_watch *w, int fd,
                           uint32_t events);

/* Changes what is waited for.  Harmless for a watch that is not added. */
void reactor_change(struct reactor *r, struct reactor_watch *w,
                    uint32_t events);

/* Ends the watch, without closing the descriptor. */
void reactor_remove(struct reactor *r, struct reactor_watch *w);

void reactor_timer_init(struct reactor_timer *t,
                        void (*fire)(struct reactor_timer *t));

/* Starts it, or starts it anew. */
void reactor_timer_start(struct reactor *r, struct reactor_timer *t,
                         int64_t in_ms);

/* Harmless if it does not run. */
void reactor_timer_stop(struct reactor_timer *t);

/* Milliseconds that only grow. */
int64_t reactor_now_ms(void);

/* Waits and calls until reactor_stop().  0 or a negative errno. */
must_check int reactor_run(struct reactor *r, struct fault *f);
void reactor_stop(struct reactor *r);
