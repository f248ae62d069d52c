/* SPDX-License-Identifier: Apache-2.0 */
/* The host's disk can be full for objects: pwrite(2) is one that says so. */
#include "kernel/fs/volumefs_young.h"

#include <linux/falloc.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/volumebed.h"
#include "kernel/fs/volumefs_node.h"
#include "volume/cipher.h"

/* More than a slice, less than the volume has inodes. */
#define MANY 50

static struct disk {
	bool full;
	char reserve[80]; /* it is only as long as this has not been let go */
} disk;

static bool is_full(void)
{
	struct stat st;

	return disk.full && (!disk.reserve[0] ||
	                     (stat(disk.reserve, &st) == 0 && st.st_size > 0));
}

/* In the place of libc's. */
ssize_t pwrite(int fd, const void *from, size_t size, off_t at)
{
	char link[64], path[256] = "";

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (is_full() && readlink(link, path, sizeof(path) - 1) > 0 &&
	    strstr(path, "/objects/")) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, from, size, at);
}

static struct volumefs *fs_of(const struct fixture *x)
{
	return list_first(&x->bed->kernel.world->volumes, struct volumefs,
	                  in_world);
}

/* The clock that stamps files goes on. */
static void pass_a_tick(void)
{
	struct timespec was, now;

	clock_gettime(CLOCK_REALTIME_COARSE, &was);
	do
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	while (now.tv_sec == was.tv_sec && now.tv_nsec == was.tv_nsec);
}

static bool not_older(abi_timespec a, abi_timespec b)
{
	return a.sec > b.sec || (a.sec == b.sec && a.nsec >= b.nsec);
}

static void put_many(struct fixture *x)
{
	char name[16];

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "/v/%d", i);
		put(x, name, name);
	}
}

static void many_are_there(struct fixture *x)
{
	char name[16];

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "/v/%d", i);
		assert_string_equal(text_of(x, name), name);
	}
}

/* But for blocks: hosts have their own ways to count them. */
static void same(const abi_stat *now, const abi_stat *before)
{
	abi_stat st = *now;

	st.blocks = before->blocks;
	assert_memory_equal(&st, before, sizeof(st));
}

static void its_object_comes_with_the_batch(void **state)
{
	struct fixture *x = *state;
	abi_stat before, after;

	put(x, "/v/f", "some");
	put(x, "/v/f", " text");
	assert_int_equal(objects(x), 0);
	assert_string_equal(text_of(x, "/v/f"), "some text");
	before = stat_of(x, "/v/f");
	assert_int_equal(before.size, 9);
	assert_true(before.blocks > 0);
	/* What the host does later is not seen. */
	pass_a_tick();
	sync_all(x);
	assert_int_equal(objects(x), 1);
	after = stat_of(x, "/v/f");
	same(&after, &before);
	assert_string_equal(text_of(x, "/v/f"), "some text");
	checked(x);
	after = stat_of(x, "/v/f");
	assert_memory_equal(&after.mtime, &before.mtime, sizeof(after.mtime));
	assert_memory_equal(&after.ctime, &before.ctime, sizeof(after.ctime));
	assert_string_equal(text_of(x, "/v/f"), "some text");
}

static void times_move_as_they_do_with_an_object(void **state)
{
	struct fixture *x = *state;
	const struct timespec set[2] = {{5, 6}, {7, 8}};
	abi_stat st[2];

	for (int old = 0; old < 2; old++) {
		put(x, "/v/f", "text");
		if (old)
			sync_all(x);
		st[0] = stat_of(x, "/v/f");
		pass_a_tick();
		put(x, "/v/f", "more");
		st[1] = stat_of(x, "/v/f");
		assert_true(st[1].mtime.nsec != st[0].mtime.nsec);
		assert_memory_equal(&st[1].ctime, &st[1].mtime,
		                    sizeof(st[1].mtime));
		assert_int_equal(testbed_call(x->bed, SYS_utimensat, AT_FDCWD,
		                              "/v/f", set, 0),
		                 0);
		st[0] = stat_of(x, "/v/f");
		assert_true(st[0].atime.sec == 5 && st[0].atime.nsec == 6);
		assert_true(st[0].mtime.sec == 7 && st[0].mtime.nsec == 8);
		assert_true(st[0].ctime.sec > 7);
		pass_a_tick();
		sync_all(x);
		st[1] = stat_of(x, "/v/f");
		same(&st[1], &st[0]);
		assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/f"), 0);
	}
}

