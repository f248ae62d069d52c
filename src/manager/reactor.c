/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A callback may remove watches whose events were fetched together with its
 * own: those are struck out of the batch, so that no owner that is gone is
 * called.
 */
#include "manager/reactor.h"

#include <sys/epoll.h>
#include <time.h>

#define BATCH 64

struct reactor {
	int epoll;
	bool stopped;
	struct list timers; /* the next one first */
	struct epoll_event batch[BATCH];
	int at, count; /* in the batch that is worked on */
};

int reactor_create(struct reactor **out, struct fault *f)
{
	struct reactor *r = calloc(1, sizeof(*r));

	if (!r)
		return fault_set(f, -ENOMEM, "out of memory");
	list_init(&r->timers);
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll < 0) {
		int err = fault_errno(f, "make an epoll descriptor");

		free(r);
		return err;
	}
	*out = r;
	return 0;
}

void reactor_destroy(struct reactor *r)
{
	if (!r)
		return;
	close(r->epoll);
	free(r);
}

int reactor_add(struct reactor *r, struct reactor_watch *w, int fd,
                uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = w};

	if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		return -errno;
	w->fd = fd;
	w->events = events;
	return 0;
}

void reactor_change(struct reactor *r, struct reactor_watch *w, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = w};

	if (w->fd < 0 || w->events == events)
		return;
	w->events = events;
	(void)epoll_ctl(r->epoll, EPOLL_CTL_MOD, w->fd, &e);
}

void reactor_remove(struct reactor *r, struct reactor_watch *w)
{
	if (w->fd < 0)
		return;
	(void)epoll_ctl(r->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	w->fd = -1;
	for (int i = r->at; i < r->count; i++)
		if (r->batch[i].data.ptr == w)
			r->batch[i].data.ptr = NULL;
}

int64_t reactor_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void reactor_timer_init(struct reactor_timer *t,
                        void (*fire)(struct reactor_timer *t))
{
	list_init(&t->link);
	t->fire = fire;
}

void reactor_timer_start(struct reactor *r, struct reactor_timer *t,
                         int64_t in_ms)
{
	struct list *before = &r->timers;

	list_del(&t->link);
	t->at_ms = reactor_now_ms() + in_ms;
	list_for_each (at, &r->timers) {
		if (list_entry(at, struct reactor_timer, link)->at_ms >
		    t->at_ms) {
			before = at;
			break;
		}
	}
	list_add_tail(before, &t->link);
}

void reactor_timer_stop(struct reactor_timer *t)
{
	list_del(&t->link);
}

/* Fires what is due; returns the time to the next one, or -1. */
static int run_timers(struct reactor *r)
{
	while (!list_empty(&r->timers)) {
		struct reactor_timer *t = list_first(
			&r->timers, struct reactor_timer, link);
		int64_t left = t->at_ms - reactor_now_ms();

		if (left > 0)
			return (int)MIN(left, (int64_t)60000);
		list_del(&t->link);
		t->fire(t);
	}
	return -1;
}

int reactor_run(struct reactor *r, struct fault *f)
{
	while (!r->stopped) {
		int wait = run_timers(r);

		if (r->stopped)
			break;
		r->count = epoll_wait(r->epoll, r->batch, BATCH, wait);
		if (r->count < 0 && errno != EINTR)
			return fault_errno(f, "wait");
		for (r->at = 0; r->at < r->count; r->at++) {
			struct reactor_watch *w = r->batch[r->at].data.ptr;

			if (w)
				w->ready(w, r->batch[r->at].events);
		}
		r->at = r->count = 0;
	}
	r->stopped = false;
	return 0;
}

void reactor_stop(struct reactor *r)
{
	r->stopped = true;
}
