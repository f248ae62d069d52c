/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "kernel/ops.h"
#include "kernel/testbed.h"

#define SECOND 1000000000ull

static void handle(struct testbed *bed, int sig)
{
	const abi_sigaction act = {.handler = 0x1000};

	assert_int_equal(testbed_call(bed, SYS_rt_sigaction, sig, &act, 0, 8),
	                 0);
}

/* The next timer fires, as if its time had come. */
static void fire_next(struct testbed *bed)
{
	struct timers *ts = &bed->kernel.loop.timers;
	struct timer *t = ts->count ? ts->heap[0] : NULL;

	if (!t)
		return;
	timer_stop(ts, t);
	t->fire(t);
}

static bool pending(struct testbed *bed, int sig)
{
	return signal_pending(bed->task) & SIGNAL_BIT(sig);
}

static void an_alarm_rings_once(void **state)
{
	struct testbed *bed = *state;

	handle(bed, SIGALRM);
	assert_int_equal(testbed_call(bed, SYS_alarm, 100), 0);
	assert_int_equal(testbed_call(bed, SYS_alarm, 50), 100);
	assert_int_equal(testbed_call(bed, SYS_alarm, 0), 50);
	assert_int_equal(testbed_call(bed, SYS_alarm, 0), 0);
	fire_next(bed);
	assert_false(pending(bed, SIGALRM));
}

static void an_interval_comes_again(void **state)
{
	struct testbed *bed = *state;
	const abi_itimerval v = {{30, 0}, {10, 0}};
	abi_itimerval got;

	assert_int_equal(testbed_call(bed, SYS_setitimer, ITIMER_REAL, &v, 0),
	                 0);
	assert_int_equal(testbed_call(bed, SYS_getitimer, ITIMER_REAL, &got),
	                 0);
	assert_int_equal(got.interval.sec, 30);
	assert_in_range(got.value.sec, 1, 10);
	assert_int_equal(testbed_call(bed, SYS_setitimer, 3, &v, 0), -EINVAL);
}

static void a_pause_ends_with_the_alarm(void **state)
{
	struct testbed *bed = *state;
	const abi_itimerval v = {{0, 0}, {0, 1000}};

	handle(bed, SIGALRM);
	assert_int_equal(testbed_call(bed, SYS_setitimer, ITIMER_REAL, &v, 0),
	                 0);
	if (testbed_call(bed, SYS_pause) == -EWAIT)
		assert_int_equal(testbed_wait(bed->task), -ERESTARTNOHAND);
	assert_int_equal(testbed_call(bed, OP_signal), SIGALRM);
}

static void posix_timers_count_what_they_overran(void **state)
{
	struct testbed *bed = *state;
	const abi_sigevent ev = {.signo = 40, .value = 5};
	const abi_itimerspec v = {{0, 1000000}, {0, 1}};
	struct sigorder *order = (void *)((uint8_t *)bed->task->slot +
	                                  CHANNEL_DATA);
	abi_siginfo info;
	int32_t id = -1;

	handle(bed, 40);
	assert_int_equal(
		testbed_call(bed, SYS_timer_create, CLOCK_MONOTONIC, &ev, &id),
		0);
	assert_int_equal(id, 0);
	testbed_block(bed->task, SIGNAL_BIT(40));
	assert_int_equal(testbed_call(bed, SYS_timer_settime, id, 0, &v, 0), 0);
	for (uint64_t end = timer_now() + 5000000; timer_now() < end;)
		(void)loop_run_soon(&bed->kernel.loop);
	(void)loop_run_soon(&bed->kernel.loop); /* however late */
	testbed_block(bed->task, 0);
	assert_int_equal(testbed_call(bed, OP_signal), 40);
	memcpy(&info, order->info, sizeof(info));
	assert_int_equal(info.code, SI_TIMER);
	assert_int_equal(info.timer_value, 5);
	assert_true(info.overrun >= 3);
	assert_int_equal(testbed_call(bed, SYS_timer_getoverrun, id),
	                 info.overrun);
	assert_int_equal(testbed_call(bed, SYS_timer_delete, id), 0);
	assert_int_equal(testbed_call(bed, SYS_timer_delete, id), -EINVAL);
}

