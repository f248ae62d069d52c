/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/signal.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "kernel/ops.h"
#include "kernel/testbed.h"

#define HANDLER 0x1000u
#define RT      40

static void act(struct testbed *bed, int sig, uint64_t handler, uint64_t flags)
{
	const abi_sigaction a = {.handler = handler, .flags = flags};

	assert_int_equal(testbed_call(bed, SYS_rt_sigaction, sig, &a, NULL, 8),
	                 0);
}

static long order(struct testbed *bed, struct sigorder *o)
{
	long sig = testbed_call(bed, OP_signal);

	memcpy(o, (uint8_t *)bed->task->slot + CHANNEL_DATA, sizeof(*o));
	return sig;
}

static long send(struct testbed *bed, int sig)
{
	return testbed_call(bed, SYS_kill, bed->process->pid, sig);
}

static long queue(struct testbed *bed, int sig, uint64_t value)
{
	abi_siginfo info = {.code = SI_QUEUE, .value = value};

	return testbed_call(bed, SYS_rt_sigqueueinfo, bed->process->pid, sig,
	                    &info);
}

static bool asked(const struct testbed *bed)
{
	return atomic_load(&bed->task->slot->attention) != 0;
}

static void a_handler_is_ordered_once(void **state)
{
	struct testbed *bed = *state;
	struct sigorder o;
	abi_siginfo info;

	act(bed, SIGUSR1, HANDLER, 0);
	assert_int_equal(send(bed, SIGUSR1), 0);
	assert_true(asked(bed));
	assert_int_equal(order(bed, &o), SIGUSR1);
	assert_int_equal(o.handler, HANDLER);
	assert_int_equal(o.add_mask, SIGNAL_BIT(SIGUSR1));
	memcpy(&info, o.info, sizeof(info));
	assert_int_equal(info.signo, SIGUSR1);
	assert_int_equal(info.pid, bed->process->pid);
	assert_false(asked(bed));
	assert_int_equal(order(bed, &o), 0);
}

static void faults_go_first_then_the_lowest(void **state)
{
	struct testbed *bed = *state;
	static const int sent[] = {SIGTERM, SIGHUP, SIGSEGV, RT, SIGUSR1};
	static const int want[] = {SIGSEGV, SIGHUP, SIGUSR1, SIGTERM, RT};
	struct sigorder o;

	for (size_t i = 0; i < ARRAY_LEN(sent); i++)
		act(bed, sent[i], HANDLER, 0);
	testbed_block(bed->task, ~0ull);
	for (size_t i = 0; i < ARRAY_LEN(sent); i++)
		assert_int_equal(send(bed, sent[i]), 0);
	assert_int_equal(order(bed, &o), 0);
	testbed_block(bed->task, 0);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(order(bed, &o), want[i]);
}

static void standard_signals_merge_and_real_time_ones_queue(void **state)
{
	struct testbed *bed = *state;
	abi_siginfo info;
	struct sigorder o;

	act(bed, SIGUSR1, HANDLER, 0);
	act(bed, RT, HANDLER, 0);
	testbed_block(bed->task, ~0ull);
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(queue(bed, SIGUSR1, i), 0);
		assert_int_equal(queue(bed, RT, i), 0);
	}
	testbed_block(bed->task, 0);
	assert_int_equal(order(bed, &o), SIGUSR1);
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(order(bed, &o), RT);
		memcpy(&info, o.info, sizeof(info));
		assert_int_equal(info.value, i);
	}
	assert_int_equal(order(bed, &o), 0);
}

static void a_full_queue_refuses_real_time_signals(void **state)
{
	struct testbed *bed = *state;

	act(bed, RT, HANDLER, 0);
	act(bed, SIGUSR1, HANDLER, 0);
	testbed_block(bed->task, ~0ull);
	bed->process->rlimit[RLIMIT_SIGPENDING].cur = 1;
	assert_int_equal(queue(bed, RT, 1), 0);
	assert_int_equal(queue(bed, RT, 2), -EAGAIN);
	assert_int_equal(send(bed, SIGUSR1), 0);
	assert_true(signal_pending(bed->task) & SIGNAL_BIT(SIGUSR1));
}

static void ignored_signals_vanish(void **state)
{
	struct testbed *bed = *state;

	act(bed, SIGUSR1, 1, 0);
	assert_int_equal(send(bed, SIGUSR1), 0);
	assert_int_equal(send(bed, SIGWINCH), 0);
	assert_int_equal(signal_pending(bed->task), 0);
	/* What is blocked waits; ignoring it then drops it. */
	testbed_block(bed->task, SIGNAL_BIT(SIGUSR2));
	assert_int_equal(send(bed, SIGUSR2), 0);
	assert_int_not_equal(signal_pending(bed->task), 0);
	act(bed, SIGUSR2, 1, 0);
	assert_int_equal(signal_pending(bed->task), 0);
}

