/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers of a process that end in a signal: setitimer(2) and alarm(2), and
 * those of timer_create(2).
 *
 * Timers of CPU time cannot be exact: they look again when the CPU time can
 * have been used up at the earliest, and every few milliseconds from then on.
 */
#pragma once

#include "channel/abi.h"
#include "kernel/task/process.h"

#define ITIMER_COUNT 3 /* ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF */

/* Time left and interval, in nanoseconds; 0: not set. */
struct itimer_value {
	uint64_t left_ns;
	uint64_t interval_ns;
};

void itimer_init_process(struct process *p);

/* The process has gone: all its timers go. */
void itimer_exit_process(struct process *p);

/* It executes a program: POSIX timers go, the others stay. */
void itimer_exec(struct process *p);

/* One of the three.  itimer_set() returns 0 or -ENOMEM. */
void itimer_get(struct process *p, int which, struct itimer_value *out);
must_check int itimer_set(struct process *p, int which,
                          const struct itimer_value *v);

/* RLIMIT_CPU was set or inherited: watches it.  0 or -ENOMEM. */
must_check int itimer_watch_limit(struct process *p);

/*
 * timer_create(2): a timer that is not set.  With `plain` its signal's value
 * is its id.  Returns the id or a negative errno.
 */
must_check long itimer_posix_create(struct task *t, int32_t clock,
                                    const abi_sigevent *ev, bool plain);
struct itimer_posix *itimer_posix_find(struct process *p, int32_t id);
void itimer_posix_destroy(struct itimer_posix *x);
void itimer_posix_get(struct itimer_posix *x, struct itimer_value *out);
/* `at_ns`: the time of its clock when it first expires; 0: stop. */
must_check int itimer_posix_set(struct itimer_posix *x, bool absolute,
                                const struct itimer_value *v);
/* timer_getoverrun(2). */
int32_t itimer_posix_overrun(const struct itimer_posix *x);

/* A signal was taken: its timer goes on, and the overrun is filled in. */
void itimer_taken(struct process *p, abi_siginfo *info);
