/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/path.h"

#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernel/fs/dentry.h"
#include "kernel/testbed.h"

#define CALL(...) testbed_call(bed, __VA_ARGS__)
#define OK(...)   assert_true(CALL(__VA_ARGS__) >= 0)

static void make_file(struct testbed *bed, const char *name)
{
	long fd = CALL(SYS_open, name, O_CREAT | O_EXCL | O_RDWR, 0644);

	assert_true(fd >= 0);
	OK(SYS_close, fd);
}

/*
 *	/a/b/file  /a/up -> ..  /a/abs -> /a/b  /dangling -> /none
 *	/loop -> loop  /file
 */
static void make_tree(struct testbed *bed)
{
	OK(SYS_mkdir, "/a", 0755);
	OK(SYS_mkdir, "/a/b", 0755);
	make_file(bed, "/a/b/file");
	make_file(bed, "/file");
	OK(SYS_symlink, "..", "/a/up");
	OK(SYS_symlink, "/a/b", "/a/abs");
	OK(SYS_symlink, "/none", "/dangling");
	OK(SYS_symlink, "loop", "/loop");
}

static const struct {
	const char *name;
	int want;
} walks[] = {
	{"/", 0},
	{"//a///b//file", 0},
	{"/a/./b/../b/file", 0},
	{"/../../a", 0},
	{"a/b", 0},
	{"", -ENOENT},
	{"/none", -ENOENT},
	{"/none/x", -ENOENT},
	{"/file/", -ENOTDIR},
	{"/file/x", -ENOTDIR},
	{"/file/.", -ENOTDIR},
	{"/file/..", -ENOTDIR},
	{"/a/", 0},
	{"/a/up/file", 0},
	{"/a/up/", 0},
	{"/a/abs/file", 0},
	{"/a/abs/../b/file", 0},
	{"/dangling", -ENOENT},
	{"/loop", -ELOOP},
	{"/loop/x", -ELOOP},
};

static void finds_what_path_resolution_says(void **state)
{
	struct testbed *bed = *state;

	make_tree(bed);
	/* Twice: the second time from the cache. */
	for (size_t i = 0; i < 2 * ARRAY_LEN(walks); i++) {
		size_t row = i % ARRAY_LEN(walks);
		abi_stat st;
		long got = CALL(SYS_stat, walks[row].name, &st);

		if (got != walks[row].want)
			fail_msg("%s: got %ld", walks[row].name, got);
	}
}

static void refuses_names_that_are_too_long(void **state)
{
	struct testbed *bed = *state;
	static char name[5000];
	abi_stat st;

	memset(name, 'x', sizeof(name));
	name[255] = 0;
	assert_int_equal(CALL(SYS_stat, name, &st), -ENOENT);
	name[255] = 'x';
	name[256] = 0;
	assert_int_equal(CALL(SYS_stat, name, &st), -ENAMETOOLONG);
	memset(name, '/', sizeof(name));
	name[4095] = 0;
	assert_int_equal(CALL(SYS_stat, name, &st), 0);
	name[4095] = '/';
	name[4999] = 0;
	assert_int_equal(CALL(SYS_stat, name, &st), -ENAMETOOLONG);
}

static void follows_forty_links_and_no_more(void **state)
{
	struct testbed *bed = *state;
	char from[16], to[16] = "/end";
	abi_stat st;

	make_file(bed, "/end");
	for (int i = 1; i <= 41; i++) {
		(void)snprintf(from, sizeof(from), "/l%d", i);
		OK(SYS_symlink, to, from);
		memcpy(to, from, sizeof(to));
	}
	assert_int_equal(CALL(SYS_stat, "/l40", &st), 0);
	assert_int_equal(CALL(SYS_stat, "/l41", &st), -ELOOP);
	assert_int_equal(CALL(SYS_lstat, "/l41", &st), 0);
}

static const struct {
	const char *name;
	uint64_t resolve;
	int want; /* 0: works */
} resolves[] = {
	{"b/file", RESOLVE_BENEATH, 0},
	{"b/../b/file", RESOLVE_BENEATH, 0},
	{"../file", RESOLVE_BENEATH, -EXDEV},
	{"b/../../file", RESOLVE_BENEATH, -EXDEV},
	{"up/file", RESOLVE_BENEATH, -EXDEV},
	{"/file", RESOLVE_BENEATH, -EXDEV},
	{"abs/file", RESOLVE_BENEATH, -EXDEV},
	{"../b/file", RESOLVE_IN_ROOT, 0},
	{"/b/file", RESOLVE_IN_ROOT, 0},
	{"up/b/file", RESOLVE_IN_ROOT, 0},
	{"abs/file", RESOLVE_IN_ROOT, -ENOENT},
	{"up/a/b/file", RESOLVE_NO_SYMLINKS, -ELOOP},
	{"b/file", RESOLVE_NO_SYMLINKS, 0},
	{"b/file", RESOLVE_NO_XDEV, 0},
	{"b/file", RESOLVE_IN_ROOT | RESOLVE_BENEATH, -EINVAL},
	{"b/file", 0x1000, -EINVAL},
};

