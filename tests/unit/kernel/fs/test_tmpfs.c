/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/tmpfs.h"

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
#include "kernel/fs/world.h"
#include "kernel/testbed.h"

#define LARGE ((size_t)300000)

static long opened(struct testbed *b, const char *name, int flags)
{
	long fd = testbed_call(b, SYS_openat, AT_FDCWD, name, flags, 0644);

	assert_true(fd >= 0);
	return fd;
}

/* Bytes as the pattern of their place has them. */
static uint8_t at(size_t i)
{
	return (uint8_t)(i * 7 + i / 256);
}

static void contents_survive_growing(void **state)
{
	struct testbed *b = *state;
	autofree uint8_t *data = malloc(LARGE);
	autofree uint8_t *back = malloc(LARGE);
	long fd = opened(b, "/f", O_RDWR | O_CREAT);

	for (size_t i = 0; i < LARGE; i++)
		data[i] = at(i);
	/* In steps that cross the border from buffer to memory file. */
	for (size_t done = 0; done < LARGE; done += 30000)
		assert_int_equal(
			testbed_call(b, SYS_write, fd, data + done, 30000),
			30000);
	assert_int_equal(testbed_call(b, SYS_pread64, fd, back, LARGE, 0),
	                 LARGE);
	assert_memory_equal(back, data, LARGE);
	assert_int_equal(testbed_call(b, SYS_ftruncate, fd, 1000), 0);
	assert_int_equal(testbed_call(b, SYS_ftruncate, fd, 2000), 0);
	assert_int_equal(testbed_call(b, SYS_pread64, fd, back, LARGE, 0),
	                 2000);
	assert_memory_equal(back, data, 1000);
	for (size_t i = 1000; i < 2000; i++)
		assert_int_equal(back[i], 0);
	assert_int_equal(testbed_call(b, SYS_close, fd), 0);
}

static void holes_cost_nothing_and_read_as_zero(void **state)
{
	struct testbed *b = *state;
	uint64_t used = b->kernel.limits.memory_used;
	uint8_t back[16];
	long fd = opened(b, "/f", O_RDWR | O_CREAT);
	int64_t far = 1ll << 40;

	assert_int_equal(testbed_call(b, SYS_pwrite64, fd, "x", 1, far), 1);
	assert_true(b->kernel.limits.memory_used - used < 65536);
	assert_int_equal(testbed_call(b, SYS_pread64, fd, back, 16, far - 15),
	                 16);
	assert_int_equal(back[0], 0);
	assert_int_equal(back[15], 'x');
	assert_int_equal(testbed_call(b, SYS_lseek, fd, 0, SEEK_DATA), far);
	assert_int_equal(
		testbed_call(b, SYS_fallocate, fd,
	                     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, far,
	                     4096),
		0);
	assert_int_equal(testbed_call(b, SYS_lseek, fd, 0, SEEK_DATA), -ENXIO);
	assert_int_equal(testbed_call(b, SYS_close, fd), 0);
}

static void a_full_file_system_says_so(void **state)
{
	struct testbed *b = *state;
	autofree uint8_t *data = calloc(1, LARGE);
	long fd = opened(b, "/f", O_RDWR | O_CREAT);
	long n;

	do
		n = testbed_call(b, SYS_write, fd, data, LARGE);
	while (n > 0);
	assert_int_equal(n, -ENOSPC);
	assert_int_equal(testbed_call(b, SYS_ftruncate, fd, 0), 0);
	assert_int_equal(testbed_call(b, SYS_pwrite64, fd, data, LARGE, 0),
	                 LARGE);
	assert_int_equal(testbed_call(b, SYS_close, fd), 0);
}

