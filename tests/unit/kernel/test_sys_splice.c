/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/testbed.h"

static char data[300000];
static char back[sizeof(data)];

/* A new file that holds the first `size` bytes of data[]. */
static int memory(struct testbed *bed, size_t size)
{
	static char name[] = "a";
	const struct inode_new how = {.mode = S_IFREG | 0600};
	struct inode *dir = path_inode(&bed->root);
	struct inode *i = tmpfs_inode(dir->sb, &how);
	char path[3] = {'/', name[0], 0};
	struct path p;
	struct file *f;
	long fd;

	for (size_t n = 0; n < sizeof(data); n++)
		data[n] = (char)(n * 5 + n / 253);
	assert_non_null(i);
	assert_int_equal(tmpfs_enter(dir, (struct span){(uint8_t *)name, 1}, i),
	                 0);
	inode_put(i);
	assert_int_equal(path_lookup(bed->task, AT_FDCWD, path, 0, &p), 0);
	assert_int_equal(file_open(bed->task, &p, O_RDWR, &f), 0);
	path_put(&p);
	name[0]++;
	fd = fd_open(bed->task, f, false);
	assert_true(fd >= 0);
	if (size > 0)
		assert_int_equal(testbed_call(bed, SYS_write, fd, data, size),
		                 size);
	assert_int_equal(testbed_call(bed, SYS_lseek, fd, 0, 0), 0);
	return (int)fd;
}

static void make_pipe(struct testbed *bed, int32_t ends[2])
{
	assert_int_equal(testbed_call(bed, SYS_pipe2, ends, 0), 0);
}

static void sendfile_copies_and_moves_the_right_offset(void **s)
{
	struct testbed *bed = *s;
	int in = memory(bed, 300000), out = memory(bed, 0);
	int64_t at = 1000;

	assert_int_equal(testbed_call(bed, SYS_sendfile, out, in, &at, 200000),
	                 200000);
	assert_int_equal(at, 201000);
	assert_int_equal(testbed_call(bed, SYS_lseek, in, 0, 1), 0);
	assert_int_equal(testbed_call(bed, SYS_lseek, out, 0, 1), 200000);
	assert_int_equal(testbed_call(bed, SYS_pread64, out, back, 200000, 0),
	                 200000);
	assert_memory_equal(back, data + 1000, 200000);
	assert_int_equal(testbed_call(bed, SYS_sendfile, out, in, 0, 400000),
	                 300000);
	assert_int_equal(testbed_call(bed, SYS_sendfile, out, in, 0, 1), 0);
	at = -1;
	assert_int_equal(testbed_call(bed, SYS_sendfile, out, in, &at, 1),
	                 -EINVAL);
}

static void sendfile_to_a_pipe_waits_for_the_reader(void **s)
{
	struct testbed *bed = *s;
	struct task *t = bed->task, *other = testbed_thread(bed, t);
	int in = memory(bed, 300000);
	int32_t ends[2];
	size_t have = 0;
	long n;

	make_pipe(bed, ends);
	n = testbed_call(bed, SYS_sendfile, ends[1], in, 0, 300000);
	assert_int_equal(n, -EWAIT);
	while (have < sizeof(data)) {
		bed->task = other;
		have += (size_t)testbed_call(bed, SYS_read, ends[0],
		                             back + have, 50000);
		if (n == -EWAIT)
			n = testbed_finish(t);
	}
	assert_int_equal(n, 300000);
	assert_memory_equal(back, data, 300000);
	bed->task = t;
	assert_int_equal(testbed_call(bed, SYS_lseek, in, 0, 1), 300000);
	assert_int_equal(testbed_call(bed, SYS_sendfile, in, ends[0], 0, 1),
	                 -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_sendfile, ends[0], in, 0, 1),
	                 -EBADF);
}

