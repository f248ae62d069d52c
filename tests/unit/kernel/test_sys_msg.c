/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/msg.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

struct text {
	int64_t type;
	char data[100];
};

static int make(struct testbed *bed)
{
	long id = testbed_call(bed, SYS_msgget, 5, IPC_CREAT | 0600);

	assert_true(id >= 0);
	return (int)id;
}

static long put(struct testbed *bed, int id, long type, const char *data)
{
	struct text m = {.type = type};

	memcpy(m.data, data, strlen(data));
	return testbed_call(bed, SYS_msgsnd, id, &m, strlen(data), IPC_NOWAIT);
}

static void messages_are_chosen_by_type(void **s)
{
	struct testbed *bed = *s;
	int id = make(bed);
	struct text m;

	assert_int_equal(put(bed, id, 3, "three"), 0);
	assert_int_equal(put(bed, id, 2, "two"), 0);
	assert_int_equal(put(bed, id, 1, "one"), 0);
	assert_int_equal(put(bed, id, 3, "more"), 0);
	assert_int_equal(put(bed, id, 0, "none"), -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_msgrcv, id, &m, 100, 2, 0), 3);
	assert_memory_equal(m.data, "two", 3);
	assert_int_equal(testbed_call(bed, SYS_msgrcv, id, &m, 100, -3, 0), 3);
	assert_memory_equal(m.data, "one", 3);
	assert_int_equal(m.type, 1);
	assert_int_equal(testbed_call(bed, SYS_msgrcv, id, &m, 2, 0, 0),
	                 -E2BIG);
	assert_int_equal(
		testbed_call(bed, SYS_msgrcv, id, &m, 2, 0, MSG_NOERROR), 2);
	assert_memory_equal(m.data, "th", 2);
	assert_int_equal(testbed_call(bed, SYS_msgrcv, id, &m, 100, 3,
	                              MSG_EXCEPT | IPC_NOWAIT),
	                 -ENOMSG);
	assert_int_equal(testbed_call(bed, SYS_msgrcv, id, &m, 100, 0, 0), 4);
}

static void both_sides_wait(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task, *other = testbed_fork(bed, t);
	int id = make(bed), sent = 0;
	char big[99];
	struct text m;

	assert_int_equal(testbed_call(bed, SYS_msgrcv, id, &m, 100, 0, 0),
	                 -EWAIT);
	bed->task = other;
	assert_int_equal(put(bed, id, 9, "late"), 0);
	assert_int_equal(testbed_finish(t), 4);
	assert_int_equal(m.type, 9);

	memset(big, 'x', sizeof(big));
	big[98] = 0;
	while (put(bed, id, 1, big) == 0)
		sent++;
	assert_int_equal(sent, 16384 / 98);
	m.type = 1;
	assert_int_equal(testbed_call(bed, SYS_msgsnd, id, &m, 98, 0), -EWAIT);
	bed->task = t;
	assert_int_equal(testbed_call(bed, SYS_msgrcv, id, &m, 100, 0, 0), 98);
	assert_int_equal(testbed_finish(other), 0);

	assert_int_equal(testbed_call(bed, SYS_msgrcv, id, &m, 100, 77, 0),
	                 -EWAIT);
	bed->task = other;
	assert_int_equal(testbed_call(bed, SYS_msgctl, id, IPC_RMID, 0), 0);
	assert_int_equal(testbed_finish(t), -EIDRM);
}

static void the_state_can_be_read_and_set(void **s)
{
	struct testbed *bed = *s;
	int id = make(bed);
	struct msqid64_ds ds;

	assert_int_equal(put(bed, id, 1, "abc"), 0);
	assert_int_equal(testbed_call(bed, SYS_msgctl, id, IPC_STAT, &ds), 0);
	assert_int_equal(ds.msg_qnum, 1);
	assert_int_equal(ds.msg_cbytes, 3);
	assert_int_equal(ds.msg_qbytes, 16384);
	ds.msg_qbytes = 2;
	ds.msg_perm.uid = 1000;
	assert_int_equal(testbed_call(bed, SYS_msgctl, id, IPC_SET, &ds), 0);
	assert_int_equal(put(bed, id, 1, "d"), -EAGAIN);
	testbed_become(bed, 1000);
	assert_int_equal(testbed_call(bed, SYS_msgctl, id, IPC_STAT, &ds), 0);
	ds.msg_qbytes = 100000;
	assert_int_equal(testbed_call(bed, SYS_msgctl, id, IPC_SET, &ds),
	                 -EPERM);
	testbed_become(bed, 1001);
	assert_int_equal(testbed_call(bed, SYS_msgctl, id, IPC_STAT, &ds),
	                 -EACCES);
	assert_int_equal(testbed_call(bed, SYS_msgctl, id, IPC_RMID, 0),
	                 -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(messages_are_chosen_by_type),
		TESTBED(both_sides_wait),
		TESTBED(the_state_can_be_read_and_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