static void everything_is_given_back(void **state)
{
	struct testbed *b = *state;
	struct kernel *k = &b->kernel;
	struct superblock *sb;
	struct inode_new dir = {.mode = S_IFDIR | 0755};
	struct inode *at_dir;
	uint64_t used;

	/* Once, so that what is kept for good is there. */
	assert_int_equal(tmpfs_create(k, 16u << 20, 0755, &sb), 0);
	inode_superblock_put(sb);
	used = k->limits.memory_used;
	assert_int_equal(tmpfs_create(k, 16u << 20, 0755, &sb), 0);
	at_dir = sb->root;
	/* Deeper than any stack would bear. */
	for (int i = 0; i < 30000; i++) {
		struct inode *below = tmpfs_inode(sb, &dir);

		assert_non_null(below);
		assert_int_equal(tmpfs_enter(at_dir, span_str("d"), below), 0);
		inode_put(below);
		at_dir = below;
	}
	inode_superblock_put(sb);
	assert_int_equal(k->limits.memory_used, used);
}

struct listing {
	struct dirsink sink;
	int64_t next;
	unsigned count;
	unsigned most;
};

static bool take(struct dirsink *sink, struct span name, uint64_t ino,
                 uint8_t type, int64_t next)
{
	struct listing *r = container_of(sink, struct listing, sink);

	(void)name, (void)ino, (void)type;
	if (r->count == r->most)
		return false;
	assert_true(next > r->next);
	r->next = next;
	r->count++;
	return true;
}

/* Removing what was read is what rm -r does all day. */
static void reading_goes_on_while_names_go(void **state)
{
	struct testbed *b = *state;
	struct listing r = {.sink = {take}, .next = 2, .most = 10};
	struct file *f;
	char name[32];
	long fd;

	assert_int_equal(testbed_call(b, SYS_mkdir, "/d", 0755), 0);
	for (int i = 0; i < 500; i++) {
		(void)snprintf(name, sizeof(name), "/d/%d", i);
		assert_int_equal(
			testbed_call(b, SYS_mknod, name, S_IFREG | 0644, 0), 0);
	}
	fd = opened(b, "/d", O_RDONLY | O_DIRECTORY);
	f = fd_peek(b->task->fds, (int32_t)fd);
	for (int seen = 0; seen < 500; seen += 10) {
		f->pos = r.next;
		r.count = 0;
		assert_int_equal(f->ops->readdir(f, b->task, &r.sink), 0);
		assert_int_equal(r.count, 10);
		for (int i = seen; i < seen + 10; i++) {
			(void)snprintf(name, sizeof(name), "/d/%d", i);
			assert_int_equal(testbed_call(b, SYS_unlink, name), 0);
		}
	}
	assert_int_equal(testbed_call(b, SYS_close, fd), 0);
	assert_int_equal(testbed_call(b, SYS_rmdir, "/d"), 0);
}

static void renames_of_all_kinds(void **state)
{
	struct testbed *b = *state;
	abi_stat st;

	assert_int_equal(testbed_call(b, SYS_mkdir, "/a", 0755), 0);
	assert_int_equal(testbed_call(b, SYS_mkdir, "/b", 0755), 0);
	assert_int_equal(testbed_call(b, SYS_mkdir, "/b/c", 0755), 0);
	assert_int_equal(testbed_call(b, SYS_rename, "/a", "/b"), -ENOTEMPTY);
	assert_int_equal(testbed_call(b, SYS_rename, "/b", "/b/c/d"), -EINVAL);
	assert_int_equal(testbed_call(b, SYS_renameat2, AT_FDCWD, "/a",
	                              AT_FDCWD, "/b/c", RENAME_EXCHANGE),
	                 0);
	assert_int_equal(testbed_call(b, SYS_rename, "/a", "/b/c"), 0);
	assert_int_equal(testbed_call(b, SYS_stat, "/b", &st), 0);
	assert_int_equal(st.nlink, 3);
	assert_int_equal(testbed_call(b, SYS_stat, "/", &st), 0);
	assert_int_equal(st.nlink, 3);
}

