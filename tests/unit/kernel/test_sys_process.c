/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

#define PRCTL(...) testbed_call(bed, SYS_prctl, __VA_ARGS__)

static void names_are_cut_to_fifteen(void **state)
{
	struct testbed *bed = *state;
	char name[16];

	assert_int_equal(PRCTL(PR_SET_NAME, "a name that is too long"), 0);
	assert_int_equal(PRCTL(PR_GET_NAME, name), 0);
	assert_string_equal(name, "a name that is ");
}

static void options_without_meaning_are_refused(void **state)
{
	struct testbed *bed = *state;

	assert_int_equal(PRCTL(9999), -EINVAL);
	assert_int_equal(PRCTL(PR_SET_PDEATHSIG, 65), -EINVAL);
	assert_int_equal(PRCTL(PR_SET_NO_NEW_PRIVS, 1, 1), -EINVAL);
	assert_int_equal(PRCTL(PR_SET_NO_NEW_PRIVS, 0), -EINVAL);
	assert_int_equal(PRCTL(PR_SET_DUMPABLE, 2), -EINVAL);
	assert_int_equal(PRCTL(PR_CAPBSET_READ, 41), -EINVAL);
}

static void locked_securebits_stay(void **state)
{
	struct testbed *bed = *state;
	unsigned bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED;

	assert_int_equal(PRCTL(PR_SET_SECUREBITS, bits), 0);
	assert_int_equal(PRCTL(PR_SET_SECUREBITS, 0), -EPERM);
	assert_int_equal(PRCTL(PR_SET_SECUREBITS, SECBIT_NOROOT_LOCKED),
	                 -EPERM);
	assert_int_equal(PRCTL(PR_GET_SECUREBITS), bits);
}

static void ambient_needs_permitted_and_inheritable(void **state)
{
	struct testbed *bed = *state;

	assert_int_equal(PRCTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 5),
	                 -EPERM);
	assert_int_equal(PRCTL(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 5), 0);
	assert_int_equal(PRCTL(PR_CAP_AMBIENT, 9, 5), -EINVAL);
}

static void the_child_dies_with_its_parent_if_it_asked(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	struct task *grandchild = testbed_fork(bed, child);

	(void)testbed_run(grandchild, SYS_prctl,
	                  (uint64_t[6]){PR_SET_PDEATHSIG, SIGKILL});
	process_kill(child->process, SIGTERM);
	assert_true(grandchild->state == TASK_DEAD);
}

static void chains_of_deaths_do_not_nest(void **state)
{
	struct testbed *bed = *state;
	struct task *first = testbed_fork(bed, bed->task);
	struct task *last = first;

	for (int i = 0; i < 150; i++) {
		last = testbed_fork(bed, last);
		last->pdeath_signal = SIGKILL;
	}
	process_kill(first->process, SIGTERM);
	assert_true(last->state == TASK_DEAD);
	assert_false(bed->kernel.ending);
	assert_true(list_empty(&bed->kernel.dying));
	assert_int_equal(bed->kernel.limits.tasks_used, 152);
	assert_null(process_find(&bed->kernel, last->process->pid));
}

static void limits_are_checked(void **state)
{
	struct testbed *bed = *state;
	abi_rlimit r = {10, 20}, old;

	assert_int_equal(
		testbed_call(bed, SYS_prlimit64, 0, RLIMIT_NOFILE, &r, &old),
		0);
	assert_int_equal(old.cur, 1024);
	r = (abi_rlimit){30, 20};
	assert_int_equal(testbed_call(bed, SYS_setrlimit, RLIMIT_NOFILE, &r),
	                 -EINVAL);
	r = (abi_rlimit){10, 1u << 30};
	assert_int_equal(testbed_call(bed, SYS_setrlimit, RLIMIT_NOFILE, &r),
	                 -EPERM);
	testbed_become(bed, 1000);
	r = (abi_rlimit){10, 21};
	assert_int_equal(testbed_call(bed, SYS_setrlimit, RLIMIT_NOFILE, &r),
	                 -EPERM);
	assert_int_equal(testbed_call(bed, SYS_getrlimit, 16, &r), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_prlimit64, 9999, 0, 0, 0),
	                 -ESRCH);
}

static void a_user_may_only_become_nicer(void **state)
{
	struct testbed *bed = *state;

	testbed_become(bed, 1000);
	assert_int_equal(testbed_call(bed, SYS_getpriority, 0, 0), 20);
	assert_int_equal(testbed_call(bed, SYS_setpriority, 0, 0, 5), 0);
	assert_int_equal(testbed_call(bed, SYS_getpriority, 0, 0), 15);
	assert_int_equal(testbed_call(bed, SYS_setpriority, 0, 0, 4), -EACCES);
	assert_int_equal(testbed_call(bed, SYS_getpriority, 0, 9999), -ESRCH);
	assert_int_equal(testbed_call(bed, SYS_getpriority, 3, 0), -EINVAL);
}

