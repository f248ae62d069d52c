/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

static int counter(struct testbed *bed, unsigned n)
{
	long fd = testbed_call(bed, SYS_eventfd2, n, 0);

	assert_true(fd >= 0);
	return (int)fd;
}

static void bump(struct testbed *bed, int fd)
{
	uint64_t one = 1;

	assert_int_equal(testbed_call(bed, SYS_write, fd, &one, 8), 8);
}

static void poll_tells_what_holds(void **s)
{
	struct testbed *bed = *s;
	int fd = counter(bed, 0);
	struct pollfd p[4] = {
		{.fd = fd, .events = POLLIN},
		{.fd = fd, .events = POLLIN | POLLOUT},
		{.fd = -1, .events = POLLIN, .revents = 77},
		{.fd = 99, .events = POLLIN},
	};

	assert_int_equal(testbed_call(bed, SYS_poll, p, 4, -1), 2);
	assert_int_equal(p[0].revents, 0);
	assert_int_equal(p[1].revents, POLLOUT);
	assert_int_equal(p[2].revents, 0);
	assert_int_equal(p[3].revents, POLLNVAL);
	assert_int_equal(testbed_call(bed, SYS_poll, p, 1, 0), 0);
	assert_int_equal(testbed_call(bed, SYS_poll, p, 2000000, 0), -EINVAL);
}

static void poll_waits_for_any_of_many(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task, *other = testbed_thread(bed, t);
	struct pollfd p[50];

	for (int i = 0; i < 50; i++) {
		p[i] = (struct pollfd){.events = POLLIN};
		p[i].fd = counter(bed, 0);
	}
	assert_int_equal(testbed_call(bed, SYS_poll, p, 50, -1), -EWAIT);
	bed->task = other;
	bump(bed, p[40].fd);
	assert_int_equal(testbed_finish(t), 1);
	assert_int_equal(p[40].revents, POLLIN);
	assert_int_equal(p[41].revents, 0);
}

/* What another thread closes meanwhile is there until the call is over. */
static void poll_keeps_what_it_waits_for(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task, *other = testbed_thread(bed, t);
	struct pollfd p[40], end = {.events = POLLIN};
	int32_t ends[2];

	for (int i = 0; i < 40; i++)
		p[i] = (struct pollfd){.fd = counter(bed, 0), .events = POLLIN};
	assert_int_equal(testbed_call(bed, SYS_pipe2, ends, 0), 0);
	p[39] = (struct pollfd){.fd = ends[1], .events = POLLERR};
	end.fd = ends[0];
	assert_int_equal(testbed_call(bed, SYS_poll, p, 40, -1), -EWAIT);
	bed->task = other;
	for (int i = 1; i < 40; i++)
		assert_int_equal(testbed_call(bed, SYS_close, p[i].fd), 0);
	assert_int_equal(testbed_finish(t), -EWAIT);
	assert_int_equal(testbed_call(bed, SYS_poll, &end, 1, 0), 0);
	bump(bed, p[0].fd);
	assert_int_equal(testbed_finish(t), 40);
	assert_int_equal(p[0].revents, POLLIN);
	assert_int_equal(p[1].revents, POLLNVAL);
	assert_int_equal(testbed_call(bed, SYS_poll, &end, 1, 0), 1);
	assert_int_equal(end.revents, POLLHUP);
}

static void poll_gives_up_in_time(void **s)
{
	struct testbed *bed = *s;
	struct pollfd p = {.fd = counter(bed, 0), .events = POLLIN};
	struct timespec ts = {0, 1000};

	assert_int_equal(testbed_call(bed, SYS_poll, &p, 1, 1), -EWAIT);
	assert_int_equal(testbed_wait(bed->task), 0);
	assert_int_equal(testbed_call(bed, SYS_poll, 0, 0, 1), -EWAIT);
	assert_int_equal(testbed_wait(bed->task), 0);
	assert_int_equal(testbed_call(bed, SYS_ppoll, &p, 1, &ts, 0, 0),
	                 -EWAIT);
	assert_int_equal(testbed_wait(bed->task), 0);
	assert_int_equal(ts.tv_sec, 0);
	assert_int_equal(ts.tv_nsec, 0);
	ts.tv_nsec = 1000000000;
	assert_int_equal(testbed_call(bed, SYS_ppoll, &p, 1, &ts, 0, 0),
	                 -EINVAL);
}

