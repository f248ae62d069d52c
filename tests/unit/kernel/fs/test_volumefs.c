/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/volumefs.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/volumebed.h"
#include "kernel/fs/world.h"
#include "kernel/testbed.h"
#include "volume/tree.h"

static void everything_is_there_after_a_restart(void **state)
{
	struct fixture *x = *state;
	abi_stat before, after;
	char target[16] = "";

	assert_int_equal(testbed_call(x->bed, SYS_mkdir, "/v/d", 0750), 0);
	put(x, "/v/d/f", "hello");
	assert_int_equal(testbed_call(x->bed, SYS_link, "/v/d/f", "/v/two"), 0);
	assert_int_equal(testbed_call(x->bed, SYS_symlink, "d/f", "/v/l"), 0);
	assert_int_equal(
		testbed_call(x->bed, SYS_mknod, "/v/p", S_IFIFO | 0600, 0), 0);
	assert_int_equal(
		testbed_call(x->bed, SYS_mknod, "/v/n", S_IFCHR | 0666, 0x103),
		0);
	assert_int_equal(testbed_call(x->bed, SYS_chown, "/v/d/f", 7, 8), 0);
	assert_int_equal(testbed_call(x->bed, SYS_chmod, "/v/d/f", 04711), 0);
	assert_int_equal(testbed_call(x->bed, SYS_setxattr, "/v/d/f", "user.a",
	                              "value", 5, 0),
	                 0);
	before = stat_of(x, "/v/d/f");
	again(x);
	after = stat_of(x, "/v/d/f");
	assert_memory_equal(&after.mtime, &before.mtime, sizeof(after.mtime));
	assert_int_equal(after.ino, before.ino);
	assert_int_equal(after.mode, S_IFREG | 04711);
	assert_int_equal(after.uid, 7);
	assert_int_equal(after.gid, 8);
	assert_int_equal(after.nlink, 2);
	assert_int_equal(after.size, 5);
	assert_string_equal(text_of(x, "/v/two"), "hello");
	assert_string_equal(text_of(x, "/v/l"), "hello");
	assert_int_equal(testbed_call(x->bed, SYS_readlink, "/v/l", target, 16),
	                 3);
	assert_int_equal(stat_of(x, "/v/n").rdev, 0x103);
	assert_int_equal(stat_of(x, "/v/p").mode, S_IFIFO | 0600);
	assert_int_equal(stat_of(x, "/v/d").nlink, 2);
	assert_int_equal(stat_of(x, "/v").nlink, 3);
	assert_int_equal(testbed_call(x->bed, SYS_getxattr, "/v/d/f", "user.a",
	                              target, 16),
	                 5);
	assert_memory_equal(target, "value", 5);
}

static void the_host_sees_no_name_owner_or_mode(void **state)
{
	struct fixture *x = *state;
	char path[128];
	struct stat st;

	put(x, "/v/secret-name", "x");
	assert_int_equal(
		testbed_call(x->bed, SYS_chmod, "/v/secret-name", 06777), 0);
	assert_int_equal(
		testbed_call(x->bed, SYS_chown, "/v/secret-name", 1234, 1), 0);
	sync_all(x);
	(void)snprintf(path, sizeof(path), "%s/objects/%llu", x->host,
	               (unsigned long long)stat_of(x, "/v/secret-name").ino);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_uid, getuid());
}

static void the_limit_is_exact(void **state)
{
	struct fixture *x = *state;
	static char block[65536];
	long fd = opened(x, "/v/big", O_WRONLY | O_CREAT);
	uint64_t done = 0;
	long n;

	memset(block, 'x', sizeof(block));
	/* Steps that do not divide the limit. */
	while ((n = testbed_call(x->bed, SYS_write, fd, block, 50000)) > 0)
		done += (uint64_t)n;
	assert_int_equal(n, -ENOSPC);
	assert_int_equal(done, LIMIT);
	/* What is there can be written over, and made smaller. */
	assert_int_equal(testbed_call(x->bed, SYS_pwrite64, fd, block, 9, 77),
	                 9);
	assert_int_equal(testbed_call(x->bed, SYS_ftruncate, fd, LIMIT - 4096),
	                 0);
	assert_int_equal(testbed_call(x->bed, SYS_lseek, fd, 0, SEEK_END),
	                 LIMIT - 4096);
	assert_int_equal(testbed_call(x->bed, SYS_write, fd, block, 50000),
	                 4096);
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/big"), 0);
	put(x, "/v/other", "fits");
}

