/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/ops.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

#define THREAD \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static void every_row_has_a_name_and_a_handler(void **state)
{
	(void)state;
#define OP(number, name, what)                           \
	assert_string_equal(ops_name(OP_##name), #name); \
	assert_int_equal(OP_##name, number);
#include "channel/ops.def"
	assert_null(ops_name(OPS_FIRST - 1));
	assert_null(ops_name(OPS_FIRST + 1000));
}

static void unknown_operations_are_refused(void **state)
{
	struct testbed *bed = *state;

	assert_int_equal(testbed_call(bed, OPS_FIRST + 1000), -ENOSYS);
	assert_int_equal(testbed_call(bed, UINT32_MAX), -ENOSYS);
	assert_int_equal(testbed_call(bed, OP_fetched), -EINVAL);
}

static void a_fork_makes_a_child_that_can_be_forgotten(void **state)
{
	struct testbed *bed = *state;
	long pid = testbed_call(bed, OP_fork, SIGCHLD, 0, 0, 0, 0, SIGCHLD);
	struct process *p = process_find(&bed->kernel, (int32_t)pid);

	assert_true(pid > 0);
	assert_non_null(p);
	assert_ptr_equal(p->parent, bed->process);
	assert_int_equal(testbed_call(bed, OP_fork_fail, pid), 0);
	assert_null(process_find(&bed->kernel, (int32_t)pid));
	assert_int_equal(testbed_call(bed, SYS_wait4, -1), -ECHILD);
	assert_int_equal(testbed_call(bed, OP_fork_fail, pid), -EINVAL);
}

static void nobody_forgets_what_is_not_theirs_or_runs(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	struct task *grandchild = testbed_fork(bed, child);

	assert_int_equal(
		testbed_call(bed, OP_fork_fail, grandchild->process->pid),
		-EINVAL);
	assert_int_equal(testbed_call(bed, OP_thread_fail, bed->task->tid),
	                 -EINVAL);
	(void)testbed_run(child, SYS_getppid, (uint64_t[6]){0});
	assert_int_equal(testbed_call(bed, OP_fork_fail, child->process->pid),
	                 -EINVAL);
}

static void threads_are_made_in_their_process(void **state)
{
	struct testbed *bed = *state;
	long tid = testbed_call(bed, OP_thread, THREAD);

	assert_true(tid > 0);
	assert_ptr_equal(task_find(&bed->kernel, (int32_t)tid)->process,
	                 bed->process);
	assert_int_equal(testbed_call(bed, OP_thread_fail, tid), 0);
	assert_int_equal(bed->process->task_count, 1);
}

static void flags_choose_the_operation(void **state)
{
	struct testbed *bed = *state;

	assert_int_equal(testbed_call(bed, OP_fork, CLONE_VM), -EINVAL);
	assert_int_equal(testbed_call(bed, OP_thread, CLONE_VM), -EINVAL);
	assert_int_equal(testbed_call(bed, OP_vfork, THREAD), -EINVAL);
	assert_int_equal(testbed_call(bed, OP_fork, CLONE_NEWPID), -EINVAL);
}

static void a_vfork_child_ends_and_its_parent_goes_on(void **state)
{
	struct testbed *bed = *state;
	long pid = testbed_call(bed, OP_vfork, CLONE_VM | CLONE_VFORK, SIGCHLD);

	assert_true(pid > 0);
	assert_int_equal(testbed_call(bed, OP_vfork_wait, pid), -EWAIT);
	/* No signal cuts that short. */
	signal_interrupt(bed->task);
	assert_int_equal(testbed_finish(bed->task), -EWAIT);
	process_kill(process_find(&bed->kernel, (int32_t)pid), SIGKILL);
	assert_int_equal(testbed_finish(bed->task), 0);
	assert_int_equal(testbed_call(bed, OP_vfork_wait, pid), 0);
	assert_int_equal(testbed_call(bed, OP_vfork_wait, 1), 0);
}

static void a_pidfd_comes_with_the_child(void **state)
{
	struct testbed *bed = *state;
	int32_t fd = -1;
	long pid = testbed_call(bed, OP_fork, CLONE_PIDFD | SIGCHLD, 0, &fd, 0,
	                        0, SIGCHLD);
	abi_pollfd poll = {.events = 1};

	assert_true(pid > 0);
	assert_true(fd >= 0);
	poll.fd = fd;
	assert_int_equal(testbed_call(bed, SYS_poll, &poll, 1, 0), 0);
	assert_int_equal(testbed_call(bed, SYS_pidfd_send_signal, fd, SIGKILL),
	                 0);
	assert_int_equal(testbed_call(bed, SYS_poll, &poll, 1, 0), 1);
	assert_int_equal(testbed_call(bed, SYS_wait4, pid), pid);
	assert_int_equal(testbed_call(bed, SYS_pidfd_send_signal, fd, 0),
	                 -ESRCH);
	assert_int_equal(testbed_call(bed, SYS_close, fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_has_a_name_and_a_handler),
		TESTBED(unknown_operations_are_refused),
		TESTBED(a_fork_makes_a_child_that_can_be_forgotten),
		TESTBED(nobody_forgets_what_is_not_theirs_or_runs),
		TESTBED(threads_are_made_in_their_process),
		TESTBED(flags_choose_the_operation),
		TESTBED(a_vfork_child_ends_and_its_parent_goes_on),
		TESTBED(a_pidfd_comes_with_the_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
