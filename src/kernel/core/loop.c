/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/core/loop.h"

#include <sys/epoll.h>

int loop_init(struct loop *l)
{
	*l = (struct loop){.epoll_fd = -1};
	list_init(&l->soon);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return l->epoll_fd < 0 ? -errno : 0;
}

void loop_fini(struct loop *l)
{
	timer_fini(&l->timers);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	l->epoll_fd = -1;
}

static int control(struct loop *l, int op, struct event *e, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = e};

	return epoll_ctl(l->epoll_fd, op, e->fd, &ev) < 0 ? -errno : 0;
}

int loop_add(struct loop *l, struct event *e, uint32_t events)
{
	return control(l, EPOLL_CTL_ADD, e, events);
}

int loop_change(struct loop *l, struct event *e, uint32_t events)
{
	return control(l, EPOLL_CTL_MOD, e, events);
}

void loop_remove(struct loop *l, struct event *e)
{
	if (e->fd >= 0)
		(void)control(l, EPOLL_CTL_DEL, e, 0);
}

void loop_soon(struct loop *l, struct soon *s)
{
	if (list_empty(&s->link))
		list_add_tail(&l->soon, &s->link);
}

bool loop_run_soon(struct loop *l)
{
	bool ran = false;

	if (l->timers.count > 0 && timer_next(&l->timers) <= timer_now()) {
		timer_run(&l->timers, timer_now());
		ran = true;
	}
	while (!list_empty(&l->soon)) {
		struct soon *s = list_first(&l->soon, struct soon, link);

		list_del(&s->link);
		s->run(s);
		ran = true;
	}
	return ran;
}

int loop_wait(struct loop *l, uint64_t until_ns)
{
	/*
	 * One event at a time where callbacks may remove other events: the
	 * next round fetches them again if they are still there.
	 */
	struct epoll_event ev;
	uint64_t next = timer_next(&l->timers);
	struct timespec left = {0};
	const struct timespec *timeout = &left;
	uint64_t now;
	int n;

	next = MIN(next, until_ns);
	if (next == UINT64_MAX) {
		timeout = NULL;
	} else if (next > 0) {
		now = timer_now();
		next = next > now ? next - now : 0;
		left.tv_sec = (time_t)(next / 1000000000u);
		left.tv_nsec = (long)(next % 1000000000u);
	}
	n = epoll_pwait2(l->epoll_fd, &ev, 1, timeout, NULL);
	if (n == 1) {
		struct event *e = ev.data.ptr;

		e->ready(e, ev.events);
	}
	return n < 0 ? 0 : n;
}