static void fatal_signals_end_the_process(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);

	assert_int_equal(
		testbed_call(bed, SYS_kill, child->process->pid, SIGTERM), 0);
	assert_true(child->process->zombie);
	assert_int_equal(child->process->status, SIGTERM);
	assert_int_equal(send(bed, SIGKILL), -ENOANSWER);
	assert_true(bed->task->state == TASK_DEAD);
}

static void a_blocked_fatal_signal_waits(void **state)
{
	struct testbed *bed = *state;

	testbed_block(bed->task, SIGNAL_BIT(SIGTERM));
	assert_int_equal(send(bed, SIGTERM), 0);
	testbed_block(bed->task, 0);
	assert_true(asked(bed));
	assert_int_equal(testbed_call(bed, OP_signal), -ENOANSWER);
	assert_int_equal(bed->process->status, SIGTERM);
}

static void flags_of_the_action_are_obeyed(void **state)
{
	struct testbed *bed = *state;
	struct sigorder o;

	act(bed, SIGUSR1, HANDLER, SA_RESETHAND | SA_NODEFER);
	assert_int_equal(send(bed, SIGUSR1), 0);
	assert_int_equal(order(bed, &o), SIGUSR1);
	assert_int_equal(o.add_mask, 0);
	assert_int_equal(bed->task->sighand->action[SIGUSR1].handler, 0);
}

static void suspended_mask_goes_into_the_frame(void **state)
{
	struct testbed *bed = *state;
	uint64_t during = SIGNAL_BIT(SIGHUP);
	uint64_t before = SIGNAL_BIT(SIGUSR1);
	struct sigorder o;

	act(bed, SIGUSR1, HANDLER, 0);
	testbed_block(bed->task, before);
	assert_int_equal(testbed_call(bed, SYS_rt_sigsuspend, &during, 8),
	                 -EWAIT);
	assert_int_equal(signal_blocked(bed->task), during);
	assert_int_equal(signal_send_process(bed->process,
	                                     &(abi_siginfo){.signo = SIGUSR1}),
	                 0);
	assert_int_equal(testbed_finish(bed->task), -ERESTARTNOHAND);
	assert_int_equal(order(bed, &o), SIGUSR1);
	assert_int_equal(o.old_mask, before);
}

static void a_suspended_mask_comes_back_without_a_handler(void **state)
{
	struct testbed *bed = *state;
	uint64_t during = 0;
	uint64_t before = SIGNAL_BIT(SIGUSR1);
	struct sigorder o;

	act(bed, SIGUSR1, HANDLER, 0);
	testbed_block(bed->task, before);
	assert_int_equal(testbed_call(bed, SYS_rt_sigsuspend, &during, 8),
	                 -EWAIT);
	assert_int_equal(signal_send_process(bed->process,
	                                     &(abi_siginfo){.signo = SIGUSR1}),
	                 0);
	assert_int_equal(testbed_finish(bed->task), -ERESTARTNOHAND);
	/* Somebody else took it meanwhile. */
	signal_forget(bed->process, SIGUSR1);
	assert_int_equal(order(bed, &o), 0);
	assert_int_equal(signal_blocked(bed->task), before);
}

static void a_forced_signal_overrides_mask_and_ignoring(void **state)
{
	struct testbed *bed = *state;
	abi_siginfo *info = (void *)((uint8_t *)bed->task->slot + CHANNEL_DATA);

	act(bed, SIGSEGV, HANDLER, 0);
	testbed_block(bed->task, SIGNAL_BIT(SIGSEGV));
	info->signo = SIGSEGV;
	info->code = SEGV_MAPERR;
	assert_int_equal(testbed_call(bed, OP_fault, SIGSEGV), -ENOANSWER);
	assert_int_equal(bed->process->status, SIGSEGV);
}

static void a_thread_that_does_not_block_takes_it(void **state)
{
	struct testbed *bed = *state;
	struct task *thread = testbed_thread(bed, bed->task);

	act(bed, SIGUSR1, HANDLER, 0);
	testbed_block(bed->task, SIGNAL_BIT(SIGUSR1));
	assert_int_equal(send(bed, SIGUSR1), 0);
	assert_false(asked(bed));
	assert_int_not_equal(atomic_load(&thread->slot->attention), 0);
}

