/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/lock.h"

#include <linux/fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8

static long call3(struct task *t, long nr, long a, long b, const void *c)
{
	return testbed_run(t, (uint32_t)nr,
	                   (const uint64_t[6]){(uint64_t)a, (uint64_t)b,
	                                       (uint64_t)(uintptr_t)c});
}

static long setlk(struct task *t, int cmd, long fd, short type, long first,
                  long size)
{
	struct flock fl = {.l_type = type, .l_start = first, .l_len = size};

	return call3(t, SYS_fcntl, fd, cmd, &fl);
}

static struct flock getlk(struct task *t, long fd, short type, long first,
                          long size)
{
	struct flock fl = {.l_type = type, .l_start = first, .l_len = size};

	assert_int_equal(call3(t, SYS_fcntl, fd, F_GETLK, &fl), 0);
	return fl;
}

/* A file open in the task as 0, and in the child it gets. */
static struct task *pair(struct testbed *bed)
{
	assert_int_equal(
		testbed_call(bed, SYS_open, "/f", O_CREAT | O_RDWR, 0644), 0);
	return testbed_fork(bed, bed->task);
}

static void owners_keep_each_other_out(void **state)
{
	struct testbed *bed = *state;
	struct task *a = bed->task, *b = pair(bed);
	struct flock fl;

	assert_int_equal(setlk(a, F_SETLK, 0, F_WRLCK, 10, 10), 0);
	assert_int_equal(setlk(b, F_SETLK, 0, F_RDLCK, 19, 1), -EAGAIN);
	assert_int_equal(setlk(b, F_SETLK, 0, F_RDLCK, 20, 0), 0);
	assert_int_equal(setlk(b, F_SETLK, 0, F_RDLCK, 0, 10), 0);
	fl = getlk(b, 0, F_WRLCK, 0, 0);
	assert_int_equal(fl.l_type, F_WRLCK);
	assert_int_equal(fl.l_start, 10);
	assert_int_equal(fl.l_len, 10);
	assert_int_equal(fl.l_pid, a->process->pid);
	fl = getlk(a, 0, F_WRLCK, 30, 1);
	assert_int_equal(fl.l_start, 20);
	assert_int_equal(fl.l_len, 0);
	assert_int_equal(fl.l_pid, b->process->pid);
	/* Readers do not mind each other. */
	assert_int_equal(setlk(a, F_SETLK, 0, F_RDLCK, 0, 10), 0);
	assert_int_equal(getlk(a, 0, F_RDLCK, 0, 10).l_type, F_UNLCK);
}

static void locks_are_cut_and_merged(void **state)
{
	struct testbed *bed = *state;
	struct task *a = bed->task, *b = pair(bed);
	struct flock fl;

	assert_int_equal(setlk(a, F_SETLK, 0, F_WRLCK, 0, 100), 0);
	assert_int_equal(setlk(a, F_SETLK, 0, F_UNLCK, 40, 20), 0);
	assert_int_equal(setlk(b, F_SETLK, 0, F_WRLCK, 40, 20), 0);
	assert_int_equal(setlk(b, F_SETLK, 0, F_WRLCK, 39, 1), -EAGAIN);
	assert_int_equal(setlk(b, F_SETLK, 0, F_WRLCK, 60, 1), -EAGAIN);
	assert_int_equal(setlk(b, F_SETLK, 0, F_UNLCK, 0, 0), 0);
	assert_int_equal(setlk(a, F_SETLK, 0, F_WRLCK, 40, 20), 0);
	fl = getlk(b, 0, F_RDLCK, 50, 1);
	assert_int_equal(fl.l_start, 0);
	assert_int_equal(fl.l_len, 100);
	assert_int_equal(setlk(a, F_SETLK, 0, F_RDLCK, 10, 10), 0);
	fl = getlk(b, 0, F_WRLCK, 10, 1);
	assert_int_equal(fl.l_type, F_RDLCK);
	assert_int_equal(fl.l_len, 10);
}

static void closing_any_descriptor_lets_go(void **state)
{
	struct testbed *bed = *state;
	struct task *a = bed->task, *b = pair(bed);

	assert_int_equal(setlk(a, F_SETLK, 0, F_WRLCK, 0, 0), 0);
	assert_int_equal(setlk(b, F_SETLK, 0, F_WRLCK, 0, 0), -EAGAIN);
	assert_int_equal(testbed_call(bed, SYS_dup, 0), 1);
	assert_int_equal(testbed_call(bed, SYS_close, 1), 0);
	assert_int_equal(setlk(b, F_SETLK, 0, F_WRLCK, 0, 0), 0);
}

static void a_waiter_gets_its_turn(void **state)
{
	struct testbed *bed = *state;
	struct task *a = bed->task, *b = pair(bed);

	assert_int_equal(setlk(a, F_SETLK, 0, F_WRLCK, 0, 10), 0);
	{
		struct flock fl = {.l_type = F_WRLCK, .l_len = 10};

		assert_int_equal(call3(b, SYS_fcntl, 0, F_SETLKW, &fl), -EWAIT);
		assert_int_equal(setlk(a, F_SETLK, 0, F_UNLCK, 0, 5), 0);
		assert_int_equal(testbed_finish(b), -EWAIT);
		assert_int_equal(setlk(a, F_SETLK, 0, F_UNLCK, 5, 5), 0);
		assert_int_equal(testbed_finish(b), 0);
	}
	assert_int_equal(setlk(a, F_SETLK, 0, F_RDLCK, 3, 1), -EAGAIN);
}