static void inodes_have_a_limit_too(void **state)
{
	struct fixture *x = *state;
	char name[32];
	long fd = 0;
	int made = 0;

	for (; made < 2 * INODES; made++) {
		(void)snprintf(name, sizeof(name), "/v/%d", made);
		fd = testbed_call(x->bed, SYS_openat, AT_FDCWD, name,
		                  O_WRONLY | O_CREAT, 0600);
		if (fd < 0)
			break;
		assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	}
	assert_int_equal(fd, -ENOSPC);
	assert_int_equal(made, INODES - 1); /* and the root */
	assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/3"), 0);
	put(x, "/v/again", "");
}

static void holes_are_free_and_filling_them_is_not(void **state)
{
	struct fixture *x = *state;
	static char block[65536];
	long fd = opened(x, "/v/sparse", O_RDWR | O_CREAT);
	uint64_t done = 0;
	long n;

	assert_int_equal(testbed_call(x->bed, SYS_ftruncate, fd, 8 * LIMIT), 0);
	memset(block, 'x', sizeof(block));
	while ((n = testbed_call(x->bed, SYS_write, fd, block, sizeof(block))) >
	       0)
		done += (uint64_t)n;
	assert_int_equal(n, -ENOSPC);
	assert_int_equal(done, LIMIT);
	assert_int_equal(
		testbed_call(x->bed, SYS_fallocate, fd,
	                     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
	                     65536),
		0);
	assert_int_equal(
		testbed_call(x->bed, SYS_pwrite64, fd, block, sizeof(block), 0),
		sizeof(block));
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
}

static void an_open_file_outlives_its_name(void **state)
{
	struct fixture *x = *state;
	char path[128];
	struct stat st;
	char text[8];
	long fd;

	put(x, "/v/f", "still");
	sync_all(x);
	fd = opened(x, "/v/f", O_RDONLY);
	(void)snprintf(path, sizeof(path), "%s/objects/%llu", x->host,
	               (unsigned long long)stat_of(x, "/v/f").ino);
	assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/f"), 0);
	assert_int_equal(testbed_call(x->bed, SYS_read, fd, text, 8), 5);
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	/* The object goes when the change is safe. */
	assert_int_equal(stat(path, &st), 0);
	sync_all(x);
	assert_int_equal(stat(path, &st), -1);
}

static void what_was_open_without_a_name_is_freed_at_the_end(void **state)
{
	struct fixture *x = *state;
	char path[128];
	struct stat st;
	long fd;

	put(x, "/v/f", "gone");
	sync_all(x);
	fd = opened(x, "/v/f", O_RDONLY);
	(void)snprintf(path, sizeof(path), "%s/objects/%llu", x->host,
	               (unsigned long long)stat_of(x, "/v/f").ino);
	assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/f"), 0);
	sync_all(x);
	assert_int_equal(stat(path, &st), 0);
	again(x);
	assert_int_equal(stat(path, &st), -1);
	(void)fd;
}

