/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks by their numbers, and times as the guest writes them.
 */
#pragma once

#include "channel/abi.h"
#include "kernel/task/process.h"

#define CLOCK_SECOND_NS 1000000000ull

/* The time of a clock, as the task sees it.  0 or -EINVAL. */
must_check int clock_read(struct task *t, int32_t clock, uint64_t *ns);

/* Is it a clock of CPU time? */
bool clock_is_cpu(int32_t clock);

/* Can one sleep by it, and set timers?  (CLOCK_*_COARSE are for reading.) */
bool clock_can_sleep(int32_t clock);

/*
 * When (on the host's monotonic clock) a clock will show `ns`; a time that has
 * passed is 1.  For clocks of CPU time: the earliest moment it can be.
 */
must_check int clock_deadline(struct task *t, int32_t clock, uint64_t ns,
                              uint64_t *at_ns);

/* Nanoseconds of a valid time; saturates.  -EINVAL if it is not valid. */
must_check int clock_from_timespec(const abi_timespec *ts, uint64_t *ns);
must_check int clock_from_timeval(const abi_timeval *tv, uint64_t *ns);
abi_timespec clock_to_timespec(uint64_t ns);
abi_timeval clock_to_timeval(uint64_t ns);

/* now + ns, saturating. */
uint64_t clock_after(uint64_t now_ns, uint64_t ns);