static void a_circle_of_waiters_is_refused(void **state)
{
	struct testbed *bed = *state;
	struct task *a = bed->task, *b = pair(bed);
	struct flock first = {.l_type = F_WRLCK, .l_start = 0, .l_len = 1};
	struct flock second = {.l_type = F_WRLCK, .l_start = 1, .l_len = 1};

	assert_int_equal(call3(a, SYS_fcntl, 0, F_SETLK, &first), 0);
	assert_int_equal(call3(b, SYS_fcntl, 0, F_SETLK, &second), 0);
	assert_int_equal(call3(a, SYS_fcntl, 0, F_SETLKW, &second), -EWAIT);
	assert_int_equal(call3(b, SYS_fcntl, 0, F_SETLKW, &first), -EDEADLK);
	assert_int_equal(setlk(b, F_SETLK, 0, F_UNLCK, 0, 0), 0);
	assert_int_equal(testbed_finish(a), 0);
}

static void a_waiter_that_dies_leaves_nothing(void **state)
{
	struct testbed *bed = *state;
	struct task *a = bed->task, *b = pair(bed);
	struct flock fl = {.l_type = F_WRLCK};

	assert_int_equal(call3(a, SYS_fcntl, 0, F_SETLK, &fl), 0);
	assert_int_equal(call3(b, SYS_fcntl, 0, F_SETLKW, &fl), -EWAIT);
	process_kill(b->process, SIGKILL);
	assert_int_equal(setlk(a, F_SETLK, 0, F_UNLCK, 0, 0), 0);
	assert_int_equal(setlk(a, F_SETLK, 0, F_WRLCK, 0, 0), 0);
}

static void descriptions_own_the_other_kinds(void **state)
{
	struct testbed *bed = *state;
	struct task *a = bed->task, *b = pair(bed);

	assert_int_equal(testbed_call(bed, SYS_open, "/f", O_RDWR), 1);
	assert_int_equal(setlk(a, F_OFD_SETLK, 0, F_WRLCK, 0, 0), 0);
	assert_int_equal(setlk(a, F_OFD_SETLK, 1, F_WRLCK, 0, 0), -EAGAIN);
	assert_int_equal(setlk(a, F_SETLK, 1, F_WRLCK, 0, 0), -EAGAIN);
	/* The child has the same description. */
	assert_int_equal(setlk(b, F_OFD_SETLK, 0, F_UNLCK, 0, 0), 0);
	assert_int_equal(setlk(a, F_OFD_SETLK, 1, F_WRLCK, 0, 0), 0);
	assert_int_equal(testbed_call(bed, SYS_close, 1), 0);

	assert_int_equal(testbed_call(bed, SYS_open, "/f", O_RDONLY), 1);
	assert_int_equal(call3(a, SYS_flock, 0, LOCK_SH, NULL), 0);
	assert_int_equal(call3(a, SYS_flock, 1, LOCK_SH | LOCK_NB, NULL), 0);
	assert_int_equal(call3(a, SYS_flock, 1, LOCK_EX | LOCK_NB, NULL),
	                 -EAGAIN);
	assert_int_equal(call3(b, SYS_flock, 0, LOCK_UN, NULL), 0);
	assert_int_equal(call3(a, SYS_flock, 1, LOCK_EX | LOCK_NB, NULL), 0);
	assert_int_equal(call3(b, SYS_flock, 0, LOCK_EX, NULL), -EWAIT);
	assert_int_equal(testbed_call(bed, SYS_close, 1), 0);
	assert_int_equal(testbed_finish(b), 0);
	assert_int_equal(call3(a, SYS_flock, 0, 3, NULL), -EINVAL);
}

static void refuses_what_makes_no_sense(void **state)
{
	struct testbed *bed = *state;
	struct task *a = pair(bed);

	assert_int_equal(setlk(a, F_SETLK, 0, 7, 0, 0), -EINVAL);
	assert_int_equal(setlk(a, F_SETLK, 0, F_RDLCK, -1, 0), -EINVAL);
	assert_int_equal(setlk(a, F_SETLK, 0, F_RDLCK, 5, -6), -EINVAL);
	assert_int_equal(setlk(a, F_SETLK, 0, F_RDLCK, 5, -5), 0);
	assert_int_equal(setlk(a, F_SETLK, 0, F_RDLCK, INT64_MAX, 2),
	                 -EOVERFLOW);
	bed->task = a;
	assert_int_equal(testbed_call(bed, SYS_open, "/f", O_RDONLY), 1);
	assert_int_equal(setlk(a, F_SETLK, 1, F_WRLCK, 0, 0), -EBADF);
	assert_int_equal(call3(a, SYS_fcntl, 0, F_SETLK, (void *)16), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(owners_keep_each_other_out),
		TESTBED(locks_are_cut_and_merged),
		TESTBED(closing_any_descriptor_lets_go),
		TESTBED(a_waiter_gets_its_turn),
		TESTBED(a_circle_of_waiters_is_refused),
		TESTBED(a_waiter_that_dies_leaves_nothing),
		TESTBED(descriptions_own_the_other_kinds),
		TESTBED(refuses_what_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
