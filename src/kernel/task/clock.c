/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers below zero are clocks of CPU time: ~pid << 3, a bit that says
 * "thread", and which kind of time.
 */
#include "kernel/task/clock.h"

#include <time.h>

#include "kernel/core/timer.h"

#define CPU_THREAD 4u
#define CPU_KIND   3u
#define CPU_VIRT   1u

bool clock_is_cpu(int32_t clock)
{
	return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID ||
	       clock == CLOCK_THREAD_CPUTIME_ID;
}

bool clock_can_sleep(int32_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ||
	       clock == CLOCK_BOOTTIME || clock == CLOCK_TAI ||
	       clock_is_cpu(clock);
}

/* Threads share the time of their process: the host tells no more. */
static int read_cpu(struct task *t, int32_t clock, uint64_t *ns)
{
	struct process *p = t->process;
	struct usage u;
	uint32_t kind = 0;

	if (clock < 0) {
		int32_t id = ~clock >> 3;
		struct task *of;

		kind = (uint32_t)clock & CPU_KIND;
		if (kind == CPU_KIND)
			return -EINVAL;
		if (id != 0 && ((uint32_t)clock & CPU_THREAD)) {
			of = task_find(t->kernel, id);
			p = of && of->process == p ? p : NULL;
		} else if (id != 0) {
			p = process_find(t->kernel, id);
		}
		if (!p)
			return -EINVAL;
	}
	process_usage(p, &u);
	*ns = u.utime_ns + (kind == CPU_VIRT ? 0 : u.stime_ns);
	return 0;
}

int clock_read(struct task *t, int32_t clock, uint64_t *ns)
{
	struct timespec ts;

	if (clock_is_cpu(clock))
		return read_cpu(t, clock, ns);
	if (clock > CLOCK_TAI || clock == 10 || clock_gettime(clock, &ts) < 0)
		return -EINVAL;
	*ns = (uint64_t)ts.tv_sec * CLOCK_SECOND_NS + (uint64_t)ts.tv_nsec;
	return 0;
}

uint64_t clock_after(uint64_t now_ns, uint64_t ns)
{
	return ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + ns;
}

int clock_deadline(struct task *t, int32_t clock, uint64_t ns, uint64_t *at_ns)
{
	uint64_t now = 0;
	int err;

	if (ns == UINT64_MAX) {
		*at_ns = UINT64_MAX;
		return 0;
	}
	err = clock_read(t, clock, &now);
	if (err < 0)
		return err;
	*at_ns = ns <= now ? 1 : clock_after(timer_now(), ns - now);
	return 0;
}

int clock_from_timespec(const abi_timespec *ts, uint64_t *ns)
{
	if (ts->sec < 0 || ts->nsec < 0 || ts->nsec >= (int64_t)CLOCK_SECOND_NS)
		return -EINVAL;
	if ((uint64_t)ts->sec >= INT64_MAX / CLOCK_SECOND_NS)
		*ns = UINT64_MAX;
	else
		*ns = (uint64_t)ts->sec * CLOCK_SECOND_NS + (uint64_t)ts->nsec;
	return 0;
}

int clock_from_timeval(const abi_timeval *tv, uint64_t *ns)
{
	const abi_timespec ts = {tv->sec, tv->usec * 1000};

	if (tv->usec < 0 || tv->usec >= 1000000)
		return -EINVAL;
	return clock_from_timespec(&ts, ns);
}

abi_timespec clock_to_timespec(uint64_t ns)
{
	return (abi_timespec){(int64_t)(ns / CLOCK_SECOND_NS),
	                      (int64_t)(ns % CLOCK_SECOND_NS)};
}

abi_timeval clock_to_timeval(uint64_t ns)
{
	return (abi_timeval){(int64_t)(ns / CLOCK_SECOND_NS),
	                     (int64_t)(ns % CLOCK_SECOND_NS / 1000)};
}
