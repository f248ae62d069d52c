/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/core/timer.h"

#include <time.h>

static void place(struct timers *ts, size_t i, struct timer *t)
{
	ts->heap[i] = t;
	t->slot = i + 1;
}

static void sift_up(struct timers *ts, size_t i, struct timer *t)
{
	while (i > 0) {
		size_t up = (i - 1) / 2;

		if (ts->heap[up]->at_ns <= t->at_ns)
			break;
		place(ts, i, ts->heap[up]);
		i = up;
	}
	place(ts, i, t);
}

static void sift_down(struct timers *ts, size_t i, struct timer *t)
{
	for (;;) {
		size_t down = 2 * i + 1;

		if (down >= ts->count)
			break;
		if (down + 1 < ts->count &&
		    ts->heap[down + 1]->at_ns < ts->heap[down]->at_ns)
			down++;
		if (t->at_ns <= ts->heap[down]->at_ns)
			break;
		place(ts, i, ts->heap[down]);
		i = down;
	}
	place(ts, i, t);
}

static int grow(struct timers *ts)
{
	size_t room = ts->room ? 2 * ts->room : 16;
	struct timer **heap;

	if (ts->count < ts->room)
		return 0;
	heap = reallocarray(ts->heap, room, sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	ts->heap = heap;
	ts->room = room;
	return 0;
}

int timer_set(struct timers *ts, struct timer *t, uint64_t at_ns)
{
	if (!timer_is_set(t)) {
		int err = grow(ts);

		if (err < 0)
			return err;
	}
	timer_stop(ts, t);
	t->at_ns = at_ns;
	sift_up(ts, ts->count++, t);
	return 0;
}

void timer_stop(struct timers *ts, struct timer *t)
{
	struct timer *last;
	size_t i;

	if (!timer_is_set(t))
		return;
	i = t->slot - 1;
	t->slot = 0;
	last = ts->heap[--ts->count];
	if (last == t)
		return;
	if (i > 0 && ts->heap[(i - 1) / 2]->at_ns > last->at_ns)
		sift_up(ts, i, last);
	else
		sift_down(ts, i, last);
}

uint64_t timer_next(const struct timers *ts)
{
	return ts->count ? ts->heap[0]->at_ns : UINT64_MAX;
}

void timer_run(struct timers *ts, uint64_t now_ns)
{
	while (timer_next(ts) <= now_ns) {
		struct timer *t = ts->heap[0];

		timer_stop(ts, t);
		t->fire(t);
	}
}

void timer_fini(struct timers *ts)
{
	free(ts->heap);
	*ts = (struct timers){0};
}

uint64_t timer_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}
