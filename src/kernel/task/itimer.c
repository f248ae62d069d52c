/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A timer that repeats rests from the moment its signal is queued until the
 * signal is taken; only then the periods that have passed are counted and the
 * next one is set.  So a guest that does not look costs nothing, however short
 * its interval.  Meanwhile `goal_ns` stays at the expiry that was signalled.
 * Now and then a resting timer looks whether its signal got lost.
 */
#include "kernel/task/itimer.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "kernel/core/limits.h"
#include "kernel/task/clock.h"
#include "kernel/task/signal.h"

#define CPU_LOOK_NS 4000000u   /* how often to look at CPU time */
#define REST_NS     100000000u /* how often a resting timer looks */
#define POSIX_MAX   1024       /* timers of one process */
#define OVERRUN_MAX INT32_MAX

struct itimer_posix {
	struct list link; /* process.posix_timers */
	struct process *process;
	struct timer timer;
	int32_t id;
	int32_t clock;
	int32_t notify;
	int32_t signo;
	int32_t tid; /* SIGEV_THREAD_ID */
	uint64_t value;
	uint64_t goal_ns; /* on the monotonic clock, or of CPU time */
	uint64_t interval_ns;
	uint64_t overrun; /* of the signal taken last */
};

static const int signals[ITIMER_COUNT] = {SIGALRM, SIGVTALRM, SIGPROF};

static uint64_t cpu_ns(struct process *p, bool user_only)
{
	struct usage u;

	process_usage(p, &u);
	return u.utime_ns + (user_only ? 0 : u.stime_ns);
}

/* Now, on the clock that one of the three goes by. */
static uint64_t clock_of(struct process *p, int which)
{
	return which == ITIMER_REAL ? timer_now()
	                            : cpu_ns(p, which == ITIMER_VIRTUAL);
}

/* Moves the goal behind `now`.  How many expiries there were after it. */
static uint64_t advance(uint64_t *goal_ns, uint64_t interval_ns, uint64_t now)
{
	uint64_t missed = (now - *goal_ns) / interval_ns;

	*goal_ns = clock_after(*goal_ns, (missed + 1) * interval_ns);
	return missed;
}

/* Time until the next expiry. */
static uint64_t left(uint64_t goal_ns, uint64_t interval_ns, uint64_t now)
{
	if (goal_ns == 0)
		return 0;
	if (goal_ns > now)
		return goal_ns - now;
	return interval_ns ? interval_ns - (now - goal_ns) % interval_ns : 1;
}

/* Sets a timer that just fired, or is set: there is room for it. */
static void again(struct process *p, struct timer *timer, uint64_t in_ns)
{
	int err = timer_set(&p->kernel->loop.timers, timer,
	                    clock_after(timer_now(), in_ns));

	assert(err == 0);
}

static void itimer_fired(struct timer *timer)
{
	struct process_timer *it = container_of(timer, struct process_timer,
	                                        timer);
	struct process *p = it->process;
	int which = (int)(it - p->itimer);
	uint64_t now = clock_of(p, which);
	abi_siginfo info = signal_info_kernel(signals[which]);

	if (now < it->goal_ns) { /* CPU time that has not been used yet */
		again(p, timer, MAX(it->goal_ns - now, CPU_LOOK_NS));
		return;
	}
	if (it->interval_ns == 0)
		it->goal_ns = 0;
	else
		again(p, timer, MAX(it->interval_ns, REST_NS));
	(void)signal_send_process(p, &info);
}

/* One of the three signals was taken, from whomever it was. */
static void go_on(struct process *p, int which)
{
	struct process_timer *it = &p->itimer[which];
	uint64_t now;

	if (it->goal_ns == 0 || it->interval_ns == 0)
		return;
	now = clock_of(p, which);
	if (it->goal_ns > now)
		return;
	(void)advance(&it->goal_ns, it->interval_ns, now);
	again(p, &it->timer, it->goal_ns - now);
}

/* SIGXCPU for each second beyond the soft limit, SIGKILL at the hard one. */
static void limit_fired(struct timer *timer)
{
	struct process_timer *it = container_of(timer, struct process_timer,
	                                        timer);
	struct process *p = it->process;
	uint64_t hard = p->rlimit[RLIMIT_CPU].max;
	uint64_t now = cpu_ns(p, false);
	abi_siginfo info = signal_info_kernel(SIGXCPU);

	if (hard < UINT64_MAX / CLOCK_SECOND_NS &&
	    now >= hard * CLOCK_SECOND_NS) {
		process_kill(p, SIGKILL);
		return;
	}
	if (now < it->goal_ns) {
		again(p, timer, MAX(it->goal_ns - now, CPU_LOOK_NS));
		return;
	}
	it->goal_ns = clock_after(now, CLOCK_SECOND_NS);
	again(p, timer, CLOCK_SECOND_NS);
	(void)signal_send_process(p, &info);
}

