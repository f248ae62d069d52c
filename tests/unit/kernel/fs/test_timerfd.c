/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/timerfd.h"

#include <linux/fcntl.h>
#include <linux/timerfd.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernel/testbed.h"

static int timer(struct testbed *bed, int clock)
{
	long fd = testbed_call(bed, SYS_timerfd_create, clock, 0);

	assert_true(fd >= 0);
	return (int)fd;
}

static long set(struct testbed *bed, int fd, int flags, abi_itimerspec v)
{
	return testbed_call(bed, SYS_timerfd_settime, fd, flags, &v, 0);
}

static void who_reads_waits_for_it(void **s)
{
	struct testbed *bed = *s;
	int fd = timer(bed, CLOCK_MONOTONIC);
	uint64_t n = 0;
	long got = 8;

	/* A slow machine may ask too late for a short one. */
	for (long ns = 1000000; got == 8; ns *= 2) {
		const abi_itimerspec v = {.value = {0, ns}};

		assert_int_equal(set(bed, fd, 0, v), 0);
		assert_int_equal(testbed_call(bed, SYS_read, fd, &n, 4),
		                 -EINVAL);
		got = testbed_call(bed, SYS_read, fd, &n, 8);
	}
	assert_int_equal(got, -EWAIT);
	assert_int_equal(testbed_wait(bed->task), 8);
	assert_int_equal(n, 1);
}

static void the_past_is_now(void **s)
{
	struct testbed *bed = *s;
	int fd = timer(bed, CLOCK_REALTIME);
	uint64_t n = 0;

	assert_int_equal(set(bed, fd, TFD_TIMER_ABSTIME,
	                     (abi_itimerspec){.value = {1, 0}}),
	                 0);
	assert_int_equal(testbed_call(bed, SYS_read, fd, &n, 8), 8);
	assert_int_equal(n, 1);
}

static void a_periodic_one_counts_what_it_missed(void **s)
{
	struct testbed *bed = *s;
	int fd = timer(bed, CLOCK_MONOTONIC);
	struct timespec now;
	abi_itimerspec v = {.interval = {1, 0}};
	uint64_t n = 0;

	/* It began ten and a half seconds ago. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	v.value = (abi_timespec){now.tv_sec - 10, now.tv_nsec};
	if (v.value.sec <= 0)
		skip();
	assert_int_equal(set(bed, fd, TFD_TIMER_ABSTIME, v), 0);
	assert_int_equal(testbed_call(bed, SYS_read, fd, &n, 8), 8);
	assert_true(n >= 11 && n < 20);
	assert_int_equal(testbed_call(bed, SYS_timerfd_gettime, fd, &v), 0);
	assert_int_equal(v.interval.sec, 1);
	assert_true(v.value.sec == 0 && v.value.nsec > 0);
}

static void setting_it_tells_what_it_was(void **s)
{
	struct testbed *bed = *s;
	int fd = timer(bed, CLOCK_BOOTTIME);
	abi_itimerspec v = {{7, 5}, {100, 0}}, old;

	assert_int_equal(set(bed, fd, 0, v), 0);
	v = (abi_itimerspec){0};
	assert_int_equal(
		testbed_call(bed, SYS_timerfd_settime, fd, 0, &v, &old), 0);
	assert_int_equal(old.interval.sec, 7);
	assert_int_equal(old.interval.nsec, 5);
	assert_in_range(old.value.sec, 90, 100);
	assert_int_equal(testbed_call(bed, SYS_timerfd_gettime, fd, &v), 0);
	assert_int_equal(v.value.sec, 0);
	assert_int_equal(v.value.nsec, 0);
}

static void refuses_what_is_no_timer(void **s)
{
	struct testbed *bed = *s;
	int fd = timer(bed, CLOCK_MONOTONIC);
	long counter = testbed_call(bed, SYS_eventfd2, 0, 0);
	abi_itimerspec v = {0};

	assert_int_equal(testbed_call(bed, SYS_timerfd_create,
	                              CLOCK_PROCESS_CPUTIME_ID, 0),
	                 -EINVAL);
	assert_int_equal(
		testbed_call(bed, SYS_timerfd_create, CLOCK_REALTIME, 1),
		-EINVAL);
	assert_int_equal(set(bed, (int)counter, 0, v), -EINVAL);
	assert_int_equal(set(bed, 99, 0, v), -EBADF);
	assert_int_equal(set(bed, fd, 16, v), -EINVAL);
	v.value.nsec = 1000000000;
	assert_int_equal(set(bed, fd, 0, v), -EINVAL);
	testbed_become(bed, 1000);
	assert_int_equal(
		testbed_call(bed, SYS_timerfd_create, CLOCK_REALTIME_ALARM, 0),
		-EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(who_reads_waits_for_it),
		TESTBED(the_past_is_now),
		TESTBED(a_periodic_one_counts_what_it_missed),
		TESTBED(setting_it_tells_what_it_was),
		TESTBED(refuses_what_is_no_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
