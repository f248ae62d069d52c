/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers that end in a signal.
 */
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "kernel/syscall.h"
#include "kernel/task/clock.h"
#include "kernel/task/itimer.h"
#include "kernel/task/process.h"

static int to_value(const abi_itimerval *v, struct itimer_value *out)
{
	int err = clock_from_timeval(&v->value, &out->left_ns);

	return err < 0 ? err
	               : clock_from_timeval(&v->interval, &out->interval_ns);
}

static abi_itimerval from_value(const struct itimer_value *v)
{
	return (abi_itimerval){clock_to_timeval(v->interval_ns),
	                       clock_to_timeval(v->left_ns)};
}

long sys_getitimer(struct task *t, const struct args_getitimer *a)
{
	struct itimer_value v;
	abi_itimerval out;

	if (a->which < 0 || a->which >= ITIMER_COUNT)
		return -EINVAL;
	itimer_get(t->process, a->which, &v);
	out = from_value(&v);
	return user_write(t, a->value, &out, sizeof(out));
}

long sys_setitimer(struct task *t, const struct args_setitimer *a)
{
	struct itimer_value v = {0}, old;
	abi_itimerval in, out;

	if (a->which < 0 || a->which >= ITIMER_COUNT)
		return -EINVAL;
	if (a->value.raw != 0) {
		if (user_read(t, a->value, &in, sizeof(in)) < 0)
			return -EFAULT;
		if (to_value(&in, &v) < 0)
			return -EINVAL;
	}
	itimer_get(t->process, a->which, &old);
	out = from_value(&old);
	if (a->old.raw != 0 && user_write(t, a->old, &out, sizeof(out)) < 0)
		return -EFAULT;
	return itimer_set(t->process, a->which, &v);
}

long sys_alarm(struct task *t, const struct args_alarm *a)
{
	struct itimer_value v = {.left_ns = a->seconds * CLOCK_SECOND_NS};
	struct itimer_value old;
	int err;

	itimer_get(t->process, ITIMER_REAL, &old);
	err = itimer_set(t->process, ITIMER_REAL, &v);
	if (err < 0)
		return err;
	/* Rounded, but never to "there was none". */
	if (old.left_ns == 0)
		return 0;
	return (long)MAX((old.left_ns + CLOCK_SECOND_NS / 2) / CLOCK_SECOND_NS,
	                 1);
}

long sys_timer_create(struct task *t, const struct args_timer_create *a)
{
	abi_sigevent ev = {.notify = SIGEV_SIGNAL, .signo = SIGALRM};
	bool given = a->event.raw != 0;
	uint64_t now;
	int32_t id;
	long got;

	if (!clock_can_sleep(a->clock) || clock_read(t, a->clock, &now) < 0)
		return -EINVAL;
	if (given && user_read(t, a->event, &ev, sizeof(ev)) < 0)
		return -EFAULT;
	got = itimer_posix_create(t, a->clock, &ev, !given);
	if (got < 0)
		return got;
	id = (int32_t)got;
	if (user_write(t, a->id, &id, sizeof(id)) < 0) {
		itimer_posix_destroy(itimer_posix_find(t->process, id));
		return -EFAULT;
	}
	return 0;
}

long sys_timer_settime(struct task *t, const struct args_timer_settime *a)
{
	struct itimer_posix *x;
	struct itimer_value v, old;
	abi_itimerspec in, out;

	if (user_read(t, a->value, &in, sizeof(in)) < 0)
		return -EFAULT;
	if (clock_from_timespec(&in.value, &v.left_ns) < 0 ||
	    clock_from_timespec(&in.interval, &v.interval_ns) < 0)
		return -EINVAL;
	x = itimer_posix_find(t->process, a->id);
	if (!x)
		return -EINVAL;
	itimer_posix_get(x, &old);
	out = (abi_itimerspec){clock_to_timespec(old.interval_ns),
	                       clock_to_timespec(old.left_ns)};
	if (a->old.raw != 0 && user_write(t, a->old, &out, sizeof(out)) < 0)
		return -EFAULT;
	return itimer_posix_set(x, a->flags & TIMER_ABSTIME, &v);
}

long sys_timer_gettime(struct task *t, const struct args_timer_gettime *a)
{
	struct itimer_posix *x = itimer_posix_find(t->process, a->id);
	struct itimer_value v;
	abi_itimerspec out;

	if (!x)
		return -EINVAL;
	itimer_posix_get(x, &v);
	out = (abi_itimerspec){clock_to_timespec(v.interval_ns),
	                       clock_to_timespec(v.left_ns)};
	return user_write(t, a->value, &out, sizeof(out));
}

long sys_timer_getoverrun(struct task *t, const struct args_timer_getoverrun *a)
{
	const struct itimer_posix *x = itimer_posix_find(t->process, a->id);

	return x ? itimer_posix_overrun(x) : -EINVAL;
}

long sys_timer_delete(struct task *t, const struct args_timer_delete *a)
{
	struct itimer_posix *x = itimer_posix_find(t->process, a->id);

	if (!x)
		return -EINVAL;
	itimer_posix_destroy(x);
	return 0;
}