/* Whatever the host stamps with, and however finely. */
static void what_is_written_later_is_not_older(void **state)
{
	struct fixture *x = *state;
	abi_stat old, new, then;

	put(x, "/v/old", "text");
	sync_all(x);
	for (int i = 0; i < 100; i++) {
		/* One that was looked at gets a finer stamp. */
		(void)stat_of(x, "/v/old");
		put(x, "/v/old", "+");
		put(x, "/v/new", "text");
		old = stat_of(x, "/v/old");
		new = stat_of(x, "/v/new");
		assert_true(not_older(new.mtime, old.mtime));
		assert_int_equal(
			testbed_call(x->bed, SYS_chmod, "/v/new", 0400), 0);
		then = stat_of(x, "/v/new");
		assert_true(not_older(then.ctime, new.ctime));
		put(x, "/v/old", "+");
		old = stat_of(x, "/v/old");
		assert_true(not_older(old.mtime, new.mtime));
		assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/new"), 0);
	}
}

static void what_goes_before_never_touches_the_host(void **state)
{
	struct fixture *x = *state;
	char path[80], event[512], text[8] = "";
	int seen = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	long fd;

	(void)snprintf(path, sizeof(path), "%s/objects", x->host);
	assert_true(inotify_add_watch(seen, path, IN_CREATE | IN_DELETE) >= 0);
	put(x, "/v/f", "short");
	assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/f"), 0);
	put(x, "/v/old", "1");
	put(x, "/v/new", "2");
	assert_int_equal(testbed_call(x->bed, SYS_rename, "/v/new", "/v/old"),
	                 0);
	assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/old"), 0);
	/* Open without a name: not even then. */
	fd = opened(x, "/v/g", O_RDWR | O_CREAT);
	assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/g"), 0);
	assert_int_equal(testbed_call(x->bed, SYS_write, fd, "more", 4), 4);
	sync_all(x);
	assert_int_equal(testbed_call(x->bed, SYS_pread64, fd, text, 8, 0), 4);
	assert_string_equal(text, "more");
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	sync_all(x);
	assert_int_equal(read(seen, event, sizeof(event)), -1);
	assert_int_equal(errno, EAGAIN);
	close(seen);
	assert_int_equal(fs_of(x)->young.count, 0);
	assert_int_equal(fs_of(x)->young.bytes, 0);
	checked(x);
}

/* Names on the disk, each with a whole object, were the kernel to die now. */
static int names_left(struct fixture *x)
{
	char copy[96], command[512], path[160];
	struct volume_check_report r;
	struct vrecord_name e;
	struct volume *v;
	struct fault f;
	struct stat st;
	int64_t pos = 0;
	int count = 0;
	int dir;

	(void)snprintf(copy, sizeof(copy), "%s/copy", x->host);
	(void)snprintf(command, sizeof(command),
	               "rm -rf %s && mkdir %s && cd %s && cp -r header lock "
	               "meta.mdb objects open copy",
	               copy, copy, x->host);
	assert_int_equal(system(command), 0);
	dir = open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(volume_open(dir, NULL, &v, &f), 0);
	while (tree_name_at(v, VRECORD_ROOT, &pos, &e) == 0) {
		(void)snprintf(path, sizeof(path), "%s/objects/%llu", copy,
		               (unsigned long long)e.ino);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, strlen("/v/") + e.name.size);
		pos++;
		count++;
	}
	assert_int_equal(volume_check(v, VOLUME_CHECK_CONTENTS, told, NULL, &r),
	                 0);
	assert_int_equal(volume_close(v), 0);
	close(dir);
	return count;
}

static void no_name_is_safe_before_its_contents(void **state)
{
	struct fixture *x = *state;
	long fd;

	put_many(x);
	assert_int_equal(names_left(x), 0);
	/* One is made safe, and has all the others with it. */
	put(x, "/v/f", "/v/f");
	fd = opened(x, "/v/f", O_RDONLY);
	assert_int_equal(fsync_of(x, fd), 0);
	assert_int_equal(names_left(x), MANY + 1);
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	many_are_there(x);
}

static void a_full_disk_refuses_the_batch(void **state)
{
	struct fixture *x = *state;
	const int new = O_WRONLY | O_CREAT;
	long dir = opened(x, "/v", O_RDONLY | O_DIRECTORY);
	long err;

	put_many(x);
	disk.full = true;
	assert_int_equal(fsync_of(x, dir), -ENOSPC);
	err = testbed_call(x->bed, SYS_openat, AT_FDCWD, "/v/f", new, 0600);
	assert_int_equal(err, -ENOSPC);
	many_are_there(x);
	/* Taking away goes on, but not to the disk. */
	assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/0"), 0);
	assert_int_equal(fsync_of(x, dir), -ENOSPC);
	disk.full = false;
	if (!x->sealed)
		assert_int_equal(names_left(x), 0);
	assert_int_equal(fsync_of(x, dir), 0);
	put(x, "/v/0", "/v/0");
	many_are_there(x);
	checked(x);
	many_are_there(x);
}