int itimer_watch_limit(struct process *p)
{
	struct timers *ts = &p->kernel->loop.timers;
	uint64_t soft = p->rlimit[RLIMIT_CPU].cur;
	uint64_t now = cpu_ns(p, false);

	if (soft >= UINT64_MAX / CLOCK_SECOND_NS) {
		timer_stop(ts, &p->cpu_limit.timer);
		return 0;
	}
	p->cpu_limit.goal_ns = soft * CLOCK_SECOND_NS;
	return timer_set(ts, &p->cpu_limit.timer,
	                 clock_after(timer_now(),
	                             p->cpu_limit.goal_ns -
	                                     MIN(p->cpu_limit.goal_ns, now)));
}

void itimer_init_process(struct process *p)
{
	p->cpu_limit.process = p;
	p->cpu_limit.timer.fire = limit_fired;
	for (size_t i = 0; i < ARRAY_LEN(p->itimer); i++) {
		p->itimer[i].process = p;
		p->itimer[i].timer.fire = itimer_fired;
	}
}

void itimer_exec(struct process *p)
{
	while (!list_empty(&p->posix_timers))
		itimer_posix_destroy(list_first(&p->posix_timers,
		                                struct itimer_posix, link));
}

void itimer_exit_process(struct process *p)
{
	itimer_exec(p);
	timer_stop(&p->kernel->loop.timers, &p->cpu_limit.timer);
	for (size_t i = 0; i < ARRAY_LEN(p->itimer); i++) {
		timer_stop(&p->kernel->loop.timers, &p->itimer[i].timer);
		p->itimer[i].goal_ns = 0;
	}
}

void itimer_get(struct process *p, int which, struct itimer_value *out)
{
	const struct process_timer *it = &p->itimer[which];
	uint64_t now = clock_of(p, which);

	*out = (struct itimer_value){.interval_ns = it->interval_ns};
	out->left_ns = left(it->goal_ns, it->interval_ns, now);
}

int itimer_set(struct process *p, int which, const struct itimer_value *v)
{
	struct process_timer *it = &p->itimer[which];
	struct timers *ts = &p->kernel->loop.timers;

	if (v->left_ns == 0) {
		timer_stop(ts, &it->timer);
		it->goal_ns = 0;
		it->interval_ns = v->interval_ns;
		return 0;
	}
	if (timer_set(ts, &it->timer, clock_after(timer_now(), v->left_ns)) < 0)
		return -ENOMEM;
	it->goal_ns = clock_after(clock_of(p, which), v->left_ns);
	it->interval_ns = v->interval_ns;
	return 0;
}

/* POSIX timers. */

static uint64_t posix_now(const struct itimer_posix *x)
{
	return clock_is_cpu(x->clock) ? cpu_ns(x->process, false) : timer_now();
}

/* Is a signal of this timer queued already? */
static bool waits_in(const struct sigqueue *q, int32_t id)
{
	list_for_each (at, &q->infos) {
		const abi_siginfo *info = &list_entry(at, struct sigentry, link)
		                                   ->info;

		if (info->code == SI_TIMER && info->timer_id == id)
			return true;
	}
	return false;
}

/* Whom the signal is for, if not the whole process; false: nobody. */
static bool receiver(const struct itimer_posix *x, struct task **t)
{
	*t = NULL;
	if (x->notify == SIGEV_NONE)
		return false;
	if (x->notify != SIGEV_THREAD_ID)
		return true;
	*t = task_find(x->process->kernel, x->tid);
	return *t && (*t)->process == x->process;
}

static void posix_fired(struct timer *timer)
{
	struct itimer_posix *x = container_of(timer, struct itimer_posix,
	                                      timer);
	struct process *p = x->process;
	uint64_t now = posix_now(x);
	abi_siginfo info = {.signo = x->signo, .code = SI_TIMER};
	struct task *t;

	if (now < x->goal_ns) {
		again(p, timer, MAX(x->goal_ns - now, CPU_LOOK_NS));
		return;
	}
	if (x->interval_ns == 0)
		x->goal_ns = 0;
	else if (x->notify != SIGEV_NONE)
		again(p, timer, MAX(x->interval_ns, REST_NS));
	if (!receiver(x, &t) || waits_in(t ? &t->pending : &p->pending, x->id))
		return;
	info.timer_id = x->id;
	info.timer_value = x->value;
	/* That may be the end of the process, and of the timer. */
	if (t)
		(void)signal_send_task(t, &info, false);
	else
		(void)signal_send_process(p, &info);
}