static void splice_moves_through_a_pipe(void **s)
{
	struct testbed *bed = *s;
	int in = memory(bed, 50000), out = memory(bed, 0);
	int64_t at = 10;
	int32_t ends[2];

	make_pipe(bed, ends);
	assert_int_equal(
		testbed_call(bed, SYS_splice, in, &at, ends[1], 0, 40000, 0),
		40000);
	assert_int_equal(at, 40010);
	at = 5;
	assert_int_equal(
		testbed_call(bed, SYS_splice, ends[0], 0, out, &at, 99999, 0),
		40000);
	assert_int_equal(at, 40005);
	assert_int_equal(testbed_call(bed, SYS_pread64, out, back, 99999, 5),
	                 40000);
	assert_memory_equal(back, data + 10, 40000);
	assert_int_equal(testbed_call(bed, SYS_splice, ends[0], 0, out, 0, 1,
	                              2 /* SPLICE_F_NONBLOCK */),
	                 -EAGAIN);
	assert_int_equal(
		testbed_call(bed, SYS_splice, ends[0], &at, out, 0, 1, 0),
		-ESPIPE);
	assert_int_equal(testbed_call(bed, SYS_splice, in, 0, out, 0, 1, 0),
	                 -EINVAL);
	assert_int_equal(
		testbed_call(bed, SYS_splice, ends[0], 0, ends[1], 0, 1, 0),
		-EINVAL);
	assert_int_equal(testbed_call(bed, SYS_splice, ends[0], 0, out, 0, 1),
	                 -EWAIT);
}

static void tee_leaves_the_data(void **s)
{
	struct testbed *bed = *s;
	int32_t a[2], b[2];

	make_pipe(bed, a);
	make_pipe(bed, b);
	assert_int_equal(testbed_call(bed, SYS_write, a[1], "hello", 5), 5);
	assert_int_equal(testbed_call(bed, SYS_tee, a[0], b[1], 100, 0), 5);
	assert_int_equal(testbed_call(bed, SYS_read, b[0], back, 100), 5);
	assert_memory_equal(back, "hello", 5);
	assert_int_equal(testbed_call(bed, SYS_splice, a[0], 0, b[1], 0, 3), 3);
	assert_int_equal(testbed_call(bed, SYS_read, a[0], back, 100), 2);
	assert_memory_equal(back, "lo", 2);
	assert_int_equal(testbed_call(bed, SYS_read, b[0], back, 100), 3);
	assert_memory_equal(back, "hel", 3);
	assert_int_equal(testbed_call(bed, SYS_tee, a[0], a[1], 1, 0), -EINVAL);
}

static void vmsplice_brings_memory(void **s)
{
	struct testbed *bed = *s;
	abi_iovec iov[2] = {{(uintptr_t) "abc", 3}, {(uintptr_t) "de", 2}};
	int32_t ends[2];

	make_pipe(bed, ends);
	assert_int_equal(testbed_call(bed, SYS_vmsplice, ends[1], iov, 2, 0),
	                 5);
	iov[0] = (abi_iovec){(uintptr_t)back, 4};
	assert_int_equal(testbed_call(bed, SYS_vmsplice, ends[0], iov, 1, 0),
	                 4);
	assert_memory_equal(back, "abcd", 4);
}

static void ranges_are_copied_but_do_not_overlap(void **s)
{
	struct testbed *bed = *s;
	int in = memory(bed, 1000), out = memory(bed, 0);
	int64_t from = 100, to = 50;

	assert_int_equal(testbed_call(bed, SYS_copy_file_range, in, &from, out,
	                              &to, 5000, 0),
	                 900);
	assert_int_equal(from, 1000);
	assert_int_equal(to, 950);
	assert_int_equal(testbed_call(bed, SYS_pread64, out, back, 5000, 50),
	                 900);
	assert_memory_equal(back, data + 100, 900);
	from = 0;
	to = 10;
	assert_int_equal(testbed_call(bed, SYS_copy_file_range, in, &from, in,
	                              &to, 20, 0),
	                 -EINVAL);
	assert_int_equal(testbed_call(bed, SYS_copy_file_range, in, &from, in,
	                              &to, 10, 0),
	                 10);
	assert_int_equal(
		testbed_call(bed, SYS_copy_file_range, in, 0, out, 0, 1, 1),
		-EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(sendfile_copies_and_moves_the_right_offset),
		TESTBED(sendfile_to_a_pipe_waits_for_the_reader),
		TESTBED(splice_moves_through_a_pipe),
		TESTBED(tee_leaves_the_data),
		TESTBED(vmsplice_brings_memory),
		TESTBED(ranges_are_copied_but_do_not_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