static void a_stop_withholds_answers_until_it_ends(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	int32_t pid = child->process->pid;

	assert_int_equal(testbed_call(bed, SYS_kill, pid, SIGSTOP), 0);
	assert_true(child->process->stopped);
	assert_int_equal(testbed_run(child, SYS_getppid, (uint64_t[6]){0}),
	                 -EWAIT);
	assert_int_equal(testbed_call(bed, SYS_kill, pid, SIGCONT), 0);
	assert_false(child->process->stopped);
	assert_int_equal(testbed_finish(child), bed->process->pid);
}

static void a_stopped_process_can_be_killed(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);

	assert_int_equal(
		testbed_call(bed, SYS_kill, child->process->pid, SIGSTOP), 0);
	assert_int_equal(
		testbed_call(bed, SYS_kill, child->process->pid, SIGKILL), 0);
	assert_true(child->process->zombie);
}

static void permission_is_by_user(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	int32_t pid = child->process->pid;

	testbed_become(bed, 1000);
	assert_int_equal(testbed_call(bed, SYS_kill, pid, SIGTERM), -EPERM);
	assert_int_equal(testbed_call(bed, SYS_kill, pid, 0), -EPERM);
	/* In one session, SIGCONT always passes. */
	assert_int_equal(testbed_call(bed, SYS_kill, pid, SIGCONT), 0);
	assert_int_equal(testbed_call(bed, SYS_kill, 9999, 0), -ESRCH);
	assert_int_equal(testbed_call(bed, SYS_kill, 1, SIGKILL), -EPERM);
	assert_int_equal(testbed_call(bed, SYS_kill, pid, 65), -EINVAL);
}

static void nobody_pretends_to_be_the_kernel(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	abi_siginfo info = {.code = SI_KERNEL};

	assert_int_equal(testbed_call(bed, SYS_rt_sigqueueinfo,
	                              child->process->pid, SIGUSR1, &info),
	                 -EPERM);
	info.code = SI_TKILL;
	assert_int_equal(testbed_call(bed, SYS_rt_sigqueueinfo,
	                              child->process->pid, SIGUSR1, &info),
	                 -EPERM);
}

static void a_wait_takes_a_signal_of_its_set(void **state)
{
	struct testbed *bed = *state;
	uint64_t set = SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(RT);
	const abi_timespec now = {0, 0};
	abi_siginfo info = {.signo = RT, .code = SI_QUEUE, .value = 9};
	abi_siginfo got = {0};

	testbed_block(bed->task, set);
	assert_int_equal(
		testbed_call(bed, SYS_rt_sigtimedwait, &set, &got, &now, 8),
		-EAGAIN);
	assert_int_equal(
		testbed_call(bed, SYS_rt_sigtimedwait, &set, &got, 0, 8),
		-EWAIT);
	assert_int_equal(signal_send_process(bed->process, &info), 0);
	assert_int_equal(testbed_finish(bed->task), RT);
	assert_int_equal(got.value, 9);
}

static void a_wait_is_interrupted_by_others(void **state)
{
	struct testbed *bed = *state;
	uint64_t set = SIGNAL_BIT(SIGUSR1);
	abi_siginfo info = {.signo = SIGUSR2};

	act(bed, SIGUSR2, HANDLER, 0);
	testbed_block(bed->task, set);
	assert_int_equal(testbed_call(bed, SYS_rt_sigtimedwait, &set, 0, 0, 8),
	                 -EWAIT);
	assert_int_equal(signal_send_process(bed->process, &info), 0);
	assert_int_equal(testbed_finish(bed->task), -EINTR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(a_handler_is_ordered_once),
		TESTBED(faults_go_first_then_the_lowest),
		TESTBED(standard_signals_merge_and_real_time_ones_queue),
		TESTBED(a_full_queue_refuses_real_time_signals),
		TESTBED(ignored_signals_vanish),
		TESTBED(fatal_signals_end_the_process),
		TESTBED(a_blocked_fatal_signal_waits),
		TESTBED(flags_of_the_action_are_obeyed),
		TESTBED(suspended_mask_goes_into_the_frame),
		TESTBED(a_suspended_mask_comes_back_without_a_handler),
		TESTBED(a_forced_signal_overrides_mask_and_ignoring),
		TESTBED(a_thread_that_does_not_block_takes_it),
		TESTBED(a_stop_withholds_answers_until_it_ends),
		TESTBED(a_stopped_process_can_be_killed),
		TESTBED(permission_is_by_user),
		TESTBED(nobody_pretends_to_be_the_kernel),
		TESTBED(a_wait_takes_a_signal_of_its_set),
		TESTBED(a_wait_is_interrupted_by_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
