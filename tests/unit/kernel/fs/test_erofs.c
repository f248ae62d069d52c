/* SPDX-License-Identifier: Apache-2.0 */
/* A small template image, written by our writer and mounted at /e. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "image/imgmade.h"
#include "kernel/fs/erofs.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/mount.h"
#include "kernel/testbed.h"

#define LONG_SIZE (600u * 4096u + 5)

struct fixture {
	struct testbed *bed;
	struct imgmade made;
};

static const uint8_t bind_cap[20] = {1, 0, 0, 2, 0, 4};

/* u::rw-,u:1000:r--,g::---,m::r--,o::--- */
static const uint8_t list[4 + 5 * 8] = {
	2, 0,   0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,  4,
	0, 232, 3,   0,   0,   4,   0,  0, 0,   255, 255, 255, 255, 16, 0,
	4, 0,   255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255};

static void fill(struct imgmade *m)
{
	autofree uint8_t *bytes = malloc(LONG_SIZE);
	struct imgtree_file *file;

	assert_non_null(bytes);
	for (size_t i = 0; i < LONG_SIZE; i++)
		bytes[i] = (uint8_t)(i / 4096 + i);
	(void)imgmade_text(m, "small", 0644, span_str("small"));
	(void)imgmade_text(m, "long", 0644, (struct span){bytes, LONG_SIZE});
	(void)imgmade_text(m, "hidden", 0600, span_str("hidden"));
	(void)imgmade_add(m, "dir", S_IFDIR | 0750);
	for (int n = 0; n < 300; n++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "dir/name-%d", n);
		(void)imgmade_add(m, name, S_IFIFO | 0600);
	}
	imgmade_add(m, "link", S_IFLNK | 0777)->target = span_str("dir/x");
	file = imgmade_text(m, "prog", 0755, span_str("prog"));
	assert_int_equal(imgtree_set_xattr(&m->w.tree, file,
	                                   "security.capability",
	                                   (struct span){bind_cap, 20}),
	                 0);
	file = imgmade_text(m, "listed", 0640, span_str("listed"));
	assert_int_equal(imgtree_set_xattr(&m->w.tree, file,
	                                   "system.posix_acl_access",
	                                   (struct span){list, sizeof(list)}),
	                 0);
}

static int open_image(struct fixture *x, struct superblock **sb)
{
	struct erofs_options o = {
		.main_fd = dup(x->made.main_fd),
		.data_fd = dup(x->made.data_fd),
		.tree_fd = dup(x->made.tree_fd),
	};
	struct fault f;

	merkle_root(&x->made.head, o.root);
	return erofs_create(&x->bed->kernel, &o, sb, &f);
}

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct superblock *sb;
	struct path at;

	imgmade_begin(&x->made);
	fill(&x->made);
	imgmade_finish(&x->made);
	x->bed = testbed_create(0);
	assert_int_equal(open_image(x, &sb), 0);
	assert_int_equal(testbed_call(x->bed, SYS_mkdir, "/e", 0755), 0);
	assert_int_equal(path_lookup(x->bed->task, AT_FDCWD, "/e", 0, &at), 0);
	assert_int_equal(mount_add(&x->bed->kernel, sb, &at, 0, "e", NULL), 0);
	inode_superblock_put(sb);
	path_put(&at);
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	testbed_destroy(x->bed);
	imgmade_end(&x->made);
	free(x);
	return 0;
}

static long open_in(struct fixture *x, const char *path, int flags)
{
	return testbed_call(x->bed, SYS_open, path, flags, 0644);
}

/* A call that may be put off until a helper has checked the blocks. */
static long finished(struct fixture *x, long result)
{
	return result == -EWAIT ? testbed_wait(x->bed->task) : result;
}