static void timers_that_cannot_be_are_refused(void **state)
{
	struct testbed *bed = *state;
	static const struct {
		const char *why;
		int clock;
		abi_sigevent ev;
	} table[] = {
		{"no such clock", 77, {.signo = 1}},
		{"a clock to read only", CLOCK_MONOTONIC_COARSE, {.signo = 1}},
		{"no such signal", CLOCK_MONOTONIC, {.signo = 65}},
		{"no such way", CLOCK_MONOTONIC, {.signo = 1, .notify = 9}},
		{"no such thread",
	         CLOCK_MONOTONIC,
	         {.signo = 1, .notify = SIGEV_THREAD_ID, .tid = 999}},
	};
	int32_t id;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (testbed_call(bed, SYS_timer_create, table[i].clock,
		                 &table[i].ev, &id) != -EINVAL)
			fail_msg("%s", table[i].why);
	}
}

static void using_up_the_cpu_is_fatal(void **state)
{
	struct testbed *bed = *state;
	const abi_rlimit limit = {1, 2};

	handle(bed, SIGXCPU);
	assert_int_equal(testbed_call(bed, SYS_setrlimit, 0, &limit), 0);
	bed->process->usage.utime_ns = SECOND / 2;
	fire_next(bed);
	assert_false(pending(bed, SIGXCPU));
	bed->process->usage.utime_ns = SECOND;
	fire_next(bed);
	assert_true(pending(bed, SIGXCPU));
	bed->process->usage.utime_ns = 2 * SECOND;
	fire_next(bed);
	assert_true(bed->process->exiting);
}

static void a_sleep_ends_by_itself(void **state)
{
	struct testbed *bed = *state;
	const abi_timespec soon = {0, 1000};
	const abi_timespec bad = {0, 1000000000};

	if (testbed_call(bed, SYS_nanosleep, &soon, 0) == -EWAIT)
		assert_int_equal(testbed_wait(bed->task), 0);
	assert_int_equal(testbed_call(bed, SYS_nanosleep, &bad, 0), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_clock_nanosleep, CLOCK_MONOTONIC,
	                              TIMER_ABSTIME, &soon),
	                 0);
	assert_int_equal(testbed_call(bed, SYS_clock_nanosleep,
	                              CLOCK_THREAD_CPUTIME_ID, 0, &soon),
	                 -EOPNOTSUPP);
}

static void a_cut_sleep_goes_on_where_it_was(void **state)
{
	struct testbed *bed = *state;
	const abi_timespec hour = {3600, 0};
	const abi_siginfo usr1 = {.signo = SIGUSR1};
	abi_timespec left = {0};
	uint64_t deadline;

	handle(bed, SIGUSR1);
	assert_int_equal(testbed_call(bed, SYS_nanosleep, &hour, &left),
	                 -EWAIT);
	deadline = bed->task->deadline_ns;
	assert_int_equal(signal_send_process(bed->process, &usr1), 0);
	assert_int_equal(testbed_finish(bed->task), -ERESTART_RESTARTBLOCK);
	assert_in_range(left.sec, 3000, 3600);
	assert_int_equal(testbed_call(bed, OP_signal), SIGUSR1);
	assert_int_equal(testbed_call(bed, SYS_restart_syscall), -EWAIT);
	assert_int_equal(bed->task->deadline_ns, deadline);
	fire_next(bed);
	assert_int_equal(testbed_finish(bed->task), 0);
	assert_int_equal(testbed_call(bed, SYS_restart_syscall), -EINTR);
}

static void clocks_can_be_read(void **state)
{
	struct testbed *bed = *state;
	static const int clocks[] = {
		CLOCK_REALTIME,           CLOCK_MONOTONIC,
		CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
		CLOCK_BOOTTIME,           CLOCK_TAI,
		CLOCK_REALTIME_COARSE,    ~2 << 3 /* of process 2 */ | 2,
	};
	abi_timespec ts;

	for (size_t i = 0; i < ARRAY_LEN(clocks); i++)
		if (testbed_call(bed, SYS_clock_gettime, clocks[i], &ts) != 0)
			fail_msg("clock %d", clocks[i]);
	assert_int_equal(testbed_call(bed, SYS_clock_gettime, 77, &ts),
	                 -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_clock_gettime, ~9999 << 3, &ts),
	                 -EINVAL);
	assert_int_equal(
		testbed_call(bed, SYS_clock_settime, CLOCK_REALTIME, &ts),
		-EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(an_alarm_rings_once),
		TESTBED(an_interval_comes_again),
		TESTBED(a_pause_ends_with_the_alarm),
		TESTBED(posix_timers_count_what_they_overran),
		TESTBED(timers_that_cannot_be_are_refused),
		TESTBED(using_up_the_cpu_is_fatal),
		TESTBED(a_sleep_ends_by_itself),
		TESTBED(a_cut_sleep_goes_on_where_it_was),
		TESTBED(clocks_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