static void signals_end_it_each_in_its_way(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task;
	abi_siginfo info = signal_info_kernel(SIGUSR1);
	struct pollfd p = {.fd = counter(bed, 0), .events = POLLIN};
	struct timespec ts = {1000, 0};
	abi_sigset none = 0;

	t->sighand->action[SIGUSR1].handler = 0x1000;
	assert_int_equal(testbed_call(bed, SYS_poll, &p, 1, 100000), -EWAIT);
	assert_int_equal(signal_send_task(t, &info, false), 0);
	assert_int_equal(testbed_finish(t), -ERESTART_RESTARTBLOCK);
	assert_int_equal(t->restart.nr, SYS_poll);
	assert_true(t->restart.deadline_ns > 0);
	(void)signal_take(t, ~0ull, &info);

	/* The signal is blocked but for the length of the call. */
	testbed_block(t, SIGNAL_BIT(SIGUSR1));
	assert_int_equal(signal_send_task(t, &info, false), 0);
	assert_int_equal(testbed_call(bed, SYS_ppoll, &p, 1, &ts, &none, 8),
	                 -ERESTARTNOHAND);
	assert_true(ts.tv_sec < 1000); /* what is left */
	assert_true(ts.tv_sec >= 990);
	assert_true(t->mask_saved);
	assert_int_equal(testbed_call(bed, SYS_ppoll, &p, 1, &ts, &none, 4),
	                 -EINVAL);
}

static void select_reads_and_writes_bitmaps(void **s)
{
	struct testbed *bed = *s;
	int a = counter(bed, 0), b = counter(bed, 1);
	struct timeval tv = {5, 0};
	fd_set in, out, ex;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&ex);
	FD_SET(a, &in);
	FD_SET(b, &in);
	FD_SET(a, &out);
	FD_SET(b, &ex);
	assert_int_equal(
		testbed_call(bed, SYS_select, b + 1, &in, &out, &ex, &tv), 2);
	assert_false(FD_ISSET(a, &in));
	assert_true(FD_ISSET(b, &in));
	assert_true(FD_ISSET(a, &out));
	assert_false(FD_ISSET(b, &ex));
	assert_true(tv.tv_sec <= 5 && tv.tv_sec >= 4);

	FD_SET(b, &in);
	assert_int_equal(testbed_call(bed, SYS_select, b, &in, 0, 0, &tv),
	                 -EWAIT); /* b itself is not looked at */
	assert_int_equal(bed->task->state, TASK_WAITING);
}

static void select_refuses_closed_descriptors(void **s)
{
	struct testbed *bed = *s;
	struct timeval tv = {0, 0}, bad = {-1, 0};
	fd_set in;

	FD_ZERO(&in);
	FD_SET(700, &in);
	assert_int_equal(testbed_call(bed, SYS_select, 701, &in, 0, 0, &tv),
	                 -EBADF);
	assert_int_equal(testbed_call(bed, SYS_select, 700, &in, 0, 0, &tv), 0);
	assert_int_equal(testbed_call(bed, SYS_select, -1, &in, 0, 0, &tv),
	                 -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_select, 0, 0, 0, 0, &bad),
	                 -EINVAL);
}

static void pselect_swaps_the_mask(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task;
	abi_siginfo info = signal_info_kernel(SIGUSR1);
	struct timespec ts = {1000, 0};
	abi_sigset none = 0;
	uint64_t mask[2] = {(uintptr_t)&none, 8};
	fd_set in;

	FD_ZERO(&in);
	FD_SET(counter(bed, 0), &in);
	t->sighand->action[SIGUSR1].handler = 0x1000;
	testbed_block(t, SIGNAL_BIT(SIGUSR1));
	assert_int_equal(
		testbed_call(bed, SYS_pselect6, 64, &in, 0, 0, &ts, mask),
		-EWAIT);
	assert_int_equal(signal_send_task(t, &info, false), 0);
	assert_int_equal(testbed_finish(t), -ERESTARTNOHAND);
	assert_true(ts.tv_sec >= 990);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(poll_tells_what_holds),
		TESTBED(poll_waits_for_any_of_many),
		TESTBED(poll_keeps_what_it_waits_for),
		TESTBED(poll_gives_up_in_time),
		TESTBED(signals_end_it_each_in_its_way),
		TESTBED(select_reads_and_writes_bitmaps),
		TESTBED(select_refuses_closed_descriptors),
		TESTBED(pselect_swaps_the_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
