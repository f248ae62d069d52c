/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks, and sleeping.
 */
#include <string.h>
#include <time.h>

#include "kernel/syscall.h"
#include "kernel/task/clock.h"
#include "kernel/task/process.h"

#define COARSE_NS 4000000u /* what Linux with 250 ticks a second says */
#define TICK_NS   10000000u

long sys_clock_gettime(struct task *t, const struct args_clock_gettime *a)
{
	uint64_t ns;
	abi_timespec ts;
	int err = clock_read(t, a->clock, &ns);

	if (err < 0)
		return err;
	ts = clock_to_timespec(ns);
	return user_write(t, a->ts, &ts, sizeof(ts));
}

long sys_clock_getres(struct task *t, const struct args_clock_getres *a)
{
	abi_timespec ts = {0, 1};
	uint64_t ns;
	int err = clock_read(t, a->clock, &ns);

	if (err < 0)
		return err;
	if (a->clock == CLOCK_REALTIME_COARSE ||
	    a->clock == CLOCK_MONOTONIC_COARSE)
		ts.nsec = COARSE_NS;
	return a->ts.raw ? user_write(t, a->ts, &ts, sizeof(ts)) : 0;
}

/* The clock is the host's, whoever asks. */
long sys_clock_settime(struct task *t, const struct args_clock_settime *a)
{
	uint64_t ns;
	abi_timespec ts;

	if (clock_is_cpu(a->clock) || clock_read(t, a->clock, &ns) < 0)
		return -EINVAL;
	if (user_read(t, a->ts, &ts, sizeof(ts)) < 0)
		return -EFAULT;
	if (clock_from_timespec(&ts, &ns) < 0 || a->clock != CLOCK_REALTIME)
		return -EINVAL;
	return -EPERM;
}

long sys_gettimeofday(struct task *t, const struct args_gettimeofday *a)
{
	static const abi_timezone utc;
	uint64_t ns;
	abi_timeval tv;
	int err = clock_read(t, CLOCK_REALTIME, &ns);

	if (err < 0)
		return err;
	tv = clock_to_timeval(ns);
	if (a->tv.raw && user_write(t, a->tv, &tv, sizeof(tv)) < 0)
		return -EFAULT;
	if (a->tz.raw && user_write(t, a->tz, &utc, sizeof(utc)) < 0)
		return -EFAULT;
	return 0;
}

long sys_time(struct task *t, const struct args_time *a)
{
	uint64_t ns;
	int64_t seconds;
	int err = clock_read(t, CLOCK_REALTIME, &ns);

	if (err < 0)
		return err;
	seconds = (int64_t)(ns / CLOCK_SECOND_NS);
	if (a->t.raw && user_write(t, a->t, &seconds, sizeof(seconds)) < 0)
		return -EFAULT;
	return seconds;
}

long sys_times(struct task *t, const struct args_times *a)
{
	struct process *p = t->process;
	struct usage own;
	abi_tms tms;

	process_usage(p, &own);
	tms = (abi_tms){
		.utime = (int64_t)(own.utime_ns / TICK_NS),
		.stime = (int64_t)(own.stime_ns / TICK_NS),
		.cutime = (int64_t)(p->children_usage.utime_ns / TICK_NS),
		.cstime = (int64_t)(p->children_usage.stime_ns / TICK_NS),
	};
	if (a->buf.raw && user_write(t, a->buf, &tms, sizeof(tms)) < 0)
		return -EFAULT;
	return (long)(timer_now() / TICK_NS);
}

/* Sleeping. */

static int write_left(struct task *t, uaddr_t to)
{
	uint64_t now = timer_now();
	uint64_t left = t->deadline_ns > now ? t->deadline_ns - now : 0;
	abi_timespec ts = clock_to_timespec(left);

	return to.raw ? user_write(t, to, &ts, sizeof(ts)) : 0;
}

/* A relative sleep that a signal cut goes on where it was. */
static long sleep_relative(struct task *t, uint64_t ns, uaddr_t left)
{
	long err;

	task_deadline(t, clock_after(timer_now(), ns));
	if (ns == 0 || t->timed_out || timer_now() >= t->deadline_ns)
		return 0;
	err = task_sleep(t);
	if (err != -ERESTARTSYS)
		return err;
	if (write_left(t, left) < 0)
		return -EFAULT;
	t->restart.nr = t->req.nr;
	memcpy(t->restart.arg, t->req.arg, sizeof(t->restart.arg));
	t->restart.deadline_ns = t->deadline_ns;
	return -ERESTART_RESTARTBLOCK;
}

/* Until a clock shows `ns`; clocks of CPU time are looked at again. */
static long sleep_until(struct task *t, int32_t clock, uint64_t ns)
{
	uint64_t at = 0;
	long err = clock_deadline(t, clock, ns, &at);

	if (err < 0)
		return err;
	if (at <= 1)
		return 0;
	t->timed_out = false;
	t->deadline_ns = at;
	err = task_sleep(t);
	return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
}

static long read_request(struct task *t, uaddr_t from, uint64_t *ns)
{
	abi_timespec ts;

	if (user_read(t, from, &ts, sizeof(ts)) < 0)
		return -EFAULT;
	return clock_from_timespec(&ts, ns);
}

long sys_nanosleep(struct task *t, const struct args_nanosleep *a)
{
	uint64_t ns;
	long err = read_request(t, a->req, &ns);

	return err < 0 ? err : sleep_relative(t, ns, a->rem);
}

long sys_clock_nanosleep(struct task *t, const struct args_clock_nanosleep *a)
{
	uint64_t ns, now;
	long err;

	if (clock_read(t, a->clock, &now) < 0)
		return -EINVAL;
	if (!clock_can_sleep(a->clock) || a->clock == CLOCK_THREAD_CPUTIME_ID)
		return -EOPNOTSUPP;
	err = read_request(t, a->req, &ns);
	if (err < 0)
		return err;
	if (a->flags & TIMER_ABSTIME)
		return sleep_until(t, a->clock, ns);
	if (!clock_is_cpu(a->clock))
		return sleep_relative(t, ns, a->rem);
	if (t->progress == 0)
		t->progress = clock_after(now, ns);
	return sleep_until(t, a->clock, t->progress);
}
