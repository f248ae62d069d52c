/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/task.h"

#include <sched.h>
#include <signal.h>

#include "kernel/task/pid.h"
#include "kernel/testbed.h"

static void a_child_gets_the_next_number_and_its_group(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);

	assert_int_equal(bed->process->pid, 2);
	assert_int_equal(child->process->pid, 3);
	assert_int_equal(child->tid, 3);
	assert_ptr_equal(child->process->parent, bed->process);
	assert_ptr_equal(child->process->pgrp, bed->process->pgrp);
	assert_ptr_equal(task_find(&bed->kernel, 3), child);
	assert_ptr_equal(process_find(&bed->kernel, 3), child->process);
}

static void a_thread_shares_its_process(void **state)
{
	struct testbed *bed = *state;
	struct task *thread = testbed_thread(bed, bed->task);

	assert_ptr_equal(thread->process, bed->process);
	assert_ptr_equal(thread->fds, bed->task->fds);
	assert_ptr_equal(thread->sighand, bed->task->sighand);
	assert_int_equal(bed->process->task_count, 2);
	task_exit(thread, 0);
	assert_int_equal(bed->process->task_count, 1);
	assert_null(task_find(&bed->kernel, thread->tid));
	assert_false(bed->process->zombie);
}

static void a_process_ends_with_its_last_task(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	struct task *thread = testbed_thread(bed, child);
	struct process *p = child->process;

	task_exit(child, 3 << 8);
	assert_false(p->zombie);
	task_exit(thread, 5 << 8);
	assert_true(p->zombie);
	assert_int_equal(p->status, 5 << 8);
	assert_ptr_equal(process_find(&bed->kernel, p->pid), p);
}

static void a_discarded_task_leaves_no_trace(void **state)
{
	struct testbed *bed = *state;
	const struct task_clone how = {0, SIGCHLD};
	uint64_t before = bed->kernel.limits.memory_used;
	struct task *child;

	assert_int_equal(task_clone(bed->task, &how, &child), 0);
	task_discard(child);
	assert_null(process_find(&bed->kernel, 3));
	assert_int_equal(bed->kernel.limits.tasks_used, 1);
	assert_int_equal(bed->kernel.limits.memory_used, before);
	assert_true(list_empty(&bed->process->children));
}

static const struct {
	const char *why;
	uint64_t flags;
} refused[] = {
	{"a thread has the handlers of its process", CLONE_THREAD},
	{"handlers are shared with memory only", CLONE_SIGHAND},
	{"no user namespaces", CLONE_NEWUSER},
	{"no mount namespaces", CLONE_NEWNS},
	{"shared handlers cannot be cleared",
         CLONE_VM | CLONE_SIGHAND | 0x100000000ull},
};

static void flags_must_go_together(void **state)
{
	struct testbed *bed = *state;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		const struct task_clone how = {refused[i].flags, SIGCHLD};
		struct task *child;

		if (task_clone(bed->task, &how, &child) != -EINVAL)
			fail_msg("%s", refused[i].why);
	}
}

static void the_number_of_tasks_is_limited(void **state)
{
	struct testbed *bed = *state;
	const struct task_clone how = {0, SIGCHLD};
	struct task *child;

	bed->kernel.limits.tasks = 1;
	assert_int_equal(task_clone(bed->task, &how, &child), -EAGAIN);
}

static void numbers_wrap_and_skip_what_is_taken(void **state)
{
	struct testbed *bed = *state;
	struct task *a;
	struct task *b;

	bed->kernel.pids->last = PID_MAX - 2;
	a = testbed_fork(bed, bed->task);
	b = testbed_fork(bed, bed->task);
	assert_int_equal(a->tid, PID_MAX - 1);
	assert_int_equal(b->tid, PID_AGAIN);
	bed->kernel.pids->last = PID_MAX - 2;
	assert_int_equal(testbed_fork(bed, bed->task)->tid, PID_AGAIN + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(a_child_gets_the_next_number_and_its_group),
		TESTBED(a_thread_shares_its_process),
		TESTBED(a_process_ends_with_its_last_task),
		TESTBED(a_discarded_task_leaves_no_trace),
		TESTBED(flags_must_go_together),
		TESTBED(the_number_of_tasks_is_limited),
		TESTBED(numbers_wrap_and_skip_what_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
