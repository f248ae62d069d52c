/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "kernel/fs/fd.h"
#include "kernel/testbed.h"

/* A file that counts how often it is synced, and how. */
struct counted {
	struct file_ops ops;
	unsigned data, all;
	unsigned waits; /* it makes its caller wait so often first */
	long err;
};

static struct counted *counted_of(const struct file *f)
{
	return (struct counted *)((uintptr_t)f->ops -
	                          offsetof(struct counted, ops));
}

static long count_sync(struct file *f, struct task *t, bool data_only)
{
	struct counted *c = counted_of(f);

	if (c->waits > 0) {
		c->waits--;
		return task_sleep_deep(t);
	}
	if (data_only)
		c->data++;
	else
		c->all++;
	return c->err;
}

static long opened(struct testbed *bed, struct counted *c, int flags)
{
	long fd = testbed_call(bed, SYS_open, "/f", O_RDWR | O_CREAT | flags,
	                       0600);
	struct file *f;

	assert_true(fd >= 0);
	f = fd_peek(bed->task->fds, (int32_t)fd);
	*c = (struct counted){.ops = *f->ops};
	c->ops.fsync = count_sync;
	f->ops = &c->ops;
	return fd;
}

static const struct {
	int open;
	int flags; /* of pwritev2 */
	unsigned data, all;
} writes[] = {
	{0, 0, 0, 0},         {O_DSYNC, 0, 1, 0},  {O_SYNC, 0, 0, 1},
	{0, RWF_DSYNC, 1, 0}, {0, RWF_SYNC, 0, 1}, {O_DSYNC, RWF_SYNC, 0, 1},
};

static void writes_are_synced_as_the_flags_say(void **state)
{
	struct testbed *bed = *state;
	char text[] = "abc";
	struct iovec v = {text, 3};

	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		struct counted c;
		long fd = opened(bed, &c, writes[i].open);

		assert_int_equal(testbed_call(bed, SYS_pwritev2, fd, &v, 1, -1,
		                              0, writes[i].flags),
		                 3);
		if (c.data != writes[i].data || c.all != writes[i].all)
			fail_msg("row %zu: %u, %u", i, c.data, c.all);
		/* Nothing written is nothing to sync. */
		assert_int_equal(testbed_call(bed, SYS_write, fd, "", 0), 0);
		assert_int_equal(c.data + c.all,
		                 writes[i].data + writes[i].all);
		assert_int_equal(testbed_call(bed, SYS_close, fd), 0);
	}
}

static void what_waits_for_the_disk_writes_once(void **state)
{
	struct testbed *bed = *state;
	struct counted c;
	long fd = opened(bed, &c, O_SYNC);

	c.waits = 2;
	assert_int_equal(testbed_call(bed, SYS_write, fd, "abc", 3), -EWAIT);
	task_wake(bed->task);
	assert_int_equal(testbed_finish(bed->task), -EWAIT);
	task_wake(bed->task);
	assert_int_equal(testbed_finish(bed->task), 3);
	assert_int_equal(c.all, 1);
	assert_int_equal(testbed_call(bed, SYS_lseek, fd, 0, SEEK_END), 3);
	c.err = -EIO;
	assert_int_equal(testbed_call(bed, SYS_write, fd, "abc", 3), -EIO);
	/* While its operations are there. */
	assert_int_equal(testbed_call(bed, SYS_close, fd), 0);
}

/* sendfile, copy_file_range and splice as write: once, and waiting. */
static void what_is_moved_is_synced_too(void **state)
{
	struct testbed *bed = *state;
	long in = testbed_call(bed, SYS_open, "/in", O_RDWR | O_CREAT, 0600);
	struct counted c;
	long out = opened(bed, &c, O_SYNC);
	int64_t at = 1, to = 10;
	int32_t ends[2];
	char text[8];

	assert_int_equal(testbed_call(bed, SYS_write, in, "abcdef", 6), 6);
	c.waits = 1;
	assert_int_equal(testbed_call(bed, SYS_sendfile, out, in, &at, 3),
	                 -EWAIT);
	task_wake(bed->task);
	assert_int_equal(testbed_finish(bed->task), 3);
	assert_int_equal(at, 4);
	assert_int_equal(c.all, 1);
	assert_int_equal(testbed_call(bed, SYS_lseek, out, 0, SEEK_CUR), 3);
	at = 0;
	c.waits = 1;
	assert_int_equal(testbed_call(bed, SYS_copy_file_range, in, &at, out,
	                              &to, 100, 0),
	                 -EWAIT);
	task_wake(bed->task);
	assert_int_equal(testbed_finish(bed->task), 6);
	assert_int_equal(at, 6);
	assert_int_equal(to, 16);
	assert_int_equal(c.all, 2);
	assert_int_equal(testbed_call(bed, SYS_pipe2, ends, 0), 0);
	assert_int_equal(testbed_call(bed, SYS_write, ends[1], "pipe", 4), 4);
	assert_int_equal(testbed_call(bed, SYS_write, ends[1], "more", 4), 4);
	to = 20;
	c.waits = 1;
	assert_int_equal(
		testbed_call(bed, SYS_splice, ends[0], 0, out, &to, 4, 0),
		-EWAIT);
	task_wake(bed->task);
	assert_int_equal(testbed_finish(bed->task), 4);
	assert_int_equal(to, 24);
	assert_int_equal(c.all, 3);
	assert_int_equal(testbed_call(bed, SYS_pread64, out, text, 8, 20), 4);
	assert_memory_equal(text, "pipe", 4);
	assert_int_equal(testbed_call(bed, SYS_close, out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(writes_are_synced_as_the_flags_say),
		TESTBED(what_waits_for_the_disk_writes_once),
		TESTBED(what_is_moved_is_synced_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