static void affinity_is_the_hosts_or_less(void **state)
{
	struct testbed *bed = *state;
	uint64_t mask[16] = {0}, one;
	long size = testbed_call(bed, SYS_sched_getaffinity, 0, sizeof(mask),
	                         mask);

	assert_true(size >= 8);
	assert_int_not_equal(mask[0], 0);
	one = mask[0] & -mask[0];
	assert_int_equal(testbed_call(bed, SYS_sched_setaffinity, 0, 8, &one),
	                 0);
	assert_int_equal(
		testbed_call(bed, SYS_sched_getaffinity, 0, sizeof(mask), mask),
		size);
	assert_int_equal(mask[0], one);
	one = 0;
	assert_int_equal(testbed_call(bed, SYS_sched_setaffinity, 0, 8, &one),
	                 -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_sched_getaffinity, 0, 4, mask),
	                 -EINVAL);
}

static void policies_are_remembered(void **state)
{
	struct testbed *bed = *state;
	uint32_t priority = 10;

	assert_int_equal(testbed_call(bed, SYS_sched_setscheduler, 0,
	                              SCHED_FIFO, &priority),
	                 0);
	assert_int_equal(testbed_call(bed, SYS_sched_getscheduler, 0),
	                 SCHED_FIFO);
	priority = 0;
	assert_int_equal(testbed_call(bed, SYS_sched_setscheduler, 0,
	                              SCHED_FIFO, &priority),
	                 -EINVAL);
	testbed_become(bed, 1000);
	priority = 10;
	assert_int_equal(testbed_call(bed, SYS_sched_setscheduler, 0, SCHED_RR,
	                              &priority),
	                 -EPERM);
}

static void namespaces_cannot_be_had(void **state)
{
	struct testbed *bed = *state;

	assert_int_equal(testbed_call(bed, SYS_unshare, CLONE_NEWUSER),
	                 -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_unshare, CLONE_NEWNS), -EPERM);
	assert_int_equal(testbed_call(bed, SYS_setns, 0, 0), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_unshare, CLONE_FILES | CLONE_FS),
	                 0);
}

static void memory_of_another_process_is_reached(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	char from[] = "0123456789", to[16] = {0};
	const abi_iovec remote[] = {{(uintptr_t)from, 4},
	                            {(uintptr_t)from + 6, 4}};
	const abi_iovec local[] = {{(uintptr_t)to, 3}, {(uintptr_t)to + 3, 9}};
	int32_t pid = child->process->pid;

	assert_int_equal(testbed_call(bed, SYS_process_vm_readv, pid, local, 2,
	                              remote, 2, 0),
	                 8);
	assert_string_equal(to, "01236789");
	memcpy(to, "abcdefgh", 8);
	assert_int_equal(testbed_call(bed, SYS_process_vm_writev, pid, local, 2,
	                              remote, 2, 0),
	                 8);
	assert_string_equal(from, "abcd45efgh");
	testbed_become(bed, 1000);
	assert_int_equal(testbed_call(bed, SYS_process_vm_readv, pid, local, 2,
	                              remote, 2, 0),
	                 -EPERM);
}

static void a_pidfd_waits_and_signals(void **state)
{
	struct testbed *bed = *state;
	struct task *child = testbed_fork(bed, bed->task);
	int32_t pid = child->process->pid;
	long fd = testbed_call(bed, SYS_pidfd_open, pid, O_NONBLOCK);
	abi_siginfo info = {0};

	assert_true(fd >= 0);
	assert_int_equal(testbed_call(bed, SYS_fcntl, fd, F_GETFD), 1);
	assert_int_equal(testbed_call(bed, SYS_waitid, 3, fd, &info, 4),
	                 -EAGAIN);
	assert_int_equal(testbed_call(bed, SYS_pidfd_send_signal, fd, SIGTERM),
	                 0);
	assert_int_equal(testbed_call(bed, SYS_waitid, 3, fd, &info, 4), 0);
	assert_int_equal(info.pid, pid);
	assert_int_equal(info.status, SIGTERM);
	assert_int_equal(testbed_call(bed, SYS_pidfd_open, 9999, 0), -ESRCH);
	assert_int_equal(testbed_call(bed, SYS_pidfd_open, 0, 0), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_pidfd_send_signal, 99, 0),
	                 -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(names_are_cut_to_fifteen),
		TESTBED(options_without_meaning_are_refused),
		TESTBED(locked_securebits_stay),
		TESTBED(ambient_needs_permitted_and_inheritable),
		TESTBED(the_child_dies_with_its_parent_if_it_asked),
		TESTBED(chains_of_deaths_do_not_nest),
		TESTBED(limits_are_checked),
		TESTBED(a_user_may_only_become_nicer),
		TESTBED(affinity_is_the_hosts_or_less),
		TESTBED(policies_are_remembered),
		TESTBED(namespaces_cannot_be_had),
		TESTBED(memory_of_another_process_is_reached),
		TESTBED(a_pidfd_waits_and_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