static int check_event(struct task *t, const abi_sigevent *ev)
{
	struct task *to;

	if (ev->notify == SIGEV_NONE)
		return 0;
	if (ev->notify != SIGEV_SIGNAL && ev->notify != SIGEV_THREAD_ID &&
	    ev->notify != SIGEV_THREAD)
		return -EINVAL;
	if (ev->signo <= 0 || ev->signo > SIGNAL_MAX)
		return -EINVAL;
	if (ev->notify != SIGEV_THREAD_ID)
		return 0;
	to = task_find(t->kernel, ev->tid);
	return to && to->process == t->process ? 0 : -EINVAL;
}

long itimer_posix_create(struct task *t, int32_t clock, const abi_sigevent *ev,
                         bool plain)
{
	struct process *p = t->process;
	struct itimer_posix *x;
	size_t count = 0;
	int err = check_event(t, ev);

	if (err < 0)
		return err;
	list_for_each (at, &p->posix_timers)
		count++;
	if (count >= POSIX_MAX)
		return -EAGAIN;
	x = limits_alloc(t->kernel, sizeof(*x));
	if (!x)
		return -EAGAIN;
	x->process = p;
	x->timer.fire = posix_fired;
	x->clock = clock;
	x->notify = ev->notify;
	x->signo = ev->signo;
	x->tid = ev->tid;
	x->value = ev->value;
	do {
		x->id = p->next_timer_id;
		p->next_timer_id = (p->next_timer_id + 1) & INT32_MAX;
	} while (itimer_posix_find(p, x->id));
	if (plain)
		x->value = (uint64_t)x->id;
	list_add_tail(&p->posix_timers, &x->link);
	return x->id;
}

struct itimer_posix *itimer_posix_find(struct process *p, int32_t id)
{
	list_for_each (at, &p->posix_timers) {
		struct itimer_posix *x = list_entry(at, struct itimer_posix,
		                                    link);

		if (x->id == id)
			return x;
	}
	return NULL;
}

void itimer_posix_destroy(struct itimer_posix *x)
{
	timer_stop(&x->process->kernel->loop.timers, &x->timer);
	list_del(&x->link);
	limits_free(x->process->kernel, x, sizeof(*x));
}

void itimer_posix_get(struct itimer_posix *x, struct itimer_value *out)
{
	uint64_t now = posix_now(x);

	*out = (struct itimer_value){.interval_ns = x->interval_ns};
	out->left_ns = left(x->goal_ns, x->interval_ns, now);
}

int itimer_posix_set(struct itimer_posix *x, bool absolute,
                     const struct itimer_value *v)
{
	struct timers *ts = &x->process->kernel->loop.timers;
	struct task *any;
	uint64_t at_ns = 0;
	uint64_t now = posix_now(x);

	if (v->left_ns == 0) {
		timer_stop(ts, &x->timer);
		x->goal_ns = 0;
		x->interval_ns = v->interval_ns;
		return 0;
	}
	at_ns = clock_after(timer_now(), v->left_ns);
	if (absolute) {
		any = list_first(&x->process->tasks, struct task, in_process);
		if (clock_deadline(any, x->clock, v->left_ns, &at_ns) < 0)
			return -EINVAL;
	}
	if (timer_set(ts, &x->timer, at_ns) < 0)
		return -ENOMEM;
	if (!clock_is_cpu(x->clock))
		x->goal_ns = at_ns;
	else
		x->goal_ns = absolute ? v->left_ns
		                      : clock_after(now, v->left_ns);
	x->interval_ns = v->interval_ns;
	x->overrun = 0;
	return 0;
}

int32_t itimer_posix_overrun(const struct itimer_posix *x)
{
	return (int32_t)MIN(x->overrun, (uint64_t)OVERRUN_MAX);
}

static void posix_taken(struct itimer_posix *x)
{
	uint64_t now = posix_now(x);

	x->overrun = 0;
	if (x->goal_ns == 0 || x->interval_ns == 0 || x->goal_ns > now ||
	    x->notify == SIGEV_NONE)
		return;
	x->overrun = advance(&x->goal_ns, x->interval_ns, now);
	again(x->process, &x->timer, x->goal_ns - now);
}

void itimer_taken(struct process *p, abi_siginfo *info)
{
	struct itimer_posix *x;

	for (int i = 0; i < ITIMER_COUNT; i++)
		if (info->signo == signals[i])
			go_on(p, i);
	if (info->code != SI_TIMER)
		return;
	x = itimer_posix_find(p, info->timer_id);
	if (!x)
		return;
	posix_taken(x);
	info->overrun = itimer_posix_overrun(x);
}
