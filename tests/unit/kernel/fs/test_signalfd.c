/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/signalfd.h"

#include <linux/fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

static int make(struct testbed *bed, int fd, uint64_t set, int flags)
{
	return (int)testbed_call(bed, SYS_signalfd4, fd, &set, 8, flags);
}

static void gives_signals_as_records(void **s)
{
	struct testbed *bed = *s;
	abi_siginfo info = signal_info_user(SIGUSR1, bed->task);
	uint64_t set = SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGUSR2);
	int fd = make(bed, -1, set, O_NONBLOCK);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct signalfd_siginfo got[2];

	assert_true(fd >= 0);
	testbed_block(bed->task, set);
	assert_int_equal(testbed_call(bed, SYS_read, fd, got, sizeof(got)),
	                 -EAGAIN);
	assert_int_equal(testbed_call(bed, SYS_poll, &p, 1, 0), 0);
	assert_int_equal(signal_send_process(bed->process, &info), 0);
	assert_int_equal(testbed_call(bed, SYS_poll, &p, 1, 0), 1);
	assert_int_equal(testbed_call(bed, SYS_read, fd, got, 100), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_read, fd, got, sizeof(got)),
	                 sizeof(got[0]));
	assert_int_equal(got[0].ssi_signo, SIGUSR1);
	assert_int_equal(got[0].ssi_pid, bed->process->pid);
	assert_int_equal(signal_pending(bed->task), 0);
}

static void wakes_who_reads_and_who_watches(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task;
	abi_siginfo info = signal_info_user(SIGUSR1, t);
	int fd = make(bed, -1, SIGNAL_BIT(SIGUSR1), 0);
	int ep = (int)testbed_call(bed, SYS_epoll_create1, 0);
	abi_epoll_event e = {.events = EPOLLIN};
	struct signalfd_siginfo got;

	testbed_block(t, SIGNAL_BIT(SIGUSR1));
	assert_int_equal(testbed_call(bed, SYS_read, fd, &got, sizeof(got)),
	                 -EWAIT);
	assert_int_equal(signal_send_process(bed->process, &info), 0);
	assert_int_equal(testbed_finish(t), sizeof(got));

	assert_int_equal(
		testbed_call(bed, SYS_epoll_ctl, ep, EPOLL_CTL_ADD, fd, &e), 0);
	assert_int_equal(testbed_call(bed, SYS_epoll_wait, ep, &e, 1, -1),
	                 -EWAIT);
	assert_int_equal(signal_send_task(t, &info, false), 0);
	assert_int_equal(testbed_finish(t), 1);
}

static void the_set_may_change(void **s)
{
	struct testbed *bed = *s;
	int fd = make(bed, -1, SIGNAL_BIT(SIGUSR1), O_NONBLOCK);
	abi_siginfo info = signal_info_user(SIGUSR2, bed->task);
	struct signalfd_siginfo got;
	uint64_t set = 0;

	testbed_block(bed->task, SIGNAL_BIT(SIGUSR2));
	assert_int_equal(signal_send_task(bed->task, &info, false), 0);
	assert_int_equal(testbed_call(bed, SYS_read, fd, &got, sizeof(got)),
	                 -EAGAIN);
	assert_int_equal(make(bed, fd, SIGNAL_BIT(SIGUSR2), 0), fd);
	assert_int_equal(testbed_call(bed, SYS_read, fd, &got, sizeof(got)),
	                 sizeof(got));
	assert_int_equal(make(bed, 99, 0, 0), -EBADF);
	assert_int_equal(make(bed, -1, 0, 1), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_signalfd4, -1, &set, 4, 0),
	                 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(gives_signals_as_records),
		TESTBED(wakes_who_reads_and_who_watches),
		TESTBED(the_set_may_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
