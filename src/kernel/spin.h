/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long kernel and cells look for each other's news before they sleep.
 *
 * A hand-over between two running CPUs takes a few hundred nanoseconds, one
 * that wakes a sleeping thread ten microseconds of CPU time and often more of
 * waiting.  So looking pays for about as long as a sleep costs, even if
 * somebody else wants the CPU: calls come in bursts.  While a CPU would be idle
 * otherwise it costs nothing, and the only question is how soon the next call
 * comes.  That is learned: a sleep that looking on would have saved makes the
 * look longer, another one shorter.
 *
 * Whoever spins yields all the time, since the host likes to wake a thread on
 * the CPU on which somebody spins for it.
 */
#pragma once

#include <sched.h>

#include "kernel/core/kernel.h"

struct spin {
	cpu_set_t set; /* on which we may run */
	unsigned cpus;
	unsigned busy;       /* guest threads with work: a smoothed 24.8 */
	bool spare;          /* a CPU would be idle */
	uint64_t decided_ns; /* when that was found out */
	uint64_t learned_ns;
	unsigned shared; /* requests in a row that came from our own CPU */
	uint64_t moved_ns;
};

/* The host's clock is CLOCK_MONOTONIC in all of these. */

void spin_init(struct spin *s);

/*
 * Looks again, if it is time, whether CPUs are to spare, and tells the cells.
 * Called when there is nothing to do, since it takes a while.
 */
void spin_decide(struct spin *s, struct kernel *k, uint64_t now_ns);

/*
 * How many nanoseconds to look for the next request.  0 when no guest thread
 * runs that could ask, or when the cell that asked last waits for our own CPU;
 * after some such requests we go to another one instead, if there is one to
 * spare.
 */
uint64_t spin_time(struct spin *s, struct kernel *k, uint64_t now_ns);

/* We slept that long. */
void spin_learn(struct spin *s, uint64_t slept_ns);
