/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/pipe.h"

#include <linux/fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/fs/fd.h"
#include "kernel/testbed.h"

static char big[200000];
static char back[sizeof(big)];

static void make(struct testbed *bed, int32_t ends[2], int flags)
{
	assert_int_equal(testbed_call(bed, SYS_pipe2, ends, flags), 0);
}

static long put(struct testbed *bed, int fd, const char *text)
{
	return testbed_call(bed, SYS_write, fd, text, strlen(text));
}

static short state(struct testbed *bed, int fd)
{
	struct pollfd p = {.fd = fd,
	                   .events = POLLIN | POLLOUT | POLLHUP | POLLERR};

	assert_true(testbed_call(bed, SYS_poll, &p, 1, 0) >= 0);
	return p.revents;
}

static void carries_bytes_in_order(void **s)
{
	struct testbed *bed = *s;
	int32_t ends[2];
	char buf[16];

	make(bed, ends, 0);
	assert_int_equal(put(bed, ends[1], "hello "), 6);
	assert_int_equal(put(bed, ends[1], "world"), 5);
	assert_int_equal(testbed_call(bed, SYS_read, ends[0], buf, 3), 3);
	assert_int_equal(testbed_call(bed, SYS_read, ends[0], buf + 3, 13), 8);
	assert_memory_equal(buf, "hello world", 11);
	assert_int_equal(testbed_call(bed, SYS_read, ends[1], buf, 1), -EBADF);
	assert_int_equal(put(bed, ends[0], "x"), -EBADF);
	assert_int_equal(testbed_call(bed, SYS_pread64, ends[0], buf, 1, 0),
	                 -ESPIPE);
	assert_int_equal(testbed_call(bed, SYS_lseek, ends[0], 0, 0), -ESPIPE);
	assert_int_equal(testbed_call(bed, SYS_pipe2, ends, 1 << 30), -EINVAL);
}

static void a_reader_waits_for_a_writer(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task, *other = testbed_thread(bed, t);
	int32_t ends[2];
	char buf[16];

	make(bed, ends, 0);
	assert_int_equal(testbed_call(bed, SYS_read, ends[0], buf, 16), -EWAIT);
	assert_int_equal(testbed_finish(t), -EWAIT);
	bed->task = other;
	assert_int_equal(put(bed, ends[1], "now"), 3);
	assert_int_equal(testbed_finish(t), 3);
	assert_memory_equal(buf, "now", 3);

	bed->task = t;
	assert_int_equal(testbed_call(bed, SYS_read, ends[0], buf, 16), -EWAIT);
	bed->task = other;
	assert_int_equal(fd_close(bed->task, (int32_t)ends[1]), 0);
	assert_int_equal(testbed_finish(t), 0);
}

static void a_long_write_goes_on_as_it_is_read(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task, *other = testbed_thread(bed, t);
	int32_t ends[2];
	size_t have = 0;
	long n = -EWAIT;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 251);
	make(bed, ends, 0);
	assert_int_equal(
		testbed_call(bed, SYS_write, ends[1], big, sizeof(big)),
		-EWAIT);
	while (have < sizeof(big)) {
		bed->task = other;
		have += (size_t)testbed_call(bed, SYS_read, ends[0],
		                             back + have, 10000);
		if (n == -EWAIT)
			n = testbed_finish(t);
	}
	assert_int_equal(n, sizeof(big));
	assert_memory_equal(big, back, sizeof(big));
}

static void a_signal_cuts_a_long_write_short(void **s)
{
	struct testbed *bed = *s;
	abi_siginfo info = signal_info_kernel(SIGUSR1);
	int32_t ends[2];

	bed->task->sighand->action[SIGUSR1].handler = 0x1000;
	make(bed, ends, 0);
	assert_int_equal(testbed_call(bed, SYS_write, ends[1], big, 100000),
	                 -EWAIT);
	assert_int_equal(signal_send_task(bed->task, &info, false), 0);
	assert_int_equal(testbed_finish(bed->task), 65536);
}

