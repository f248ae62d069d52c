/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/sem.h>
#include <signal.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

static int make(struct testbed *bed, int key, int count)
{
	long id = testbed_call(bed, SYS_semget, key, count, IPC_CREAT | 0600);

	assert_true(id >= 0);
	return (int)id;
}

static long op(struct testbed *bed, int id, int n, int by, int flags)
{
	/* One for each task: a call that waits reads it again. */
	static struct sembuf b[2];
	struct sembuf *mine = &b[bed->task->process != bed->process];

	*mine = (struct sembuf){(uint16_t)n, (int16_t)by, (int16_t)flags};
	return testbed_call(bed, SYS_semop, id, mine, 1);
}

static long value(struct testbed *bed, int id, int n)
{
	return testbed_call(bed, SYS_semctl, id, n, GETVAL, 0);
}

static void keys_lead_to_sets(void **s)
{
	struct testbed *bed = *s;
	int id = make(bed, 7, 3);

	assert_int_equal(make(bed, 7, 0), id);
	assert_int_equal(make(bed, 7, 3), id);
	assert_int_equal(testbed_call(bed, SYS_semget, 7, 4, 0), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_semget, 8, 1, 0), -ENOENT);
	assert_int_equal(
		testbed_call(bed, SYS_semget, 7, 3, IPC_CREAT | IPC_EXCL),
		-EEXIST);
	assert_int_not_equal(make(bed, IPC_PRIVATE, 1),
	                     make(bed, IPC_PRIVATE, 1));
	assert_int_equal(testbed_call(bed, SYS_semctl, id, 0, IPC_RMID), 0);
	assert_int_equal(value(bed, id, 0), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_semget, 7, 3, 0), -ENOENT);
	assert_int_not_equal(make(bed, 7, 3), id);
}

static void all_operations_or_none(void **s)
{
	struct testbed *bed = *s;
	int id = make(bed, 7, 2);
	struct sembuf b[2] = {{0, 2, 0}, {1, -1, IPC_NOWAIT}};

	assert_int_equal(testbed_call(bed, SYS_semop, id, b, 2), -EAGAIN);
	assert_int_equal(value(bed, id, 0), 0);
	assert_int_equal(op(bed, id, 1, 1, 0), 0);
	assert_int_equal(testbed_call(bed, SYS_semop, id, b, 2), 0);
	assert_int_equal(value(bed, id, 0), 2);
	assert_int_equal(value(bed, id, 1), 0);
	assert_int_equal(op(bed, id, 2, 1, 0), -EFBIG);
	assert_int_equal(op(bed, id, 0, 32767, 0), -ERANGE);
	assert_int_equal(testbed_call(bed, SYS_semop, id, b, 0), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_semop, id, b, 501), -E2BIG);
}

static void who_waits_is_counted_and_woken(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task, *other = testbed_fork(bed, t);
	int id = make(bed, 7, 1);

	assert_int_equal(op(bed, id, 0, -2, 0), -EWAIT);
	bed->task = other;
	assert_int_equal(testbed_call(bed, SYS_semctl, id, 0, GETNCNT), 1);
	assert_int_equal(testbed_call(bed, SYS_semctl, id, 0, GETZCNT), 0);
	assert_int_equal(op(bed, id, 0, 1, 0), 0);
	assert_int_equal(testbed_finish(t), -EWAIT);
	assert_int_equal(op(bed, id, 0, 1, 0), 0);
	assert_int_equal(testbed_finish(t), 0);
	assert_int_equal(value(bed, id, 0), 0);
	assert_int_equal(testbed_call(bed, SYS_semctl, id, 0, GETPID),
	                 t->process->pid);

	bed->task = t;
	assert_int_equal(op(bed, id, 0, -1, 0), -EWAIT);
	bed->task = other;
	assert_int_equal(testbed_call(bed, SYS_semctl, id, 0, IPC_RMID), 0);
	assert_int_equal(testbed_finish(t), -EIDRM);
}

static void time_and_signals_end_the_wait(void **s)
{
	struct testbed *bed = *s;
	abi_siginfo info = signal_info_kernel(SIGUSR1);
	abi_timespec ts = {0, 1000};
	struct sembuf b = {0, -1, 0};
	int id = make(bed, 7, 1);

	assert_int_equal(testbed_call(bed, SYS_semtimedop, id, &b, 1, &ts),
	                 -EWAIT);
	assert_int_equal(testbed_wait(bed->task), -EAGAIN);
	bed->task->sighand->action[SIGUSR1].handler = 0x1000;
	assert_int_equal(testbed_call(bed, SYS_semop, id, &b, 1), -EWAIT);
	assert_int_equal(signal_send_task(bed->task, &info, false), 0);
	assert_int_equal(testbed_finish(bed->task), -EINTR);
}

static void the_end_of_a_process_undoes(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task, *other = testbed_fork(bed, t);
	int id = make(bed, 7, 1);

	assert_int_equal(op(bed, id, 0, 1, 0), 0);
	bed->task = other;
	assert_int_equal(op(bed, id, 0, -1, SEM_UNDO), 0);
	bed->task = t;
	assert_int_equal(value(bed, id, 0), 0);
	assert_int_equal(op(bed, id, 0, -1, 0), -EWAIT);
	task_exit(other, 0);
	assert_int_equal(testbed_finish(t), 0);
}

static void values_are_set_and_read_together(void **s)
{
	struct testbed *bed = *s;
	int id = make(bed, 7, 3);
	uint16_t v[3] = {1, 2, 40000}, got[3];
	struct semid64_ds ds;

	assert_int_equal(testbed_call(bed, SYS_semctl, id, 0, SETALL, v),
	                 -ERANGE);
	v[2] = 3;
	assert_int_equal(testbed_call(bed, SYS_semctl, id, 0, SETALL, v), 0);
	assert_int_equal(testbed_call(bed, SYS_semctl, id, 0, GETALL, got), 0);
	assert_memory_equal(v, got, sizeof(v));
	assert_int_equal(testbed_call(bed, SYS_semctl, id, 1, SETVAL, 9), 0);
	assert_int_equal(value(bed, id, 1), 9);
	assert_int_equal(testbed_call(bed, SYS_semctl, id, 3, GETVAL), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_semctl, id, 0, IPC_STAT, &ds),
	                 0);
	assert_int_equal(ds.sem_nsems, 3);
	assert_int_equal(ds.sem_perm.mode, 0600);
	testbed_become(bed, 1000);
	assert_int_equal(value(bed, id, 1), -EACCES);
	assert_int_equal(testbed_call(bed, SYS_semctl, id, 0, IPC_RMID),
	                 -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(keys_lead_to_sets),
		TESTBED(all_operations_or_none),
		TESTBED(who_waits_is_counted_and_woken),
		TESTBED(time_and_signals_end_the_wait),
		TESTBED(the_end_of_a_process_undoes),
		TESTBED(values_are_set_and_read_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