static void shows_what_is_in_it(void **state)
{
	struct fixture *x = *state;
	abi_stat st;
	char text[64];
	long fd;

	assert_int_equal(testbed_call(x->bed, SYS_lstat, "/e/link", &st), 0);
	assert_int_equal(st.mode, S_IFLNK | 0777);
	assert_int_equal(testbed_call(x->bed, SYS_readlink, "/e/link", text,
	                              sizeof(text)),
	                 5);
	assert_memory_equal(text, "dir/x", 5);
	assert_int_equal(testbed_call(x->bed, SYS_stat, "/e/dir/name-299", &st),
	                 0);
	assert_int_equal(st.mode, S_IFIFO | 0600);
	assert_int_equal(testbed_call(x->bed, SYS_stat, "/e/none", &st),
	                 -ENOENT);
	assert_int_equal(testbed_call(x->bed, SYS_stat, "/e/small/x", &st),
	                 -ENOTDIR);
	fd = open_in(x, "/e/small", O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(
		finished(x, testbed_call(x->bed, SYS_read, fd, text, 64)), 5);
	assert_memory_equal(text, "small", 5);
	assert_int_equal(testbed_call(x->bed, SYS_read, fd, text, 64), 0);
	assert_int_equal(testbed_call(x->bed, SYS_lseek, fd, -2, SEEK_END), 3);
}

static void lists_each_name_once(void **state)
{
	struct fixture *x = *state;
	long fd = open_in(x, "/e/dir", O_RDONLY | O_DIRECTORY);
	bool seen[300] = {false};
	uint8_t room[500];
	int count = 0;
	long n;

	assert_true(fd >= 0);
	while ((n = testbed_call(x->bed, SYS_getdents64, fd, room,
	                         sizeof(room))) > 0) {
		for (long at = 0; at < n; at += room[at + 16]) {
			int which;

			if (sscanf((char *)room + at + 19, "name-%d", &which) !=
			    1)
				continue;
			assert_false(seen[which]);
			seen[which] = true;
			count++;
		}
	}
	assert_int_equal(n, 0);
	assert_int_equal(count, 300);
}

static void changes_nothing(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(open_in(x, "/e/small", O_WRONLY), -EROFS);
	assert_int_equal(open_in(x, "/e/new", O_WRONLY | O_CREAT), -EROFS);
	assert_int_equal(testbed_call(x->bed, SYS_unlink, "/e/small"), -EROFS);
	assert_int_equal(testbed_call(x->bed, SYS_mkdir, "/e/d", 0755), -EROFS);
	assert_int_equal(testbed_call(x->bed, SYS_chmod, "/e/small", 0600),
	                 -EROFS);
	assert_int_equal(testbed_call(x->bed, SYS_setxattr, "/e/small",
	                              "user.a", "v", 1, 0),
	                 -EROFS);
}

static void reads_large_files_in_pieces(void **state)
{
	struct fixture *x = *state;
	autofree uint8_t *bytes = malloc(LONG_SIZE);
	long fd = open_in(x, "/e/long", O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(finished(x, testbed_call(x->bed, SYS_pread64, fd,
	                                          bytes, LONG_SIZE, 3)),
	                 LONG_SIZE - 3);
	for (size_t i = 3; i < LONG_SIZE; i++)
		assert_int_equal(bytes[i - 3], (uint8_t)(i / 4096 + i));
}

static void damage(int fd, off_t at)
{
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

/* Where the contents of a file begin in the data file. */
static off_t data_of(struct fixture *x, const char *name)
{
	struct imgread_inode i;
	uint64_t at, count;

	assert_int_equal(imgmade_find(&x->made.image, name, &i), 0);
	assert_int_equal(imgread_place(&x->made.image, &i, 0, &at, &count), 0);
	return (off_t)(at - (uint64_t)x->made.head.main_blocks * 4096);
}

static void gives_no_damaged_byte(void **state)
{
	struct fixture *x = *state;
	uint8_t bytes[64];
	long fd = open_in(x, "/e/long", O_RDONLY);

	damage(x->made.data_fd, data_of(x, "long") + 5 * 4096 + 77);
	assert_int_equal(finished(x, testbed_call(x->bed, SYS_pread64, fd,
	                                          bytes, 64, 4 * 4096)),
	                 64);
	assert_int_equal(finished(x, testbed_call(x->bed, SYS_pread64, fd,
	                                          bytes, 1, 5 * 4096)),
	                 -EIO);
	/* It was looked at once; what it has become since changes nothing. */
	damage(x->made.data_fd, data_of(x, "long") + 5 * 4096 + 77);
	assert_int_equal(finished(x, testbed_call(x->bed, SYS_pread64, fd,
	                                          bytes, 1, 5 * 4096)),
	                 -EIO);
	assert_int_equal(finished(x, testbed_call(x->bed, SYS_pread64, fd,
	                                          bytes, 64, 6 * 4096)),
	                 64);
}

static void refuses_another_root(void **state)
{
	struct fixture *x = *state;
	struct superblock *sb;

	x->made.head.top[0] ^= 1;
	assert_int_equal(open_image(x, &sb), -EIO);
}

/* The host's object that a cell is given to map. */
static long object(struct fixture *x, const char *path, struct file_object *o)
{
	long fd = open_in(x, path, O_RDONLY);
	struct file *f = fd_get(x->bed->task, (int32_t)fd);
	long err;

	assert_non_null(f);
	for (int tries = 0;; tries++) {
		err = f->ops->object(f, x->bed->task, PROT_READ, false, o);
		if (err != -EWAIT || tries > 1000)
			break;
		(void)testbed_wait(x->bed->task);
	}
	file_put(f);
	return err;
}

static void hands_out_the_data_that_all_may_read(void **state)
{
	struct fixture *x = *state;
	struct file_object small, hidden;
	struct stat st, data;
	char text[8];

	assert_int_equal(object(x, "/e/small", &small), 0);
	assert_true(small.part && !small.writable);
	assert_int_equal(small.size, 5);
	assert_int_equal(small.from, data_of(x, "small"));
	assert_int_equal(fstat(small.host_fd, &st), 0);
	assert_int_equal(fstat(x->made.data_fd, &data), 0);
	assert_int_equal(st.st_ino, data.st_ino);
	/* Other contents are in a file of their own. */
	assert_int_equal(object(x, "/e/hidden", &hidden), 0);
	assert_int_equal(fstat(hidden.host_fd, &st), 0);
	assert_int_not_equal(st.st_ino, data.st_ino);
	assert_int_equal(pread(hidden.host_fd, text, 8, 0), 6);
	assert_memory_equal(text, "hidden", 6);
	assert_true(hidden.key != small.key);
}

static void has_the_attributes(void **state)
{
	struct fixture *x = *state;
	uint8_t value[64];

	assert_int_equal(testbed_call(x->bed, SYS_getxattr, "/e/prog",
	                              "security.capability", value, 64),
	                 20);
	assert_memory_equal(value, bind_cap, 20);
	assert_int_equal(testbed_call(x->bed, SYS_getxattr, "/e/prog",
	                              "security.capability", value, 19),
	                 -ERANGE);
	assert_int_equal(testbed_call(x->bed, SYS_getxattr, "/e/small",
	                              "security.capability", value, 64),
	                 -ENODATA);
	assert_int_equal(
		testbed_call(x->bed, SYS_listxattr, "/e/prog", value, 64), 20);
	assert_string_equal((char *)value, "security.capability");
}

static void obeys_its_lists(void **state)
{
	struct fixture *x = *state;

	testbed_become(x->bed, 1000);
	assert_true(open_in(x, "/e/listed", O_RDONLY) >= 0);
	assert_int_equal(open_in(x, "/e/hidden", O_RDONLY), -EACCES);
}

static void keeps_strangers_out_by_its_lists(void **state)
{
	struct fixture *x = *state;

	testbed_become(x->bed, 1001);
	assert_int_equal(open_in(x, "/e/listed", O_RDONLY), -EACCES);
	assert_true(open_in(x, "/e/small", O_RDONLY) >= 0);
}

#define ON_IMAGE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_IMAGE(shows_what_is_in_it),
		ON_IMAGE(lists_each_name_once),
		ON_IMAGE(changes_nothing),
		ON_IMAGE(reads_large_files_in_pieces),
		ON_IMAGE(gives_no_damaged_byte),
		ON_IMAGE(refuses_another_root),
		ON_IMAGE(hands_out_the_data_that_all_may_read),
		ON_IMAGE(has_the_attributes),
		ON_IMAGE(obeys_its_lists),
		ON_IMAGE(keeps_strangers_out_by_its_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