static void short_writes_are_whole_or_nothing(void **s)
{
	struct testbed *bed = *s;
	int32_t ends[2];

	make(bed, ends, O_NONBLOCK);
	assert_int_equal(testbed_call(bed, SYS_read, ends[0], back, 1),
	                 -EAGAIN);
	assert_int_equal(testbed_call(bed, SYS_write, ends[1], big, 65000),
	                 65000);
	assert_int_equal(testbed_call(bed, SYS_write, ends[1], big, 4096),
	                 -EAGAIN);
	assert_int_equal(testbed_call(bed, SYS_write, ends[1], big, 5000), 536);
	assert_int_equal(testbed_call(bed, SYS_write, ends[1], big, 5000),
	                 -EAGAIN);
	assert_int_equal(state(bed, ends[1]), 0);
	assert_int_equal(testbed_call(bed, SYS_read, ends[0], back, 4095),
	                 4095);
	assert_int_equal(state(bed, ends[1]), 0);
	assert_int_equal(testbed_call(bed, SYS_read, ends[0], back, 1), 1);
	assert_int_equal(state(bed, ends[1]), POLLOUT);
}

static void without_a_reader_a_writer_gets_a_signal(void **s)
{
	struct testbed *bed = *s;
	int32_t ends[2];

	make(bed, ends, 0);
	testbed_block(bed->task, SIGNAL_BIT(SIGPIPE));
	assert_int_equal(fd_close(bed->task, (int32_t)ends[0]), 0);
	assert_int_equal(state(bed, ends[1]), POLLOUT | POLLERR);
	assert_int_equal(put(bed, ends[1], "x"), -EPIPE);
	assert_true(signal_pending(bed->task) & SIGNAL_BIT(SIGPIPE));
}

static void packets_keep_their_limits(void **s)
{
	struct testbed *bed = *s;
	int32_t ends[2];
	char buf[8];

	make(bed, ends, O_DIRECT);
	assert_int_equal(put(bed, ends[1], "first"), 5);
	assert_int_equal(put(bed, ends[1], "second"), 6);
	assert_int_equal(testbed_call(bed, SYS_read, ends[0], buf, 8), 5);
	assert_int_equal(testbed_call(bed, SYS_read, ends[0], buf, 3), 3);
	assert_memory_equal(buf, "sec", 3);
	assert_int_equal(testbed_call(bed, SYS_write, ends[1], big, 5000),
	                 5000);
	assert_int_equal(testbed_call(bed, SYS_read, ends[0], back, 9000),
	                 4096);
	assert_int_equal(testbed_call(bed, SYS_read, ends[0], back, 9000), 904);
}

static void tells_what_it_holds(void **s)
{
	struct testbed *bed = *s;
	int32_t ends[2];
	int n = 0;

	make(bed, ends, 0);
	assert_int_equal(state(bed, ends[0]), 0);
	assert_int_equal(state(bed, ends[1]), POLLOUT);
	assert_int_equal(put(bed, ends[1], "four"), 4);
	assert_int_equal(state(bed, ends[0]), POLLIN);
	assert_int_equal(testbed_call(bed, SYS_ioctl, ends[0], FIONREAD, &n),
	                 0);
	assert_int_equal(n, 4);
	assert_int_equal(testbed_call(bed, SYS_ioctl, ends[0], 0x5401, &n),
	                 -ENOTTY);
	assert_int_equal(fd_close(bed->task, (int32_t)ends[1]), 0);
	assert_int_equal(state(bed, ends[0]), POLLIN | POLLHUP);
}

static void capacity_is_a_power_of_two_within_limits(void **s)
{
	struct testbed *bed = *s;
	int32_t ends[2];
	struct file *f;
	struct pipe *p;

	make(bed, ends, 0);
	f = fd_get(bed->task, ends[1]);
	p = pipe_of(f);
	assert_non_null(p);
	assert_int_equal(pipe_capacity(p), 65536);
	assert_int_equal(pipe_set_capacity(p, 1), 4096);
	assert_int_equal(pipe_set_capacity(p, 0), -EINVAL);
	assert_int_equal(pipe_set_capacity(p, 70000), 131072);
	assert_int_equal(pipe_set_capacity(p, 1u << 21), -EPERM);
	assert_int_equal(testbed_call(bed, SYS_write, ends[1], big, 100000),
	                 100000);
	assert_int_equal(pipe_set_capacity(p, 65536), -EBUSY);
	assert_int_equal(testbed_call(bed, SYS_read, ends[0], back, 60000),
	                 60000);
	assert_int_equal(pipe_set_capacity(p, 40000), 65536);
	assert_int_equal(
		testbed_call(bed, SYS_read, ends[0], back + 60000, 60000),
		40000);
	assert_memory_equal(big, back, 100000);
	file_put(f);
}

