/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/timeout.h"

#define SECOND_NS 1000000000

int timeout_check(const abi_timespec *ts)
{
	return ts->sec < 0 || ts->nsec < 0 || ts->nsec >= SECOND_NS ? -EINVAL
	                                                            : 0;
}

bool timeout_start(struct task *t, const abi_timespec *ts)
{
	uint64_t at;

	if (!ts)
		return true;
	if (ts->sec == 0 && ts->nsec == 0)
		return false;
	if (__builtin_mul_overflow((uint64_t)ts->sec, SECOND_NS, &at) ||
	    __builtin_add_overflow(at, (uint64_t)ts->nsec, &at) ||
	    __builtin_add_overflow(at, timer_now(), &at))
		at = UINT64_MAX;
	task_deadline(t, at);
	return true;
}

bool timeout_start_ms(struct task *t, int32_t ms)
{
	abi_timespec ts = {ms / 1000, (int64_t)(ms % 1000) * 1000000};

	return timeout_start(t, ms < 0 ? NULL : &ts);
}

abi_timespec timeout_left(const struct task *t)
{
	uint64_t now = timer_now();
	uint64_t left = t->deadline_ns > now ? t->deadline_ns - now : 0;

	return (abi_timespec){
		(int64_t)(left / SECOND_NS),
		(int64_t)(left % SECOND_NS),
	};
}

long timeout_sleep(struct task *t, bool may_wait)
{
	return may_wait && !t->timed_out ? task_sleep(t) : 0;
}
