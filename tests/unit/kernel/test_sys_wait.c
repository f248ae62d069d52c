/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/wait.h>
#include <signal.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

static void send(struct process *p, int sig)
{
	const abi_siginfo info = {.signo = sig};

	assert_int_equal(signal_send_process(p, &info), 0);
}

static void without_children_there_is_nothing_to_wait_for(void **state)
{
	struct testbed *bed = *state;

	assert_int_equal(testbed_call(bed, SYS_wait4, -1, 0, 0, 0), -ECHILD);
	assert_int_equal(testbed_call(bed, SYS_waitid, P_ALL, 0, 0, WEXITED),
	                 -ECHILD);
}

static void an_end_is_reported_once(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	int32_t pid = child->process->pid;
	uint32_t status = 0;

	assert_int_equal(testbed_call(bed, SYS_wait4, -1, &status, WNOHANG, 0),
	                 0);
	assert_int_equal(testbed_call(bed, SYS_wait4, -1, &status, 0, 0),
	                 -EWAIT);
	(void)testbed_run(child, SYS_exit_group, (uint64_t[6]){300});
	assert_int_equal(testbed_finish(bed->task), pid);
	assert_int_equal(status, 300 % 256 << 8);
	assert_int_equal(testbed_call(bed, SYS_wait4, -1, 0, 0, 0), -ECHILD);
	assert_null(process_find(&bed->kernel, pid));
}

static void a_killed_child_says_by_what(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	abi_siginfo info = {0};

	send(child->process, SIGTERM);
	assert_int_equal(testbed_call(bed, SYS_waitid, P_PID,
	                              child->process->pid, &info,
	                              WEXITED | WNOWAIT),
	                 0);
	assert_int_equal(info.code, CLD_KILLED);
	assert_int_equal(info.status, SIGTERM);
	assert_int_equal(info.pid, child->process->pid);
	/* WNOWAIT left it there. */
	assert_int_equal(
		testbed_call(bed, SYS_wait4, child->process->pid, 0, 0, 0),
		child->process->pid);
}

static void children_are_chosen_by_number_and_group(void **state)
{
	struct testbed *bed = *state;
	struct task *a = testbed_fork(bed, bed->task);
	struct task *b = testbed_fork(bed, bed->task);
	int32_t pid = b->process->pid;

	assert_int_equal(testbed_call(bed, SYS_setpgid, pid, 0), 0);
	send(a->process, SIGKILL);
	assert_int_equal(testbed_call(bed, SYS_wait4, pid, 0, WNOHANG, 0), 0);
	assert_int_equal(testbed_call(bed, SYS_wait4, -pid, 0, WNOHANG, 0), 0);
	assert_int_equal(testbed_call(bed, SYS_wait4, 9999, 0, 0, 0), -ECHILD);
	assert_int_equal(testbed_call(bed, SYS_wait4, 0, 0, WNOHANG, 0),
	                 a->process->pid);
	send(b->process, SIGKILL);
	assert_int_equal(testbed_call(bed, SYS_wait4, -pid, 0, 0, 0), pid);
}

static void stops_and_continues_are_told_when_asked_for(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	int32_t pid = child->process->pid;
	uint32_t status = 0;

	send(child->process, SIGSTOP);
	assert_int_equal(testbed_call(bed, SYS_wait4, pid, 0, WNOHANG, 0), 0);
	assert_int_equal(
		testbed_call(bed, SYS_wait4, pid, &status, WUNTRACED, 0), pid);
	assert_int_equal(status, SIGSTOP << 8 | 0x7f);
	assert_int_equal(
		testbed_call(bed, SYS_wait4, pid, 0, WUNTRACED | WNOHANG, 0),
		0);
	send(child->process, SIGCONT);
	assert_int_equal(
		testbed_call(bed, SYS_wait4, pid, &status, WCONTINUED, 0), pid);
	assert_int_equal(status, 0xffff);
	assert_int_equal(
		testbed_call(bed, SYS_wait4, pid, 0, WCONTINUED | WNOHANG, 0),
		0);
}

static void ignoring_sigchld_reaps_at_once(void **state)
{
	struct testbed *bed = *state;
	const abi_sigaction ignore = {.handler = 1};
	struct task *child = testbed_fork(bed, bed->task);
	int32_t pid = child->process->pid;

	assert_int_equal(
		testbed_call(bed, SYS_rt_sigaction, SIGCHLD, &ignore, 0, 8), 0);
	assert_int_equal(testbed_call(bed, SYS_wait4, -1, 0, 0, 0), -EWAIT);
	send(child->process, SIGKILL);
	assert_int_equal(testbed_finish(bed->task), -ECHILD);
	assert_null(process_find(&bed->kernel, pid));
}

static void other_exit_signals_need_their_option(void **state)
{
	struct testbed *bed = *state;
	const struct task_clone how = {.exit_signal = 0};
	struct task *child;

	assert_int_equal(task_clone(bed->task, &how, &child), 0);
	process_kill(child->process, SIGKILL);
	assert_int_equal(testbed_call(bed, SYS_wait4, -1, 0, 0, 0), -ECHILD);
	assert_int_equal(testbed_call(bed, SYS_wait4, -1, 0, __WCLONE, 0),
	                 child->process->pid);
	task_put(child);
}

static void orphans_go_to_process_1_or_a_subreaper(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	struct task *grandchild = testbed_fork(bed, child);
	int32_t pid = grandchild->process->pid;

	process_kill(child->process, SIGKILL);
	assert_ptr_equal(grandchild->process->parent, bed->kernel.init);
	process_kill(grandchild->process, SIGKILL);
	assert_null(process_find(&bed->kernel, pid));

	bed->process->subreaper = true;
	child = testbed_fork(bed, bed->task);
	grandchild = testbed_fork(bed, child);
	process_kill(child->process, SIGKILL);
	assert_ptr_equal(grandchild->process->parent, bed->process);
}

static void options_that_do_not_exist_are_refused(void **state)
{
	struct testbed *bed = *state;

	assert_int_equal(testbed_call(bed, SYS_wait4, -1, 0, 0x100, 0),
	                 -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_waitid, P_ALL, 0, 0, 0),
	                 -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_waitid, 9, 0, 0, WEXITED),
	                 -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_wait4, INT32_MIN, 0, 0, 0),
	                 -ESRCH);
}

static void a_signal_interrupts_the_wait(void **state)
{
	struct testbed *bed = *state;
	const abi_sigaction act = {.handler = 0x1000};

	(void)testbed_fork(bed, bed->task);
	assert_int_equal(
		testbed_call(bed, SYS_rt_sigaction, SIGUSR1, &act, 0, 8), 0);
	assert_int_equal(testbed_call(bed, SYS_wait4, -1, 0, 0, 0), -EWAIT);
	send(bed->process, SIGUSR1);
	assert_int_equal(testbed_finish(bed->task), -ERESTARTSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(without_children_there_is_nothing_to_wait_for),
		TESTBED(an_end_is_reported_once),
		TESTBED(a_killed_child_says_by_what),
		TESTBED(children_are_chosen_by_number_and_group),
		TESTBED(stops_and_continues_are_told_when_asked_for),
		TESTBED(ignoring_sigchld_reaps_at_once),
		TESTBED(other_exit_signals_need_their_option),
		TESTBED(orphans_go_to_process_1_or_a_subreaper),
		TESTBED(options_that_do_not_exist_are_refused),
		TESTBED(a_signal_interrupts_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