static void memory_comes_back(void **s)
{
	struct testbed *bed = *s;
	uint64_t before, after;
	int32_t ends[2];

	make(bed, ends, 0); /* the first makes shared things */
	assert_int_equal(fd_close(bed->task, (int32_t)ends[0]), 0);
	assert_int_equal(fd_close(bed->task, (int32_t)ends[1]), 0);
	before = bed->kernel.limits.memory_used;
	make(bed, ends, O_DIRECT);
	assert_int_equal(testbed_call(bed, SYS_write, ends[1], big, 60000),
	                 60000);
	assert_int_equal(fd_close(bed->task, (int32_t)ends[0]), 0);
	assert_int_equal(fd_close(bed->task, (int32_t)ends[1]), 0);
	after = bed->kernel.limits.memory_used;
	assert_int_equal(before, after);
}

static long open_fifo(struct testbed *bed, struct task *t, int flags)
{
	bed->task = t;
	return testbed_call(bed, SYS_openat, AT_FDCWD, "/fifo", flags, 0);
}

static void named_pipes_bring_both_sides_together(void **s)
{
	struct testbed *bed = *s;
	struct task *a = bed->task, *b = testbed_thread(bed, a);
	long in, out;
	char buf[4];

	if (testbed_call(bed, SYS_mknodat, AT_FDCWD, "/fifo", S_IFIFO | 0600,
	                 0) == -ENOSYS)
		skip();
	assert_int_equal(open_fifo(bed, a, O_WRONLY | O_NONBLOCK), -ENXIO);
	assert_int_equal(open_fifo(bed, a, O_RDONLY), -EWAIT);
	assert_int_equal(testbed_finish(a), -EWAIT);
	/* The reader that waits counts as one. */
	out = open_fifo(bed, b, O_WRONLY | O_NONBLOCK);
	assert_true(out >= 0);
	assert_int_equal(put(bed, (int)out, "hi"), 2);
	assert_int_equal(fd_close(bed->task, (int32_t)out), 0);
	/* A writer was there, although it has gone again. */
	in = testbed_finish(a);
	assert_true(in >= 0);
	bed->task = a;
	assert_int_equal(testbed_call(bed, SYS_read, in, buf, 4), 2);
	assert_int_equal(testbed_call(bed, SYS_read, in, buf, 4), 0);
	assert_int_equal(fd_close(bed->task, (int32_t)in), 0);

	in = open_fifo(bed, a, O_RDONLY | O_NONBLOCK);
	assert_true(in >= 0);
	assert_int_equal(state(bed, (int)in), 0); /* nobody hung up yet */
	out = open_fifo(bed, b, O_WRONLY);
	assert_true(out >= 0);
	assert_int_equal(fd_close(bed->task, (int32_t)out), 0);
	assert_int_equal(state(bed, (int)in), POLLHUP);
}

static void a_signal_ends_the_wait_for_the_other_side(void **s)
{
	struct testbed *bed = *s;
	struct task *a = bed->task, *b = testbed_thread(bed, a);
	abi_siginfo info = signal_info_kernel(SIGUSR1);

	if (testbed_call(bed, SYS_mknodat, AT_FDCWD, "/fifo", S_IFIFO | 0600,
	                 0) == -ENOSYS)
		skip();
	a->sighand->action[SIGUSR1].handler = 0x1000;
	assert_int_equal(open_fifo(bed, a, O_RDONLY), -EWAIT);
	assert_int_equal(signal_send_task(a, &info, false), 0);
	assert_int_equal(testbed_finish(a), -ERESTARTSYS);
	assert_int_equal(open_fifo(bed, b, O_WRONLY | O_NONBLOCK), -ENXIO);

	/* And so does death. */
	testbed_block(a, SIGNAL_BIT(SIGUSR1));
	assert_int_equal(open_fifo(bed, a, O_RDONLY), -EWAIT);
	task_exit(a, 0);
	assert_int_equal(open_fifo(bed, b, O_WRONLY | O_NONBLOCK), -ENXIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(carries_bytes_in_order),
		TESTBED(a_reader_waits_for_a_writer),
		TESTBED(a_long_write_goes_on_as_it_is_read),
		TESTBED(a_signal_cuts_a_long_write_short),
		TESTBED(short_writes_are_whole_or_nothing),
		TESTBED(without_a_reader_a_writer_gets_a_signal),
		TESTBED(packets_keep_their_limits),
		TESTBED(tells_what_it_holds),
		TESTBED(capacity_is_a_power_of_two_within_limits),
		TESTBED(memory_comes_back),
		TESTBED(named_pipes_bring_both_sides_together),
		TESTBED(a_signal_ends_the_wait_for_the_other_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