static void the_reserve_is_for_them(void **state)
{
	struct fixture *x = *state;
	struct stat st;

	(void)snprintf(disk.reserve, sizeof(disk.reserve), "%s/reserve",
	               x->host);
	disk.full = true;
	put_many(x);
	sync_all(x);
	disk.full = false;
	assert_int_equal(objects(x), MANY);
	/* There is one again; without, none would be young. */
	assert_int_equal(stat(disk.reserve, &st), 0);
	assert_true((uint64_t)st.st_blocks * 512 >= VOLUME_LATER_MAX);
	fs_of(x)->volume->reserved = 0;
	put(x, "/v/f", "");
	assert_int_equal(objects(x), MANY + 1);
	checked(x);
	many_are_there(x);
}

/* Each needs the host's file. */
static long map_it(struct fixture *x, long fd)
{
	struct file *f = fd_get(x->bed->task, (int32_t)fd);
	struct file_object o;
	long err = f->ops->object(f, x->bed->task, PROT_READ, false, &o);

	file_put(f);
	return err;
}

static long enlarge(struct fixture *x, long fd)
{
	return testbed_call(x->bed, SYS_ftruncate, fd, 6);
}

static long skip_some(struct fixture *x, long fd)
{
	return testbed_call(x->bed, SYS_pwrite64, fd, "x", 1, 100);
}

static long write_much(struct fixture *x, long fd)
{
	static const char much[VOLUMEFS_YOUNG_SIZE] = "text";

	return testbed_call(x->bed, SYS_pwrite64, fd, much, sizeof(much), 1);
}

static long allocate(struct fixture *x, long fd)
{
	const int mode = x->sealed ? 0 : FALLOC_FL_KEEP_SIZE;

	return testbed_call(x->bed, SYS_fallocate, fd, mode, 0, 4096);
}

static void who_needs_the_object_gets_it(void **state)
{
	static long (*const need[])(struct fixture *, long) = {
		map_it, enlarge, skip_some, write_much, allocate, fsync_of};
	struct fixture *x = *state;
	char text[3] = "";

	for (unsigned i = 0; i < ARRAY_LEN(need); i++) {
		long fd = opened(x, "/v/f", O_RDWR | O_CREAT);

		assert_int_equal(testbed_call(x->bed, SYS_write, fd, "12", 2),
		                 2);
		assert_int_equal(objects(x), 0);
		assert_true(need[i](x, fd) >= 0);
		assert_int_equal(objects(x), 1);
		assert_int_equal(
			testbed_call(x->bed, SYS_pread64, fd, text, 1, 0), 1);
		assert_string_equal(text, "1");
		assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
		assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/f"), 0);
		checked(x);
		assert_int_equal(objects(x), 0);
	}
}

static void there_are_not_too_many(void **state)
{
	struct fixture *x = *state;
	struct volumefs_young *y = &fs_of(x)->young;
	const size_t many = VOLUMEFS_YOUNG_COUNT - 1;
	const uint64_t much = VOLUMEFS_YOUNG_BYTES - cipher_extent(4096);

	y->count += many;
	put(x, "/v/young", "1");
	assert_int_equal(objects(x), 0);
	put(x, "/v/old", "2");
	assert_int_equal(objects(x), 1);
	y->count -= many;
	/* The pages of one are left. */
	assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/young"), 0);
	y->bytes += much;
	put(x, "/v/last", "3");
	assert_int_equal(objects(x), 1);
	assert_int_equal(testbed_call(x->bed, SYS_pwrite64,
	                              opened(x, "/v/last", O_WRONLY),
	                              "45678901234567890", 17, 4090),
	                 17);
	assert_int_equal(objects(x), 2);
	y->bytes -= much;
	checked(x);
	assert_string_equal(text_of(x, "/v/old"), "2");
	assert_int_equal(stat_of(x, "/v/last").size, 4107);
}

static void they_outlive_the_mount(void **state)
{
	struct fixture *x = *state;

	put_many(x);
	assert_int_equal(testbed_call(x->bed, SYS_umount2, "/v", 0), 0);
	again(x);
	many_are_there(x);
	checked(x);
}

static void an_end_that_is_not_regular_makes_them_too(void **state)
{
	struct fixture *x = *state;

	put_many(x);
	volumefs_shutdown(&x->bed->kernel, false);
	testbed_destroy(x->bed);
	mount_volume(x);
	many_are_there(x);
}

static int healthy(void **state)
{
	disk = (struct disk){0};
	return teardown(state);
}

#define BOTH(f)                                             \
	cmocka_unit_test_setup_teardown(f, setup, healthy), \
		cmocka_unit_test_setup_teardown(f, setup_sealed, healthy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(its_object_comes_with_the_batch),
		BOTH(times_move_as_they_do_with_an_object),
		BOTH(what_is_written_later_is_not_older),
		BOTH(what_goes_before_never_touches_the_host),
		VOLUME(no_name_is_safe_before_its_contents),
		BOTH(a_full_disk_refuses_the_batch),
		BOTH(the_reserve_is_for_them),
		BOTH(who_needs_the_object_gets_it),
		BOTH(there_are_not_too_many),
		BOTH(they_outlive_the_mount),
		BOTH(an_end_that_is_not_regular_makes_them_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
