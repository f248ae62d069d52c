/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/node.h"

#include <dirent.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

#define CALL(...)  testbed_call(bed, __VA_ARGS__)
#define IS(n, ...) assert_int_equal(CALL(__VA_ARGS__), n)

static void put(struct testbed *bed, const char *name, const char *text)
{
	long fd = CALL(SYS_open, name, O_CREAT | O_TRUNC | O_RDWR, 0644);

	assert_true(fd >= 0);
	IS((long)strlen(text), SYS_write, fd, text, strlen(text));
	IS(0, SYS_close, fd);
}

static bool holds(struct testbed *bed, const char *name, const char *text)
{
	char have[64] = {0};
	long fd = CALL(SYS_open, name, O_RDONLY);

	if (fd < 0)
		return false;
	assert_true(CALL(SYS_read, fd, have, sizeof(have) - 1) >= 0);
	IS(0, SYS_close, fd);
	return strcmp(have, text) == 0;
}

static bool exists(struct testbed *bed, const char *name)
{
	abi_stat st;

	return CALL(SYS_lstat, name, &st) == 0;
}

static void makes_and_removes(void **state)
{
	struct testbed *bed = *state;
	abi_stat st;

	IS(0, SYS_mkdir, "/d", 0777);
	IS(-EEXIST, SYS_mkdir, "/d", 0777);
	IS(-EEXIST, SYS_mkdir, "/", 0777);
	IS(-EEXIST, SYS_mkdir, "/d/.", 0777);
	IS(-ENOENT, SYS_mkdir, "/no/d", 0777);
	IS(0, SYS_mkdir, "/d/e/", 0777);
	IS(-ENOENT, SYS_mknod, "/d/f/", S_IFREG | 0644, 0);
	IS(0, SYS_mknod, "/d/f", S_IFREG | 0666, 0);
	IS(0, SYS_stat, "/d/f", &st);
	assert_int_equal(st.mode, S_IFREG | 0644); /* umask 022 */
	IS(-ENOTEMPTY, SYS_rmdir, "/d");
	IS(-ENOTDIR, SYS_rmdir, "/d/f");
	IS(-EISDIR, SYS_unlink, "/d/e");
	IS(-EINVAL, SYS_rmdir, "/d/.");
	IS(-ENOTEMPTY, SYS_rmdir, "/d/..");
	IS(-EBUSY, SYS_rmdir, "/");
	IS(-ENOTDIR, SYS_unlink, "/d/f/");
	IS(0, SYS_unlink, "/d/f");
	IS(-ENOENT, SYS_unlink, "/d/f");
	IS(0, SYS_rmdir, "/d/e/");
	IS(0, SYS_rmdir, "/d");
	assert_false(exists(bed, "/d"));
	IS(-EPERM, SYS_mknod, "/dir", S_IFDIR | 0755, 0);
	IS(-EINVAL, SYS_mknod, "/dir", S_IFLNK | 0755, 0);
}

static void links(void **state)
{
	struct testbed *bed = *state;
	char text[8];
	abi_stat st;

	put(bed, "/f", "one");
	IS(0, SYS_link, "/f", "/g");
	IS(-EEXIST, SYS_link, "/f", "/g");
	IS(0, SYS_stat, "/g", &st);
	assert_int_equal(st.nlink, 2);
	IS(0, SYS_unlink, "/f");
	assert_true(holds(bed, "/g", "one"));
	IS(-EPERM, SYS_link, "/", "/h");
	IS(0, SYS_symlink, "g", "/s");
	IS(-ENOENT, SYS_symlink, "", "/t");
	IS(-EEXIST, SYS_symlink, "g", "/s");
	IS(1, SYS_readlink, "/s", text, sizeof(text));
	IS(-EINVAL, SYS_readlink, "/g", text, sizeof(text));
	IS(-EINVAL, SYS_readlink, "/s", text, 0);
	assert_true(holds(bed, "/s", "one"));
	/* link(2) does not follow; linkat(2) may. */
	IS(0, SYS_link, "/s", "/s2");
	IS(0, SYS_lstat, "/s2", &st);
	assert_int_equal(st.mode & S_IFMT, S_IFLNK);
	IS(0, SYS_linkat, AT_FDCWD, "/s", AT_FDCWD, "/s3", AT_SYMLINK_FOLLOW);
	IS(0, SYS_lstat, "/s3", &st);
	assert_int_equal(st.mode & S_IFMT, S_IFREG);
}