/* Were the power to fail now, /v/f and "safe" in it would be there. */
static void is_safe(struct fixture *x, uint32_t mode)
{
	struct volume *v;
	struct fault f;
	struct tree_node node;
	uint64_t ino;
	char copy[96], command[256];
	int dir;

	/* The folder as it is now, without an orderly end. */
	(void)snprintf(copy, sizeof(copy), "%s/copy", x->host);
	(void)snprintf(command, sizeof(command),
	               "mkdir %s && cd %s && cp -r header lock meta.mdb "
	               "objects open copy",
	               copy, x->host);
	assert_int_equal(system(command), 0);
	dir = open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(volume_open(dir, NULL, &v, &f), 0);
	assert_int_equal(
		tree_lookup(v, VRECORD_ROOT, span_str("f"), &ino, NULL), 0);
	assert_int_equal(ino, stat_of(x, "/v/f").ino);
	assert_int_equal(tree_load(v, ino, &node), 0);
	assert_int_equal(node.r.mode & 07777, mode);
	(void)snprintf(command, sizeof(command), "grep -q safe %s/objects/%llu",
	               copy, (unsigned long long)ino);
	assert_int_equal(system(command), 0);
	assert_int_equal(volume_close(v), 0);
	close(dir);
}

static void fsync_makes_the_file_its_name_and_its_data_safe(void **state)
{
	struct fixture *x = *state;
	long fd = opened(x, "/v/f", O_WRONLY | O_CREAT);

	assert_int_equal(testbed_call(x->bed, SYS_write, fd, "safe", 4), 4);
	assert_int_equal(testbed_call(x->bed, SYS_fchmod, fd, 0640), 0);
	assert_int_equal(fsync_of(x, fd), 0);
	is_safe(x, 0640);
}

static void a_synchronous_write_does_that_at_once(void **state)
{
	struct fixture *x = *state;
	long fd = opened(x, "/v/f", O_WRONLY | O_CREAT | O_DSYNC);
	long n;

	assert_int_equal(testbed_call(x->bed, SYS_fchmod, fd, 0604), 0);
	n = testbed_call(x->bed, SYS_write, fd, "safe", 4);
	assert_int_equal(n == -EWAIT ? testbed_wait(x->bed->task) : n, 4);
	is_safe(x, 0604);
	assert_string_equal(text_of(x, "/v/f"), "safe");
}

static void renames_as_linux_does(void **state)
{
	struct fixture *x = *state;
	struct testbed *b = x->bed;

	put(x, "/v/a", "a");
	put(x, "/v/b", "b");
	assert_int_equal(testbed_call(b, SYS_mkdir, "/v/d", 0755), 0);
	assert_int_equal(testbed_call(b, SYS_mkdir, "/v/e", 0755), 0);
	assert_int_equal(testbed_call(b, SYS_rename, "/v/a", "/v/b"), 0);
	assert_string_equal(text_of(x, "/v/b"), "a");
	assert_int_equal(testbed_call(b, SYS_rename, "/v/b", "/v/d"), -EISDIR);
	assert_int_equal(testbed_call(b, SYS_rename, "/v/d", "/v/b"), -ENOTDIR);
	put(x, "/v/e/x", "x");
	assert_int_equal(testbed_call(b, SYS_rename, "/v/d", "/v/e"),
	                 -ENOTEMPTY);
	assert_int_equal(testbed_call(b, SYS_renameat2, AT_FDCWD, "/v/b",
	                              AT_FDCWD, "/v/e", RENAME_EXCHANGE),
	                 0);
	assert_string_equal(text_of(x, "/v/e"), "a");
	assert_string_equal(text_of(x, "/v/b/x"), "x");
	assert_int_equal(testbed_call(b, SYS_rename, "/v/b", "/v/d/sub"), 0);
	assert_int_equal(stat_of(x, "/v").nlink, 3);
	assert_int_equal(stat_of(x, "/v/d").nlink, 3);
	again(x);
	assert_string_equal(text_of(x, "/v/d/sub/x"), "x");
	assert_string_equal(text_of(x, "/v/b"), "-2");
}

