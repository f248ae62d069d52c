/* SPDX-License-Identifier: Apache-2.0 */
/* open(2), descriptors, and fcntl(2). */
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/fs/fd.h"
#include "kernel/testbed.h"

#define CALL(...)  testbed_call(bed, __VA_ARGS__)
#define IS(n, ...) assert_int_equal(CALL(__VA_ARGS__), n)
#define RLIMIT_FD  7

static long opens(struct testbed *bed, const char *name, int flags)
{
	long fd = CALL(SYS_open, name, flags, 0644);

	if (fd < 0)
		fail_msg("%s: %ld", name, fd);
	return fd;
}

static const struct {
	const char *name;
	int flags;
	int want; /* 0: works */
} rows[] = {
	{"/file", O_RDWR, 0},
	{"/none", O_RDWR, -ENOENT},
	{"/file", O_CREAT | O_EXCL, -EEXIST},
	{"/file", O_DIRECTORY, -ENOTDIR},
	{"/file", O_CREAT | O_DIRECTORY, -EINVAL},
	{"/new/", O_CREAT | O_WRONLY, -EISDIR},
	{"/dir", O_RDONLY, 0},
	{"/dir", O_WRONLY, -EISDIR},
	{"/dir", O_CREAT, -EISDIR},
	{"/dir", O_RDONLY | O_TRUNC, -EISDIR},
	{"/dir/", O_RDONLY | O_DIRECTORY, 0},
	{"/link", O_RDONLY, 0},
	{"/link", O_RDONLY | O_NOFOLLOW, -ELOOP},
	{"/link", O_PATH | O_NOFOLLOW, 0},
	{"/link", O_CREAT | O_EXCL | O_RDWR, -EEXIST},
	{"/dangling", O_CREAT | O_EXCL | O_RDWR, -EEXIST},
	{"/dangling", O_CREAT | O_NOFOLLOW | O_RDWR, -ELOOP},
	{"/dangling", O_CREAT | O_RDWR, 0},
	{"/made", O_RDONLY, 0},
	{"/socket", O_RDONLY, -ENXIO},
	{"/device", O_RDONLY, -ENXIO},
};

static void answers_as_open_2_says(void **state)
{
	struct testbed *bed = *state;

	opens(bed, "/file", O_CREAT);
	IS(0, SYS_mkdir, "/dir", 0755);
	IS(0, SYS_symlink, "file", "/link");
	IS(0, SYS_symlink, "made", "/dangling");
	IS(0, SYS_mknod, "/socket", S_IFSOCK | 0666, 0);
	IS(0, SYS_mknod, "/device", S_IFCHR | 0666, 0xfefe);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		long got = CALL(SYS_open, rows[i].name, rows[i].flags, 0644);

		if (rows[i].want < 0 ? got != rows[i].want : got < 0)
			fail_msg("%s %o: got %ld", rows[i].name,
			         (unsigned)rows[i].flags, got);
	}
	testbed_become(bed, 7);
	IS(-EPERM, SYS_open, "/file", O_NOATIME);
	IS(-EACCES, SYS_open, "/file", O_RDWR);
	IS(-EACCES, SYS_open, "/file", O_RDONLY | O_TRUNC);
	IS(-EPERM, SYS_mknod, "/dir/null", S_IFCHR | 0666, 0x103);
}

static void a_mode_that_forbids_is_for_later_opens(void **state)
{
	struct testbed *bed = *state;
	long fd;

	IS(0, SYS_chmod, "/", 0777);
	testbed_become(bed, 7);
	fd = CALL(SYS_open, "/f", O_CREAT | O_RDWR, 0);
	assert_true(fd >= 0);
	IS(1, SYS_write, fd, "x", 1);
	IS(-EACCES, SYS_open, "/f", O_RDONLY);
	IS(0, SYS_fchmod, fd, 0400);
	opens(bed, "/f", O_RDONLY);
	IS(-EACCES, SYS_open, "/f", O_RDWR);
}

static void truncates_and_appends(void **state)
{
	struct testbed *bed = *state;
	long fd = opens(bed, "/f", O_CREAT | O_WRONLY), two;
	char have[16] = {0};
	abi_stat st;

	IS(5, SYS_write, fd, "hello", 5);
	two = opens(bed, "/f", O_WRONLY | O_APPEND);
	IS(1, SYS_write, two, "!", 1);
	IS(-EBADF, SYS_read, two, have, 1);
	fd = opens(bed, "/f", O_RDONLY);
	IS(6, SYS_read, fd, have, sizeof(have));
	assert_string_equal(have, "hello!");
	opens(bed, "/f", O_WRONLY | O_TRUNC);
	IS(0, SYS_stat, "/f", &st);
	assert_int_equal(st.size, 0);
	IS(0, SYS_truncate, "/f", 100);
	IS(-EINVAL, SYS_ftruncate, fd, 3);
	IS(0, SYS_ftruncate, two, 3);
	IS(-EINVAL, SYS_truncate, "/f", -1);
	IS(-EISDIR, SYS_truncate, "/", 0);
	IS(0, SYS_stat, "/f", &st);
	assert_int_equal(st.size, 3);
}

