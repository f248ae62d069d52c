/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers on the host's monotonic clock, in nanoseconds.
 *
 * A timer is embedded in what it serves.  It fires once, from the loop, never
 * early, and may be set again from its own callback.  The heap holds pointers:
 * a timer must be stopped before its memory goes.
 */
#pragma once

#include "base/base.h"

struct timer {
	uint64_t at_ns; /* when it fires */
	size_t slot;    /* place in the heap plus one; 0 when not set */
	void (*fire)(struct timer *t);
};

struct timers {
	struct timer **heap;
	size_t count;
	size_t room;
};

/* Sets, or moves, a timer.  Returns 0 or -ENOMEM and leaves it as it was. */
must_check int timer_set(struct timers *ts, struct timer *t, uint64_t at_ns);

/* Harmless on a timer that is not set. */
void timer_stop(struct timers *ts, struct timer *t);

static inline bool timer_is_set(const struct timer *t)
{
	return t->slot != 0;
}

/* When the next timer fires, or UINT64_MAX. */
uint64_t timer_next(const struct timers *ts);

/* Fires everything due at `now_ns`. */
void timer_run(struct timers *ts, uint64_t now_ns);

/* Frees the heap; no timer in it is called. */
void timer_fini(struct timers *ts);

/* The host's CLOCK_MONOTONIC now. */
uint64_t timer_now(void);