static void directories_are_read_in_pieces(void **state)
{
	struct fixture *x = *state;
	uint8_t batch[128];
	char name[32];
	bool seen[40] = {false};
	long fd, got;
	int count = 0;

	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "/v/%d", i);
		put(x, name, "");
	}
	fd = opened(x, "/v", O_RDONLY | O_DIRECTORY);
	while ((got = testbed_call(x->bed, SYS_getdents64, fd, batch,
	                           sizeof(batch))) > 0) {
		for (long at = 0; at < got;) {
			const char *n = (const char *)batch + at + 19;
			uint16_t size;

			memcpy(&size, batch + at + 16, sizeof(size));
			at += size;
			if (n[0] < '0' || n[0] > '9')
				continue;
			assert_false(seen[atoi(n)]);
			seen[atoi(n)] = true;
			count++;
		}
		/* Changes around do not disturb. */
		(void)snprintf(name, sizeof(name), "/v/new%d", count);
		assert_true(testbed_call(x->bed, SYS_symlink, "x", name) <= 0);
	}
	assert_true(count >= 40);
	for (int i = 0; i < 40; i++)
		assert_true(seen[i]);
}

static void attributes_are_kept_and_limited(void **state)
{
	struct fixture *x = *state;
	static char large[65536];
	char names[64];

	put(x, "/v/f", "");
	assert_int_equal(testbed_call(x->bed, SYS_setxattr, "/v/f", "user.one",
	                              large, sizeof(large), 0),
	                 0);
	assert_int_equal(testbed_call(x->bed, SYS_setxattr, "/v/f", "user.two",
	                              large, sizeof(large), 0),
	                 -ENOSPC);
	assert_int_equal(testbed_call(x->bed, SYS_setxattr, "/v/f", "user.two",
	                              "", 0, 0),
	                 0);
	assert_int_equal(testbed_call(x->bed, SYS_listxattr, "/v/f", names,
	                              sizeof(names)),
	                 18);
	assert_int_equal(
		testbed_call(x->bed, SYS_removexattr, "/v/f", "user.one"), 0);
	assert_int_equal(
		testbed_call(x->bed, SYS_removexattr, "/v/f", "user.one"),
		-ENODATA);
	again(x);
	assert_int_equal(testbed_call(x->bed, SYS_listxattr, "/v/f", names,
	                              sizeof(names)),
	                 9);
}

static void the_sums_are_right_after_all_kinds_of_writes(void **state)
{
	struct fixture *x = *state;
	struct testbed *b = x->bed;
	long fd = opened(x, "/v/a", O_RDWR | O_CREAT);

	assert_int_equal(testbed_call(b, SYS_pwrite64, fd, "x", 1, 9000), 1);
	assert_int_equal(testbed_call(b, SYS_ftruncate, fd, 100000), 0);
	assert_int_equal(testbed_call(b, SYS_pwrite64, fd, "x", 1, 50000), 1);
	assert_int_equal(testbed_call(b, SYS_ftruncate, fd, 5000), 0);
	assert_int_equal(testbed_call(b, SYS_close, fd), 0);
	put(x, "/v/b", "some");
	assert_int_equal(testbed_call(b, SYS_rename, "/v/a", "/v/b"), 0);
	checked(x);
	assert_int_equal(stat_of(x, "/v/b").size, 5000);
}

/* Twelve files /v/fN, and some objects made ahead; returns 12. */
static unsigned stock(struct fixture *x)
{
	unsigned count = 0;
	char name[16];
	long fd;

	for (; count < 12; count++) {
		(void)snprintf(name, sizeof(name), "/v/f%u", count);
		put(x, name, "text");
		fd = opened(x, name, O_RDONLY);
		assert_int_equal(fsync_of(x, fd), 0);
		assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	}
	while (objects(x) <= count) {
		fd = opened(x, name, O_WRONLY | O_APPEND);
		assert_int_equal(testbed_call(x->bed, SYS_write, fd, "+", 1),
		                 1);
		assert_int_equal(fsync_of(x, fd), 0);
		assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	}
	return count;
}

static void objects_are_made_ahead_and_none_is_left(void **state)
{
	struct fixture *x = *state;
	unsigned count = stock(x);

	put(x, "/v/g", "more");
	assert_string_equal(text_of(x, "/v/g"), "more");
	checked(x);
	assert_int_equal(objects(x), count + 1);
	assert_string_equal(text_of(x, "/v/g"), "more");
}