static void renames(void **state)
{
	struct testbed *bed = *state;

	IS(0, SYS_mkdir, "/d", 0755);
	IS(0, SYS_mkdir, "/d/e", 0755);
	IS(0, SYS_mkdir, "/empty", 0755);
	put(bed, "/f", "f");
	put(bed, "/g", "g");
	IS(0, SYS_rename, "/f", "/d/f");
	assert_false(exists(bed, "/f"));
	assert_true(holds(bed, "/d/f", "f"));
	IS(0, SYS_rename, "/g", "/d/f");
	assert_true(holds(bed, "/d/f", "g"));
	IS(-ENOENT, SYS_rename, "/g", "/h");
	IS(-EINVAL, SYS_rename, "/d", "/d/e/d");
	IS(-EINVAL, SYS_rename, "/d", "/d/x");
	IS(-ENOTEMPTY, SYS_rename, "/d/f", "/d");
	IS(-ENOTEMPTY, SYS_rename, "/empty", "/d");
	IS(-EISDIR, SYS_rename, "/d/f", "/empty");
	IS(-ENOTDIR, SYS_rename, "/empty", "/d/f");
	IS(-EBUSY, SYS_rename, "/d/.", "/x");
	IS(-ENOTDIR, SYS_rename, "/d/f/", "/x");
	IS(-ENOTDIR, SYS_rename, "/d/f", "/x/");
	IS(0, SYS_rename, "/d", "/empty");
	assert_true(holds(bed, "/empty/f", "g"));
	assert_true(exists(bed, "/empty/e/../e"));
	/* Two names of one file: nothing happens. */
	IS(0, SYS_link, "/empty/f", "/same");
	IS(0, SYS_rename, "/empty/f", "/same");
	assert_true(exists(bed, "/empty/f") && exists(bed, "/same"));
}

static void renames_as_the_flags_say(void **state)
{
	struct testbed *bed = *state;

#define RENAME(from, to, flags) \
	SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags
	IS(0, SYS_mkdir, "/d", 0755);
	put(bed, "/d/long name of more than thirty-two bytes", "in d");
	put(bed, "/f", "f");
	IS(-EEXIST, RENAME("/f", "/d", RENAME_NOREPLACE));
	IS(0, RENAME("/f", "/g", RENAME_NOREPLACE));
	IS(-ENOENT, RENAME("/g", "/none", RENAME_EXCHANGE));
	IS(-EINVAL, RENAME("/g", "/d", RENAME_EXCHANGE | RENAME_NOREPLACE));
	IS(-EINVAL, RENAME("/g", "/d", 0x80));
	IS(0, RENAME("/g", "/d", RENAME_EXCHANGE));
	assert_true(holds(bed, "/d", "f"));
	assert_true(holds(bed, "/g/long name of more than thirty-two bytes",
	                  "in d"));
	IS(0, RENAME("/g/long name of more than thirty-two bytes", "/d",
	             RENAME_EXCHANGE));
	assert_true(holds(bed, "/d", "in d"));
	assert_true(
		holds(bed, "/g/long name of more than thirty-two bytes", "f"));
}

static void the_sticky_bit_keeps_others_away(void **state)
{
	struct testbed *bed = *state;

	IS(0, SYS_mkdir, "/tmp", 0);
	IS(0, SYS_chmod, "/tmp", 01777);
	put(bed, "/tmp/root", "r");
	testbed_become(bed, 1000);
	put(bed, "/tmp/mine", "m");
	IS(-EPERM, SYS_unlink, "/tmp/root");
	IS(-EPERM, SYS_rename, "/tmp/root", "/tmp/x");
	IS(-EPERM, SYS_rename, "/tmp/mine", "/tmp/root");
	IS(0, SYS_rename, "/tmp/mine", "/tmp/my");
	IS(-EACCES, SYS_mkdir, "/no", 0755);
	IS(-EACCES, SYS_unlink, "/tmp");
	IS(0, SYS_unlink, "/tmp/my");
}