static void path_descriptors_only_point(void **state)
{
	struct testbed *bed = *state;
	abi_stat st;
	char c;
	long fd, dir;

	opens(bed, "/f", O_CREAT);
	IS(0, SYS_mkdir, "/d", 0755);
	fd = opens(bed, "/f", O_PATH);
	dir = opens(bed, "/d", O_PATH | O_DIRECTORY);
	IS(-EBADF, SYS_read, fd, &c, 1);
	IS(-EBADF, SYS_fchmod, fd, 0600);
	IS(-EBADF, SYS_fcntl, fd, F_SETFL, 0);
	IS(0, SYS_fstat, fd, &st);
	IS(O_PATH, SYS_fcntl, fd, F_GETFL);
	assert_true(CALL(SYS_dup, fd) >= 0);
	assert_true(CALL(SYS_openat, dir, "new", O_CREAT | O_RDWR, 0644) >= 0);
	IS(-ENOTDIR, SYS_openat, fd, "new", O_CREAT | O_RDWR, 0644);
	IS(0, SYS_fchdir, dir);
	IS(0, SYS_stat, "new", &st);
	IS(-ENOTDIR, SYS_fchdir, fd);
}

static void numbers_are_the_lowest_free(void **state)
{
	struct testbed *bed = *state;

	assert_int_equal(opens(bed, "/", O_RDONLY), 0);
	assert_int_equal(opens(bed, "/", O_RDONLY), 1);
	IS(2, SYS_dup, 1);
	IS(0, SYS_close, 1);
	IS(-EBADF, SYS_close, 1);
	IS(1, SYS_dup, 0);
	IS(70, SYS_fcntl, 0, F_DUPFD, 70);
	IS(71, SYS_fcntl, 0, F_DUPFD_CLOEXEC, 70);
	IS(FD_CLOEXEC, SYS_fcntl, 71, F_GETFD);
	IS(0, SYS_fcntl, 70, F_GETFD);
	IS(3, SYS_dup, 0);
	IS(500, SYS_dup2, 0, 500);
	IS(500, SYS_dup2, 500, 500);
	IS(-EBADF, SYS_dup2, 499, 499);
	IS(-EINVAL, SYS_dup3, 0, 0, 0);
	IS(-EINVAL, SYS_dup3, 0, 9, O_NONBLOCK);
	IS(9, SYS_dup3, 0, 9, O_CLOEXEC);
	IS(1, SYS_fcntl, 9, F_GETFD);
	IS(-EBADF, SYS_dup2, 0, 1 << 30);
	IS(-EINVAL, SYS_fcntl, 0, F_DUPFD, 1 << 30);
	IS(0, SYS_close_range, 4, 600, 0);
	IS(-EBADF, SYS_close, 70);
	IS(4, SYS_dup, 0);
	IS(-EINVAL, SYS_close_range, 5, 4, 0);
	IS(0, SYS_close_range, 0, ~0u, CLOSE_RANGE_CLOEXEC);
	IS(1, SYS_fcntl, 4, F_GETFD);
}

static void the_limit_holds_and_nothing_is_made_beyond_it(void **state)
{
	struct testbed *bed = *state;
	abi_stat st;

	bed->process->rlimit[RLIMIT_FD].cur = 3;
	for (int i = 0; i < 3; i++)
		opens(bed, "/", O_RDONLY);
	IS(-EMFILE, SYS_open, "/new", O_CREAT | O_RDWR, 0644);
	IS(-ENOENT, SYS_stat, "/new", &st);
	IS(-EMFILE, SYS_dup, 0);
	IS(-EBADF, SYS_dup2, 0, 3);
	IS(0, SYS_close, 2);
	IS(2, SYS_dup, 0);
}

static void a_forked_table_is_a_copy(void **state)
{
	struct testbed *bed = *state;
	struct task *first = bed->task;
	long fd = opens(bed, "/f", O_CREAT | O_RDWR);
	char c;

	bed->task = testbed_fork(bed, first);
	IS(2, SYS_write, fd, "ab", 2);
	IS(0, SYS_close, fd);
	bed->task = first;
	/* The position is shared, the numbers are not. */
	IS(2, SYS_lseek, fd, 0, SEEK_CUR);
	bed->task = testbed_thread(bed, first);
	IS(0, SYS_close, fd);
	bed->task = first;
	IS(-EBADF, SYS_read, fd, &c, 1);
}

static void flags_are_set_and_read(void **state)
{
	struct testbed *bed = *state;
	long fd = opens(bed, "/f", O_CREAT | O_RDWR);
	struct f_owner_ex ex = {.type = F_OWNER_PID};

	IS(O_RDWR | O_LARGEFILE, SYS_fcntl, fd, F_GETFL);
	IS(0, SYS_fcntl, fd, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY);
	IS(O_RDWR | O_LARGEFILE | O_APPEND | O_NONBLOCK, SYS_fcntl, fd,
	   F_GETFL);
	IS(0, SYS_fcntl, fd, F_GETOWN);
	ex.pid = bed->process->pid;
	IS(0, SYS_fcntl, fd, F_SETOWN_EX, &ex);
	IS(ex.pid, SYS_fcntl, fd, F_GETOWN);
	IS(-ESRCH, SYS_fcntl, fd, F_SETOWN, 99999);
	IS(-EINVAL, SYS_fcntl, fd, F_SETSIG, 65);
	IS(-EINVAL, SYS_fcntl, fd, 999, 0);
	IS(-EBADF, SYS_fcntl, 99, F_GETFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(answers_as_open_2_says),
		TESTBED(a_mode_that_forbids_is_for_later_opens),
		TESTBED(truncates_and_appends),
		TESTBED(path_descriptors_only_point),
		TESTBED(numbers_are_the_lowest_free),
		TESTBED(the_limit_holds_and_nothing_is_made_beyond_it),
		TESTBED(a_forked_table_is_a_copy),
		TESTBED(flags_are_set_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