/* All objects were made long ago. */
static void age_objects(const struct fixture *x)
{
	const struct timespec old[2] = {{1, 0}, {1, 0}};
	int fd = openat(x->dir, "objects", O_RDONLY | O_DIRECTORY);
	DIR *dir = fdopendir(fd);
	const struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			assert_int_equal(utimensat(fd, e->d_name, old, 0), 0);
	(void)closedir(dir);
}

static void a_new_files_times_are_not_its_objects(void **state)
{
	struct fixture *x = *state;
	struct timespec t[2] = {{0, UTIME_OMIT}, {7, 0}};
	const int new = O_WRONLY | O_CREAT | O_EXCL;
	abi_stat before, st;
	char bytes[3] = "ab";
	long fd;

	(void)stock(x);
	age_objects(x);
	st = stat_of(x, "/v/f0");
	assert_int_equal(st.mtime.sec, x->sealed ? st.mtime.sec : 1);
	/* Empty, and never looked at while it was open. */
	fd = opened(x, "/v/empty", new);
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	st = stat_of(x, "/v/empty");
	assert_true(st.mtime.sec > 7 && st.atime.sec > 7);
	/* Written; what was seen while it was open is not changed by close. */
	fd = opened(x, "/v/seen", new);
	assert_int_equal(testbed_call(x->bed, SYS_write, fd, bytes, 2), 2);
	before = stat_of(x, "/v/seen");
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	st = stat_of(x, "/v/seen");
	assert_true(st.mtime.sec > 7 && st.atime.sec > 7);
	assert_memory_equal(&st.mtime, &before.mtime, sizeof(st.mtime));
	assert_memory_equal(&st.ctime, &before.ctime, sizeof(st.ctime));
	/* One time set before it is written, both behind. */
	fd = opened(x, "/v/set", new);
	assert_int_equal(testbed_call(x->bed, SYS_utimensat, fd, NULL, t, 0),
	                 0);
	assert_int_equal(testbed_call(x->bed, SYS_write, fd, bytes, 2), 2);
	assert_true(stat_of(x, "/v/set").mtime.sec > 7);
	t[0] = (struct timespec){6, 0};
	assert_int_equal(testbed_call(x->bed, SYS_utimensat, fd, NULL, t, 0),
	                 0);
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	/* Read before it is closed, and open at the end. */
	fd = opened(x, "/v/read", O_RDWR | O_CREAT);
	assert_int_equal(testbed_call(x->bed, SYS_read, fd, bytes, 2), 0);
	assert_true(stat_of(x, "/v/read").atime.sec > 7);
	(void)opened(x, "/v/open", new);
	checked(x);
	st = stat_of(x, "/v/set");
	assert_true(st.atime.sec == 6 && st.mtime.sec == 7);
	st = stat_of(x, "/v/open");
	assert_true(st.atime.sec > 7 && st.mtime.sec > 7);
}

static void a_mapping_and_the_file_are_one(void **state)
{
	struct fixture *x = *state;
	struct file_object o;
	struct file *f;
	long fd;
	char *at;

	put(x, "/v/f", "before");
	fd = opened(x, "/v/f", O_RDWR);
	f = fd_get(x->bed->task, (int32_t)fd);
	assert_int_equal(f->ops->object(f, x->bed->task, PROT_READ | PROT_WRITE,
	                                true, &o),
	                 0);
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, o.host_fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	assert_memory_equal(at, "before", 7);
	memcpy(at, "mapped", 6);
	assert_string_equal(text_of(x, "/v/f"), "mapped");
	assert_int_equal(testbed_call(x->bed, SYS_pwrite64, fd, "M", 1, 0), 1);
	assert_memory_equal(at, "Mapped", 6);
	at[5] = 'D';
	file_put(f);
	assert_int_equal(fsync_of(x, fd), 0);
	at[4] = 'E';
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	at[3] = 'P';
	munmap(at, 4096);
	checked(x);
	assert_string_equal(text_of(x, "/v/f"), "MapPED");
}

