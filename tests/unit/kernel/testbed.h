/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel without cells to try handlers on: process 1, and one process with
 * one task, whose guest memory is the test's own.
 *
 *	static void opens(void **state)
 *	{
 *		struct testbed *bed = *state;
 *		long fd = testbed_call(bed, SYS_eventfd2, 0, 0);
 *
 *		assert_true(fd >= 0);
 *	}
 *	...
 *	const struct CMUnitTest tests[] = {
 *		TESTBED(opens),
 *
 * A call that waits gives -EWAIT.  When the test has done what the task waits
 * for, testbed_finish() gives the result.
 */
#pragma once

#include "cmocka_all.h"
#include "kernel/fs/path.h"
#include "kernel/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/process.h"
#include "kernel/task/signal.h"

struct testbed {
	struct kernel kernel;
	struct task *task;       /* who calls; a test may put others here */
	struct process *process; /* of the first task */
	struct path root;        /* a tmpfs */
	struct task *made[256];  /* all tasks of the bed, with a reference */
	size_t made_count;
};

/* One test with a bed of its own, whose task is root's. */
#define TESTBED(f) \
	cmocka_unit_test_setup_teardown(f, testbed_setup, testbed_teardown)
int testbed_setup(void **state);
int testbed_teardown(void **state);

/* The same without cmocka; the task's user is `uid`. */
struct testbed *testbed_create(uint32_t uid);
void testbed_destroy(struct testbed *bed);

/* A guest's descriptor for one of the host's, which is taken over. */
int testbed_stream(struct testbed *bed, int host);

/* Runs a call (or an operation) of bed->task; missing arguments are zero. */
#define testbed_call(...) TESTBED_7(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define TESTBED_7(bed, nr, a, b, c, d, e, f, ...)                     \
	testbed_run((bed)->task, nr,                                  \
	            (const uint64_t[6]){(uint64_t)(a), (uint64_t)(b), \
	                                (uint64_t)(c), (uint64_t)(d), \
	                                (uint64_t)(e), (uint64_t)(f)})
long testbed_run(struct task *t, uint32_t nr, const uint64_t arg[6]);

/*
 * Lets the loop and all READY tasks run.  The result of the task's call, or
 * -EWAIT if it still waits.  testbed_wait() gives timers and helper threads
 * the time they need, at most some seconds.
 */
long testbed_finish(struct task *t);
long testbed_wait(struct task *t);

/* Action of the last answer. */
enum slot_action testbed_action(const struct task *t);

/*
 * A child process / a thread of `t`, as fork(2) and pthread_create(3) make
 * them, with a slot.  Borrowed: the bed keeps the reference.
 */
struct task *testbed_fork(struct testbed *bed, struct task *t);
struct task *testbed_thread(struct testbed *bed, struct task *t);
struct task *testbed_clone(struct testbed *bed, struct task *t, uint64_t flags);

/* The task's blocked set. */
void testbed_block(struct task *t, uint64_t set);

/* Changes the ids of bed->task to those of a user. */
void testbed_become(struct testbed *bed, uint32_t uid);