static void groups_go_with_the_directory(void **state)
{
	struct testbed *bed = *state;
	abi_stat st;

	IS(0, SYS_mkdir, "/d", 0755);
	IS(0, SYS_chown, "/d", -1, 50);
	IS(0, SYS_chmod, "/d", 02755);
	IS(0, SYS_mkdir, "/d/e", 0755);
	put(bed, "/d/f", "");
	IS(0, SYS_stat, "/d/e", &st);
	assert_int_equal(st.gid, 50);
	assert_int_equal(st.mode & 07777, 02755);
	IS(0, SYS_stat, "/d/f", &st);
	assert_int_equal(st.gid, 50);
	assert_int_equal(st.mode & 07777, 0644);
}

static void a_writer_does_not_keep_set_id_bits(void **state)
{
	struct testbed *bed = *state;
	abi_stat st;
	long fd;

	put(bed, "/f", "x");
	IS(0, SYS_chown, "/f", 7, 7);
	IS(0, SYS_chmod, "/f", 06777);
	IS(0, SYS_stat, "/f", &st);
	assert_int_equal(st.mode & 07777, 06777);
	testbed_become(bed, 8);
	fd = CALL(SYS_open, "/f", O_WRONLY);
	IS(1, SYS_write, fd, "y", 1);
	IS(0, SYS_stat, "/f", &st);
	assert_int_equal(st.mode & 07777, 0777);
	testbed_become(bed, 7);
	IS(0, SYS_chmod, "/f", 04755);
	IS(0, SYS_chown, "/f", 7, 7);
	IS(0, SYS_stat, "/f", &st);
	assert_int_equal(st.mode & 07777, 0755);
}

static void lists_each_entry_once(void **state)
{
	struct testbed *bed = *state;
	uint8_t buf[128];
	unsigned seen[100] = {0}, dots = 0;
	char name[32];
	long fd, n;

	IS(0, SYS_mkdir, "/d", 0755);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "/d/entry-%d", i);
		put(bed, name, "");
	}
	fd = CALL(SYS_open, "/d", O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	IS(-EINVAL, SYS_getdents64, fd, buf, 8);
	while ((n = CALL(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			struct dirent64 e;
			unsigned i;

			memcpy(&e, buf + at,
			       MIN(sizeof(e), sizeof(buf) - (size_t)at));
			at += e.d_reclen;
			if (e.d_name[0] == '.')
				dots++;
			else if (sscanf(e.d_name, "entry-%u", &i) == 1)
				seen[i]++;
		}
	}
	assert_int_equal(n, 0);
	assert_int_equal(dots, 2);
	for (int i = 0; i < 100; i++)
		assert_int_equal(seen[i], 1);
}

static void nameless_files_may_get_a_name(void **state)
{
	struct testbed *bed = *state;
	long fd = CALL(SYS_open, "/", O_TMPFILE | O_RDWR, 0600);
	abi_stat st;

	assert_true(fd >= 0);
	IS(0, SYS_fstat, fd, &st);
	assert_int_equal(st.nlink, 0);
	IS(3, SYS_write, fd, "abc", 3);
	IS(0, SYS_linkat, fd, "", AT_FDCWD, "/named", AT_EMPTY_PATH);
	assert_true(holds(bed, "/named", "abc"));
	fd = CALL(SYS_open, "/", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	assert_true(fd >= 0);
	IS(-ENOENT, SYS_linkat, fd, "", AT_FDCWD, "/other", AT_EMPTY_PATH);
	IS(-EINVAL, SYS_open, "/", O_TMPFILE | O_RDONLY, 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(makes_and_removes),
		TESTBED(links),
		TESTBED(renames),
		TESTBED(renames_as_the_flags_say),
		TESTBED(the_sticky_bit_keeps_others_away),
		TESTBED(groups_go_with_the_directory),
		TESTBED(a_writer_does_not_keep_set_id_bits),
		TESTBED(lists_each_entry_once),
		TESTBED(nameless_files_may_get_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