static void a_tampered_block_is_eio(void **state)
{
	struct fixture *x = *state;
	char path[128];
	int byte;
	FILE *s;
	long fd;

	put(x, "/v/f", "authentic");
	(void)snprintf(path, sizeof(path), "%s/objects/%llu", x->host,
	               (unsigned long long)stat_of(x, "/v/f").ino);
	again(x);
	s = fopen(path, "r+");
	assert_non_null(s);
	assert_int_equal(fseek(s, 4096 + 3, SEEK_SET), 0);
	byte = fgetc(s);
	assert_int_not_equal(byte, EOF);
	assert_int_equal(fseek(s, 4096 + 3, SEEK_SET), 0);
	assert_int_not_equal(fputc(byte ^ 1, s), EOF);
	assert_int_equal(fclose(s), 0);
	fd = opened(x, "/v/f", O_RDONLY);
	assert_int_equal(testbed_call(x->bed, SYS_read, fd, path, 9), -EIO);
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
}

static void the_wrong_key_is_refused(void **state)
{
	struct fixture *x = *state;
	static const struct span wrong = {
		(const uint8_t *)"0123456789abcdef0123456789abcdeX", 32};
	uint8_t key[HEADER_KEY] = {0};
	struct volume *v;
	struct fault f;

	unmount(x);
	assert_int_equal(volume_unlock(x->dir, wrong, key, &f), -EKEYREJECTED);
	assert_string_equal(f.text, "wrong key file");
	assert_int_equal(volume_open(x->dir, NULL, &v, &f), -EKEYREJECTED);
	assert_int_equal(volume_open(x->dir, key, &v, &f), -EKEYREJECTED);
	mount_volume(x);
}

static void the_host_sees_no_name_in_the_metadata(void **state)
{
	struct fixture *x = *state;
	char command[128];

	put(x, "/v/a-name-to-find", "x");
	sync_all(x);
	(void)snprintf(command, sizeof(command), "grep -q a-name %s/meta.mdb",
	               x->host);
	assert_int_equal(system(command) != 0, x->sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VOLUME(everything_is_there_after_a_restart),
		VOLUME(the_host_sees_no_name_owner_or_mode),
		VOLUME(the_limit_is_exact),
		VOLUME(inodes_have_a_limit_too),
		VOLUME(holes_are_free_and_filling_them_is_not),
		VOLUME(an_open_file_outlives_its_name),
		VOLUME(what_was_open_without_a_name_is_freed_at_the_end),
		VOLUME(fsync_makes_the_file_its_name_and_its_data_safe),
		VOLUME(a_synchronous_write_does_that_at_once),
		VOLUME(renames_as_linux_does),
		VOLUME(directories_are_read_in_pieces),
		VOLUME(attributes_are_kept_and_limited),
		VOLUME(the_sums_are_right_after_all_kinds_of_writes),
		VOLUME(objects_are_made_ahead_and_none_is_left),
		VOLUME(a_new_files_times_are_not_its_objects),
		VOLUME(a_mapping_and_the_file_are_one),
		VOLUME(the_host_sees_no_name_in_the_metadata),
		SEALED(everything_is_there_after_a_restart),
		SEALED(the_limit_is_exact),
		SEALED(an_open_file_outlives_its_name),
		SEALED(renames_as_linux_does),
		SEALED(directories_are_read_in_pieces),
		SEALED(attributes_are_kept_and_limited),
		SEALED(the_sums_are_right_after_all_kinds_of_writes),
		SEALED(objects_are_made_ahead_and_none_is_left),
		SEALED(a_new_files_times_are_not_its_objects),
		SEALED(a_mapping_and_the_file_are_one),
		SEALED(a_tampered_block_is_eio),
		SEALED(the_wrong_key_is_refused),
		SEALED(the_host_sees_no_name_in_the_metadata),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
