/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/mount.h"

#include <linux/fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/fs/world.h"
#include "kernel/testbed.h"

#define CALL(...)  testbed_call(bed, __VA_ARGS__)
#define IS(n, ...) assert_int_equal(CALL(__VA_ARGS__), n)

#define MNT_DETACH 2

static void touch(struct testbed *bed, const char *name)
{
	long fd = CALL(SYS_open, name, O_CREAT | O_RDWR, 0644);

	assert_true(fd >= 0);
	IS(0, SYS_close, fd);
}

static bool exists(struct testbed *bed, const char *name)
{
	abi_stat st;

	return CALL(SYS_stat, name, &st) == 0;
}

static void a_mount_hides_and_shows(void **state)
{
	struct testbed *bed = *state;
	abi_stat below, above;
	char cwd[64];

	IS(0, SYS_mkdir, "/m", 0755);
	touch(bed, "/m/below");
	IS(0, SYS_stat, "/m", &below);
	IS(0, SYS_mount, "none", "/m", "tmpfs", 0, "mode=0700,size=1m");
	IS(0, SYS_stat, "/m", &above);
	assert_int_not_equal(below.dev, above.dev);
	assert_int_equal(above.mode & 07777, 0700);
	assert_false(exists(bed, "/m/below"));
	IS(0, SYS_mkdir, "/m/sub", 0755);
	IS(0, SYS_chdir, "/m/sub");
	IS(7, SYS_getcwd, cwd, sizeof(cwd));
	assert_string_equal(cwd, "/m/sub");
	assert_true(exists(bed, "../../m/sub"));
	IS(-EBUSY, SYS_umount2, "/m", 0);
	IS(-EBUSY, SYS_rmdir, "/m");
	IS(-EBUSY, SYS_rename, "/m", "/n");
	IS(0, SYS_chdir, "/");
	IS(0, SYS_umount2, "/m", 0);
	IS(-EINVAL, SYS_umount2, "/m", 0);
	assert_true(exists(bed, "/m/below"));
}

static void binds_show_the_same(void **state)
{
	struct testbed *bed = *state;

	IS(0, SYS_mkdir, "/a", 0755);
	IS(0, SYS_mkdir, "/a/in", 0755);
	IS(0, SYS_mkdir, "/b", 0755);
	touch(bed, "/file");
	IS(0, SYS_mount, "none", "/a/in", "tmpfs", 0, 0);
	touch(bed, "/a/in/deep");
	IS(-ENOTDIR, SYS_mount, "/file", "/b", 0, MS_BIND, 0);
	IS(-ENOENT, SYS_mount, "/none", "/b", 0, MS_BIND, 0);
	IS(0, SYS_mount, "/a", "/b", 0, MS_BIND, 0);
	assert_true(exists(bed, "/b/in"));
	assert_false(exists(bed, "/b/in/deep"));
	touch(bed, "/b/new");
	assert_true(exists(bed, "/a/new"));
	IS(-EXDEV, SYS_link, "/b/new", "/other");
	IS(-EXDEV, SYS_rename, "/b/new", "/other");
	IS(0, SYS_umount2, "/b", 0);
	IS(0, SYS_mount, "/a", "/b", 0, MS_BIND | MS_REC, 0);
	assert_true(exists(bed, "/b/in/deep"));
	IS(-EBUSY, SYS_umount2, "/b", 0);
	IS(0, SYS_umount2, "/b", MNT_DETACH);
	assert_false(exists(bed, "/b/in"));
	assert_true(exists(bed, "/a/in/deep"));
}

static void flags_forbid(void **state)
{
	struct testbed *bed = *state;
	char options[64];
	struct mount *m;

	IS(0, SYS_mkdir, "/m", 0755);
	IS(0, SYS_mount, "none", "/m", "tmpfs", MS_NODEV | MS_NOEXEC, 0);
	IS(0, SYS_mknod, "/m/null", S_IFCHR | 0666, 0x103);
	IS(-EACCES, SYS_open, "/m/null", O_RDWR);
	touch(bed, "/m/program");
	IS(0, SYS_chmod, "/m/program", 0755);
	IS(-EACCES, SYS_access, "/m/program", 1);
	IS(0, SYS_mount, 0, "/m", 0, MS_REMOUNT | MS_RDONLY, 0);
	IS(0, SYS_access, "/m/program", 1);
	IS(-EROFS, SYS_access, "/m/program", 2);
	IS(-EROFS, SYS_open, "/m/program", O_RDWR);
	IS(-EROFS, SYS_open, "/m/new", O_RDWR | O_CREAT, 0644);
	IS(-EROFS, SYS_mkdir, "/m/d", 0755);
	IS(-EEXIST, SYS_mkdir, "/m/program", 0755);
	IS(-EROFS, SYS_unlink, "/m/program");
	IS(-EROFS, SYS_chmod, "/m/program", 0644);
	IS(-EROFS, SYS_truncate, "/m/program", 0);
	m = mount_next(&bed->kernel, mount_next(&bed->kernel, NULL));
	assert_non_null(m);
	(void)mount_options(m, options, sizeof(options));
	assert_string_equal(options, "ro");
	assert_null(mount_next(&bed->kernel, m));
}

static void only_root_may(void **state)
{
	struct testbed *bed = *state;

	IS(0, SYS_mkdir, "/m", 0777);
	IS(-ENODEV, SYS_mount, "none", "/m", "nothing", 0, 0);
	IS(-EBUSY, SYS_umount2, "/", 0);
	testbed_become(bed, 1000);
	IS(-EPERM, SYS_mount, "none", "/m", "tmpfs", 0, 0);
	IS(-EPERM, SYS_umount2, "/m", 0);
}

static void a_mount_moves(void **state)
{
	struct testbed *bed = *state;

	IS(0, SYS_mkdir, "/a", 0755);
	IS(0, SYS_mkdir, "/b", 0755);
	IS(0, SYS_mount, "none", "/a", "tmpfs", 0, 0);
	touch(bed, "/a/f");
	IS(0, SYS_mkdir, "/a/d", 0755);
	IS(-ELOOP, SYS_mount, "/a", "/a/d", 0, MS_MOVE, 0);
	IS(0, SYS_mount, "/a", "/b", 0, MS_MOVE, 0);
	assert_true(exists(bed, "/b/f"));
	assert_false(exists(bed, "/a/f"));
	IS(-EINVAL, SYS_mount, "/a", "/b", 0, MS_MOVE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(a_mount_hides_and_shows),
		TESTBED(binds_show_the_same),
		TESTBED(flags_forbid),
		TESTBED(only_root_may),
		TESTBED(a_mount_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
