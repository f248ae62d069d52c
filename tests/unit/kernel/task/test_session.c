/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/session.h"

#include <signal.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

#define RUN(t, nr, ...) testbed_run(t, nr, (uint64_t[6]){__VA_ARGS__})

static void a_leader_cannot_start_another_session(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	int32_t pid = child->process->pid;

	assert_int_equal(testbed_call(bed, SYS_setsid), -EPERM);
	assert_int_equal(RUN(child, SYS_setsid), pid);
	assert_int_equal(RUN(child, SYS_getsid), pid);
	assert_int_equal(RUN(child, SYS_getpgrp), pid);
	assert_int_equal(testbed_call(bed, SYS_getsid, pid), pid);
	assert_int_equal(RUN(child, SYS_setsid), -EPERM);
	assert_int_equal(RUN(child, SYS_setpgid), -EPERM);
}

static void groups_are_joined_within_a_session(void **state)
{
	struct testbed *bed = *state;
	struct task *a = testbed_fork(bed, bed->task);
	struct task *b = testbed_fork(bed, bed->task);
	struct task *other = testbed_fork(bed, bed->task);
	int32_t pid = a->process->pid;

	assert_int_equal(testbed_call(bed, SYS_setpgid, b->process->pid, pid),
	                 -EPERM);
	assert_int_equal(testbed_call(bed, SYS_setpgid, pid, pid), 0);
	assert_int_equal(testbed_call(bed, SYS_setpgid, b->process->pid, pid),
	                 0);
	assert_int_equal(RUN(b, SYS_getpgrp), pid);
	assert_int_equal(RUN(other, SYS_setsid), other->process->pid);
	assert_int_equal(RUN(b, SYS_setpgid, 0, (uint64_t)other->process->pid),
	                 -EPERM);
	assert_int_equal(testbed_call(bed, SYS_setpgid, other->process->pid, 0),
	                 -EPERM);
	assert_int_equal(RUN(a, SYS_setpgid, (uint64_t)b->process->pid, 0),
	                 -ESRCH);
	b->process->execed = true;
	assert_int_equal(testbed_call(bed, SYS_setpgid, b->process->pid, 0),
	                 -EACCES);
	assert_int_equal(testbed_call(bed, SYS_setpgid, pid, -1), -EINVAL);
}

static void a_group_lives_as_long_as_its_zombies(void **state)
{
	struct testbed *bed = *state;
	struct task *a = testbed_fork(bed, bed->task);
	int32_t pid = a->process->pid;

	assert_int_equal(testbed_call(bed, SYS_setpgid, pid, 0), 0);
	process_kill(a->process, SIGKILL);
	assert_non_null(process_group_find(&bed->kernel, pid));
	assert_int_equal(testbed_call(bed, SYS_wait4, pid), pid);
	assert_null(process_group_find(&bed->kernel, pid));
}

static void an_orphaned_stopped_group_is_hung_up(void **state)
{
	struct testbed *bed = *state;
	struct task *shell = testbed_fork(bed, bed->task);
	struct task *job;
	const abi_siginfo tstp = {.signo = SIGTSTP};

	assert_int_equal(RUN(shell, SYS_setsid), shell->process->pid);
	job = testbed_fork(bed, shell);
	assert_int_equal(RUN(job, SYS_setpgid), 0);
	assert_int_equal(signal_send_process(job->process, &tstp), 0);
	assert_true(job->process->stopped);
	/* Its parent, outside the group, goes: SIGHUP, and it has no handler. */
	process_kill(shell->process, SIGKILL);
	assert_true(job->process->zombie);
	assert_int_equal(job->process->status, SIGHUP);
}

static void an_orphaned_running_group_is_left_alone(void **state)
{
	struct testbed *bed = *state;
	struct task *shell = testbed_fork(bed, bed->task);
	struct task *job;
	const abi_siginfo tstp = {.signo = SIGTSTP};

	assert_int_equal(RUN(shell, SYS_setsid), shell->process->pid);
	job = testbed_fork(bed, shell);
	assert_int_equal(RUN(job, SYS_setpgid), 0);
	process_kill(shell->process, SIGKILL);
	assert_false(job->process->zombie);
	/* Nobody could make it go on: a stop from the keyboard is dropped. */
	assert_int_equal(signal_send_process(job->process, &tstp), 0);
	assert_false(job->process->stopped);
}

static void a_signal_reaches_the_whole_group(void **state)
{
	struct testbed *bed = *state;
	struct task *leader = testbed_fork(bed, bed->task);
	struct task *member;
	int32_t pgid = leader->process->pid;

	assert_int_equal(RUN(leader, SYS_setpgid), 0);
	member = testbed_fork(bed, leader);
	assert_int_equal(testbed_call(bed, SYS_kill, -pgid, SIGTERM), 0);
	assert_true(leader->process->zombie);
	assert_true(member->process->zombie);
	assert_false(bed->process->zombie);
	assert_int_equal(testbed_call(bed, SYS_kill, -9999, SIGTERM), -ESRCH);
}

static int released;

static void release(struct session *s)
{
	released++;
	s->tty = NULL;
}

static void the_terminal_is_released_with_the_leader(void **state)
{
	struct testbed *bed = *state;
	struct task *shell = testbed_fork(bed, bed->task);
	struct session *s;

	assert_int_equal(RUN(shell, SYS_setsid), shell->process->pid);
	s = shell->process->pgrp->session;
	s->tty = (struct tty *)bed;
	s->release_tty = release;
	released = 0;
	process_kill(shell->process, SIGKILL);
	assert_int_equal(released, 1);
	assert_null(s->leader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(a_leader_cannot_start_another_session),
		TESTBED(groups_are_joined_within_a_session),
		TESTBED(a_group_lives_as_long_as_its_zombies),
		TESTBED(an_orphaned_stopped_group_is_hung_up),
		TESTBED(an_orphaned_running_group_is_left_alone),
		TESTBED(a_signal_reaches_the_whole_group),
		TESTBED(the_terminal_is_released_with_the_leader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
