/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/eventfd.h"

#include <linux/fcntl.h>
#include <poll.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

#define SEMAPHORE 1

static int make(struct testbed *bed, unsigned count, int flags)
{
	long fd = testbed_call(bed, SYS_eventfd2, count, flags);

	assert_true(fd >= 0);
	return (int)fd;
}

static long take(struct testbed *bed, int fd, uint64_t *n)
{
	return testbed_call(bed, SYS_read, fd, n, 8);
}

static long give(struct testbed *bed, int fd, uint64_t n)
{
	return testbed_call(bed, SYS_write, fd, &n, 8);
}

static void counts_and_is_emptied(void **s)
{
	struct testbed *bed = *s;
	int fd = make(bed, 3, O_NONBLOCK);
	uint64_t n[2];

	assert_int_equal(give(bed, fd, 4), 8);
	assert_int_equal(testbed_call(bed, SYS_read, fd, n, 16), 8);
	assert_int_equal(n[0], 7);
	assert_int_equal(take(bed, fd, n), -EAGAIN);
	assert_int_equal(testbed_call(bed, SYS_read, fd, n, 7), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_write, fd, n, 7), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_lseek, fd, 0, 0), -ESPIPE);
	assert_int_equal(testbed_call(bed, SYS_eventfd2, 0, 2), -EINVAL);
}

static void a_semaphore_gives_one_each(void **s)
{
	struct testbed *bed = *s;
	int fd = make(bed, 2, SEMAPHORE | O_NONBLOCK);
	uint64_t n;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(take(bed, fd, &n), 8);
		assert_int_equal(n, 1);
	}
	assert_int_equal(take(bed, fd, &n), -EAGAIN);
}

static void the_highest_number_is_not_reached(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task, *other = testbed_thread(bed, t);
	int fd = make(bed, 0, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
	uint64_t n;

	assert_int_equal(give(bed, fd, UINT64_MAX), -EINVAL);
	assert_int_equal(give(bed, fd, UINT64_MAX - 1), 8);
	assert_int_equal(testbed_call(bed, SYS_poll, &p, 1, 0), 1);
	assert_int_equal(p.revents, POLLIN);
	n = 1;
	assert_int_equal(testbed_call(bed, SYS_write, fd, &n, 8), -EWAIT);
	bed->task = other;
	assert_int_equal(take(bed, fd, &n), 8);
	assert_int_equal(n, UINT64_MAX - 1);
	n = 1; /* what the other task is going to write */
	assert_int_equal(testbed_finish(t), 8);
	assert_int_equal(take(bed, fd, &n), 8);
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(counts_and_is_emptied),
		TESTBED(a_semaphore_gives_one_each),
		TESTBED(the_highest_number_is_not_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