static void openat2_keeps_to_its_bounds(void **state)
{
	struct testbed *bed = *state;
	long dir;

	make_tree(bed);
	dir = CALL(SYS_open, "/a", O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0);
	for (size_t i = 0; i < ARRAY_LEN(resolves); i++) {
		struct open_how how = {.resolve = resolves[i].resolve};
		long got = CALL(SYS_openat2, dir, resolves[i].name, &how,
		                sizeof(how));

		if (resolves[i].want < 0 ? got != resolves[i].want : got < 0)
			fail_msg("%s %llx: got %ld", resolves[i].name,
			         (unsigned long long)how.resolve, got);
	}
}

static void asks_permission_to_search(void **state)
{
	struct testbed *bed = *state;
	abi_stat st;

	make_tree(bed);
	OK(SYS_chmod, "/a", 0700);
	assert_int_equal(CALL(SYS_stat, "/a/b/file", &st), 0);
	testbed_become(bed, 1000);
	assert_int_equal(CALL(SYS_stat, "/a/b/file", &st), -EACCES);
	assert_int_equal(CALL(SYS_stat, "/a", &st), 0);
	assert_int_equal(CALL(SYS_stat, "/a/.", &st), -EACCES);
}

static void a_root_of_ones_own_is_the_top(void **state)
{
	struct testbed *bed = *state;
	char cwd[64];
	abi_stat st;

	make_tree(bed);
	OK(SYS_chdir, "/a/b");
	OK(SYS_chroot, "/a");
	assert_int_equal(CALL(SYS_getcwd, cwd, sizeof(cwd)), 3);
	assert_string_equal(cwd, "/b");
	assert_int_equal(CALL(SYS_stat, "/../../b/file", &st), 0);
	assert_int_equal(CALL(SYS_stat, "/file", &st), -ENOENT);
	OK(SYS_chroot, "/b");
	OK(SYS_chdir, "..");
	assert_int_equal(CALL(SYS_getcwd, cwd, sizeof(cwd)), 2);
}

static void says_when_the_cwd_is_out_of_reach_or_gone(void **state)
{
	struct testbed *bed = *state;
	char cwd[64];
	abi_stat st;

	make_tree(bed);
	OK(SYS_mkdir, "/jail", 0755);
	OK(SYS_chdir, "/a/b");
	assert_int_equal(CALL(SYS_getcwd, cwd, 4), -ERANGE);
	OK(SYS_unlink, "file");
	OK(SYS_rmdir, "/a/b");
	assert_int_equal(CALL(SYS_getcwd, cwd, sizeof(cwd)), -ENOENT);
	assert_int_equal(CALL(SYS_open, "new", O_CREAT | O_RDWR, 0644),
	                 -ENOENT);
	assert_int_equal(CALL(SYS_stat, "..", &st), 0);
	OK(SYS_chdir, "/a");
	OK(SYS_chroot, "/jail");
	assert_true(CALL(SYS_getcwd, cwd, sizeof(cwd)) > 0);
	assert_string_equal(cwd, "(unreachable)/a");
}

static void the_cache_does_not_outgrow_its_bounds(void **state)
{
	struct testbed *bed = *state;
	uint64_t before, after;
	char name[32];
	abi_stat st;

	before = bed->kernel.limits.memory_used;
	for (int i = 0; i < 100000; i++) {
		(void)snprintf(name, sizeof(name), "/none%d", i);
		assert_int_equal(CALL(SYS_stat, name, &st), -ENOENT);
	}
	after = bed->kernel.limits.memory_used;
	assert_true(after - before < 16u << 20);
	dentry_shrink(&bed->kernel, NULL);
	assert_true(bed->kernel.limits.memory_used - before < 2u << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(finds_what_path_resolution_says),
		TESTBED(refuses_names_that_are_too_long),
		TESTBED(follows_forty_links_and_no_more),
		TESTBED(openat2_keeps_to_its_bounds),
		TESTBED(asks_permission_to_search),
		TESTBED(a_root_of_ones_own_is_the_top),
		TESTBED(says_when_the_cwd_is_out_of_reach_or_gone),
		TESTBED(the_cache_does_not_outgrow_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
