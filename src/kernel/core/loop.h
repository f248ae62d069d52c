/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's one thread: host descriptors that become ready, timers, and
 * functions to call soon.  Nothing here blocks but loop_wait().
 */
#pragma once

#include "base/list.h"
#include "kernel/core/timer.h"

/* A host descriptor of interest.  Embedded in its owner, who closes the fd. */
struct event {
	int fd;
	void (*ready)(struct event *e, uint32_t events); /* EPOLL* bits */
};

/* Something to do before the loop next looks at the host. */
struct soon {
	struct list link; /* list_init() it once */
	void (*run)(struct soon *s);
};

struct loop {
	int epoll_fd;
	struct timers timers;
	struct list soon;
	bool stop;
};

must_check int loop_init(struct loop *l);
void loop_fini(struct loop *l);

/*
 * Watches e->fd for `events` (EPOLL*; EPOLLET as the caller likes).
 * Returns 0 or a negative errno.  The event must be removed before it goes.
 */
must_check int loop_add(struct loop *l, struct event *e, uint32_t events);
must_check int loop_change(struct loop *l, struct event *e, uint32_t events);
void loop_remove(struct loop *l, struct event *e);

/* Queues `s`, unless it already is queued. */
void loop_soon(struct loop *l, struct soon *s);

/* Runs what is queued and what is due.  Returns whether anything ran. */
bool loop_run_soon(struct loop *l);

/*
 * Waits until a descriptor is ready, a timer is due or `until_ns` has come
 * (0: only looks), then calls what is ready.  Returns the number of events.
 */
int loop_wait(struct loop *l, uint64_t until_ns);
