/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/inotify.h"

#include <linux/fcntl.h>
#include <linux/inotify.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/testbed.h"

#define CALL(...)  testbed_call(bed, __VA_ARGS__)
#define IS(n, ...) assert_int_equal(CALL(__VA_ARGS__), n)

static long instance(struct testbed *bed)
{
	long fd = CALL(SYS_inotify_init1, IN_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

static long watch(struct testbed *bed, long fd, const char *name, uint32_t mask)
{
	long wd = CALL(SYS_inotify_add_watch, fd, name, mask);

	assert_true(wd > 0);
	return wd;
}

static void touch(struct testbed *bed, const char *name)
{
	long fd = CALL(SYS_open, name, O_CREAT | O_RDWR, 0644);

	assert_true(fd >= 0);
	IS(0, SYS_close, fd);
}

/* The next event is this one; returns its cookie. */
static uint32_t expect(struct testbed *bed, long fd, long wd, uint32_t mask,
                       const char *name)
{
	struct {
		int32_t wd;
		uint32_t mask, cookie, len;
		char name[256];
	} e = {0};
	size_t room = sizeof(struct inotify_event) +
	              (*name ? round_up(strlen(name) + 1, 16) : 0);
	long n = CALL(SYS_read, fd, &e, room);

	if (n != (long)room || e.wd != wd || e.mask != mask ||
	    strcmp(e.name, name) != 0)
		fail_msg("wanted %x %s, got %ld: %x %s", mask, name, n, e.mask,
		         e.name);
	return e.cookie;
}

static void nothing_more(struct testbed *bed, long fd)
{
	char buf[512];

	IS(-EAGAIN, SYS_read, fd, buf, sizeof(buf));
}

static void tells_what_happens_in_a_directory(void **state)
{
	struct testbed *bed = *state;
	long fd = instance(bed), wd, f;

	IS(0, SYS_mkdir, "/d", 0755);
	wd = watch(bed, fd, "/d", IN_ALL_EVENTS);
	f = CALL(SYS_open, "/d/f", O_CREAT | O_RDWR, 0644);
	expect(bed, fd, wd, IN_CREATE, "f");
	expect(bed, fd, wd, IN_OPEN, "f");
	IS(1, SYS_write, f, "x", 1);
	expect(bed, fd, wd, IN_MODIFY, "f");
	IS(0, SYS_fchmod, f, 0600);
	expect(bed, fd, wd, IN_ATTRIB, "f");
	IS(0, SYS_close, f);
	expect(bed, fd, wd, IN_CLOSE_WRITE, "f");
	IS(0, SYS_truncate, "/d/f", 0);
	expect(bed, fd, wd, IN_MODIFY, "f");
	IS(0, SYS_mkdir, "/d/sub", 0755);
	expect(bed, fd, wd, IN_CREATE | IN_ISDIR, "sub");
	IS(0, SYS_unlink, "/d/f");
	expect(bed, fd, wd, IN_DELETE, "f");
	IS(0, SYS_rmdir, "/d/sub");
	expect(bed, fd, wd, IN_DELETE | IN_ISDIR, "sub");
	IS(0, SYS_rmdir, "/d");
	expect(bed, fd, wd, IN_DELETE_SELF, "");
	expect(bed, fd, wd, IN_IGNORED, "");
	nothing_more(bed, fd);
	IS(-EINVAL, SYS_inotify_rm_watch, fd, wd);
}

static void ties_the_ends_of_a_move(void **state)
{
	struct testbed *bed = *state;
	long fd = instance(bed), a, b, f;
	uint32_t cookie;

	IS(0, SYS_mkdir, "/a", 0755);
	IS(0, SYS_mkdir, "/b", 0755);
	touch(bed, "/a/x");
	a = watch(bed, fd, "/a", IN_MOVE);
	b = watch(bed, fd, "/b", IN_MOVE);
	f = watch(bed, fd, "/a/x", IN_MOVE_SELF);
	IS(0, SYS_rename, "/a/x", "/b/y");
	cookie = expect(bed, fd, a, IN_MOVED_FROM, "x");
	assert_int_not_equal(cookie, 0);
	assert_int_equal(expect(bed, fd, b, IN_MOVED_TO, "y"), cookie);
	expect(bed, fd, f, IN_MOVE_SELF, "");
	nothing_more(bed, fd);
}

static void a_file_is_gone_when_nobody_has_it(void **state)
{
	struct testbed *bed = *state;
	long fd = instance(bed), wd, f;

	touch(bed, "/f");
	f = CALL(SYS_open, "/f", O_RDONLY);
	wd = watch(bed, fd, "/f", IN_ALL_EVENTS);
	IS(0, SYS_unlink, "/f");
	expect(bed, fd, wd, IN_ATTRIB, "");
	nothing_more(bed, fd);
	IS(0, SYS_close, f);
	expect(bed, fd, wd, IN_CLOSE_NOWRITE, "");
	expect(bed, fd, wd, IN_DELETE_SELF, "");
	expect(bed, fd, wd, IN_IGNORED, "");
}

static void masks_can_be_changed(void **state)
{
	struct testbed *bed = *state;
	long fd = instance(bed), wd;

	touch(bed, "/f");
	wd = watch(bed, fd, "/f", IN_ATTRIB | IN_ONESHOT);
	IS(-EEXIST, SYS_inotify_add_watch, fd, "/f", IN_OPEN | IN_MASK_CREATE);
	assert_int_equal(watch(bed, fd, "/f", IN_OPEN | IN_MASK_ADD), wd);
	touch(bed, "/f");
	expect(bed, fd, wd, IN_OPEN, "");
	expect(bed, fd, wd, IN_IGNORED, "");
	nothing_more(bed, fd);
	assert_int_not_equal(watch(bed, fd, "/f", IN_OPEN), wd);
	IS(-ENOTDIR, SYS_inotify_add_watch, fd, "/f", IN_OPEN | IN_ONLYDIR);
	IS(-EINVAL, SYS_inotify_add_watch, fd, "/f", 0);
	IS(-ENOENT, SYS_inotify_add_watch, fd, "/none", IN_OPEN);
	IS(-EINVAL, SYS_inotify_add_watch, CALL(SYS_open, "/f", O_RDONLY), "/f",
	   IN_OPEN);
}

static void an_unmount_ends_watches(void **state)
{
	struct testbed *bed = *state;
	long fd = instance(bed), wd;

	IS(0, SYS_mkdir, "/m", 0755);
	IS(0, SYS_mount, "none", "/m", "tmpfs", 0, 0);
	wd = watch(bed, fd, "/m", IN_CREATE);
	IS(0, SYS_umount2, "/m", 0);
	expect(bed, fd, wd, IN_UNMOUNT, "");
	expect(bed, fd, wd, IN_IGNORED, "");
}

static void the_queue_overflows_once(void **state)
{
	struct testbed *bed = *state;
	long fd = instance(bed), wd, n, total = 0;
	char name[32], buf[3200];
	uint32_t last = 0;
	int bytes;

	wd = watch(bed, fd, "/", IN_CREATE);
	assert_true(wd > 0);
	for (int i = 0; i < 16500; i++) {
		(void)snprintf(name, sizeof(name), "/n%05d", i);
		IS(0, SYS_mknod, name, S_IFREG | 0600, 0);
	}
	IS(0, SYS_ioctl, fd, FIONREAD, &bytes);
	while ((n = CALL(SYS_read, fd, buf, sizeof(buf))) > 0) {
		struct inotify_event e;

		total += n;
		for (long at = 0; at < n; at += (long)(sizeof(e) + e.len)) {
			memcpy(&e, buf + at, sizeof(e));
			last = e.mask;
		}
	}
	assert_int_equal(bytes, total);
	assert_int_equal(last, IN_Q_OVERFLOW);
	assert_int_equal(total, 16384 * 32 + 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(tells_what_happens_in_a_directory),
		TESTBED(ties_the_ends_of_a_move),
		TESTBED(a_file_is_gone_when_nobody_has_it),
		TESTBED(masks_can_be_changed),
		TESTBED(an_unmount_ends_watches),
		TESTBED(the_queue_overflows_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