static void seals_hold(void **state)
{
	struct testbed *b = *state;
	long fd = testbed_call(b, SYS_memfd_create, "m", MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(testbed_call(b, SYS_ftruncate, fd, 100), 0);
	assert_int_equal(testbed_call(b, SYS_fcntl, fd, F_ADD_SEALS,
	                              F_SEAL_GROW | F_SEAL_SHRINK),
	                 0);
	assert_int_equal(testbed_call(b, SYS_ftruncate, fd, 101), -EPERM);
	assert_int_equal(testbed_call(b, SYS_ftruncate, fd, 99), -EPERM);
	assert_int_equal(testbed_call(b, SYS_pwrite64, fd, "xy", 2, 99),
	                 -EPERM);
	assert_int_equal(testbed_call(b, SYS_pwrite64, fd, "x", 1, 99), 1);
	assert_int_equal(testbed_call(b, SYS_fcntl, fd, F_ADD_SEALS,
	                              F_SEAL_WRITE | F_SEAL_SEAL),
	                 0);
	assert_int_equal(testbed_call(b, SYS_pwrite64, fd, "x", 1, 0), -EPERM);
	assert_int_equal(
		testbed_call(b, SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE),
		-EPERM);
	assert_int_equal(testbed_call(b, SYS_close, fd), 0);
}

/* What grows takes of the disk, and of memory only what is small. */
static void large_files_go_to_the_disk(void **state)
{
	struct testbed *b = *state;
	struct superblock *sb;
	struct path at;
	static uint8_t block[65536];
	uint64_t used;
	uint64_t done = 0;
	long fd, n;

	world_spill(&b->kernel, open("/var/tmp", O_RDONLY | O_DIRECTORY));
	assert_int_equal(tmpfs_create(&b->kernel, UINT64_MAX, 0755, &sb), 0);
	tmpfs_use_disk(sb, 1 << 20);
	assert_int_equal(testbed_call(b, SYS_mkdir, "/d", 0755), 0);
	assert_int_equal(path_lookup(b->task, AT_FDCWD, "/d", 0, &at), 0);
	assert_int_equal(mount_add(&b->kernel, sb, &at, 0, "d", NULL), 0);
	inode_superblock_put(sb);
	path_put(&at);
	fd = opened(b, "/d/f", O_RDWR | O_CREAT);
	used = b->kernel.limits.memory_used;
	memset(block, 7, sizeof(block));
	while ((n = testbed_call(b, SYS_write, fd, block, sizeof(block))) > 0)
		done += (uint64_t)n;
	assert_int_equal(n, -ENOSPC);
	assert_int_equal(done, 1 << 20);
	assert_true(b->kernel.limits.memory_used <= used);
	memset(block, 0, sizeof(block));
	assert_int_equal(testbed_call(b, SYS_pread64, fd, block, 4096, 500000),
	                 4096);
	assert_int_equal(block[4095], 7);
	assert_int_equal(testbed_call(b, SYS_ftruncate, fd, 0), 0);
	assert_int_equal(testbed_call(b, SYS_lseek, fd, 0, SEEK_SET), 0);
	assert_int_equal(testbed_call(b, SYS_write, fd, block, sizeof(block)),
	                 sizeof(block));
	assert_int_equal(testbed_call(b, SYS_close, fd), 0);
	assert_int_equal(testbed_call(b, SYS_unlink, "/d/f"), 0);
	fd = opened(b, "/d/g", O_RDWR | O_CREAT);
	assert_int_equal(testbed_call(b, SYS_fallocate, fd, 0, 0, 1 << 20), 0);
	assert_int_equal(testbed_call(b, SYS_close, fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(contents_survive_growing),
		TESTBED(holes_cost_nothing_and_read_as_zero),
		TESTBED(a_full_file_system_says_so),
		TESTBED(everything_is_given_back),
		TESTBED(reading_goes_on_while_names_go),
		TESTBED(renames_of_all_kinds),
		TESTBED(seals_hold),
		TESTBED(large_files_go_to_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
