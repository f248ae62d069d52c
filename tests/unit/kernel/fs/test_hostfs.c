/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of the host, shared read-write at /h, and what happens when it
 * changes under us.
 */
#include "kernel/fs/hostnode.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/fs/mount.h"
#include "kernel/testbed.h"
#include "scratch.h"

struct shared {
	struct testbed *bed;
	char dir[64]; /* on the host; "/out" beside "/in", which is shared */
};

static const char *host(const struct shared *s, const char *name)
{
	static char path[4][256];
	static unsigned turn;
	char *p = path[turn++ % ARRAY_LEN(path)];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", s->dir, name);
	return p;
}

static void put(const struct shared *s, const char *name, const char *text)
{
	int fd = open(host(s, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	              0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int setup(void **state)
{
	struct shared *s = calloc(1, sizeof(*s));
	struct hostfs_options o = {.writable = true,
	                           .host_uid = getuid(),
	                           .host_gid = getgid(),
	                           .guest_uid = 1000,
	                           .guest_gid = 1000};
	struct superblock *sb;
	struct path at;

	assert_int_equal(scratch_make(s->dir), 0);
	assert_int_equal(mkdir(host(s, "in"), 0755), 0);
	assert_int_equal(mkdir(host(s, "out"), 0755), 0);
	put(s, "out/secret", "secret");
	s->bed = testbed_create(0);
	o.dir_fd = open(host(s, "in"), O_PATH | O_CLOEXEC);
	assert_int_equal(hostfs_create(&s->bed->kernel, &o, &sb), 0);
	assert_int_equal(testbed_call(s->bed, SYS_mkdir, "/h", 0755), 0);
	assert_int_equal(path_lookup(s->bed->task, AT_FDCWD, "/h", 0, &at), 0);
	assert_int_equal(mount_add(&s->bed->kernel, sb, &at, 0, "h", NULL), 0);
	inode_superblock_put(sb);
	path_put(&at);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct shared *s = *state;

	testbed_destroy(s->bed);
	assert_int_equal(scratch_drop(s->dir), 0);
	free(s);
	return 0;
}

/* Opens, reads all, closes.  The text, or the error as a number. */
static const char *text_of(struct shared *s, const char *name)
{
	static char text[256];
	long fd = testbed_call(s->bed, SYS_openat, AT_FDCWD, name, O_RDONLY);
	long n;

	if (fd < 0) {
		(void)snprintf(text, sizeof(text), "%ld", fd);
		return text;
	}
	n = testbed_call(s->bed, SYS_read, fd, text, sizeof(text) - 1);
	if (n == -EWAIT)
		n = testbed_wait(s->bed->task);
	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(testbed_call(s->bed, SYS_close, fd), 0);
	return text;
}

static void names_made_inside_are_on_the_host(void **state)
{
	struct shared *s = *state;
	struct testbed *b = s->bed;
	struct stat st;

	assert_int_equal(testbed_call(b, SYS_mkdir, "/h/d", 0750), 0);
	assert_int_equal(testbed_call(b, SYS_symlink, "../x", "/h/d/l"), 0);
	assert_int_equal(testbed_call(b, SYS_rename, "/h/d", "/h/e"), 0);
	assert_int_equal(lstat(host(s, "in/e/l"), &st), 0);
	assert_int_equal(testbed_call(b, SYS_unlink, "/h/e/l"), 0);
	assert_int_equal(testbed_call(b, SYS_rmdir, "/h/e"), 0);
	assert_int_equal(lstat(host(s, "in/e"), &st), -1);
}

static void two_names_of_one_file_are_one_file(void **state)
{
	struct shared *s = *state;
	struct path a, b;

	put(s, "in/a", "text");
	assert_int_equal(link(host(s, "in/a"), host(s, "in/b")), 0);
	assert_int_equal(path_lookup(s->bed->task, AT_FDCWD, "/h/a", 0, &a), 0);
	assert_int_equal(path_lookup(s->bed->task, AT_FDCWD, "/h/b", 0, &b), 0);
	assert_ptr_equal(path_inode(&a), path_inode(&b));
	assert_int_equal(path_inode(&a)->nlink, 2);
	path_put(&a);
	path_put(&b);
}

static void an_open_file_outlives_its_name(void **state)
{
	struct shared *s = *state;
	char text[8] = {0};
	long fd;

	put(s, "in/f", "old");
	fd = testbed_call(s->bed, SYS_openat, AT_FDCWD, "/h/f", O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(unlink(host(s, "in/f")), 0);
	put(s, "in/f", "new");
	assert_int_equal(testbed_call(s->bed, SYS_pread64, fd, text, 7, 0), 3);
	assert_string_equal(text, "old");
	assert_string_equal(text_of(s, "/h/f"), "new");
	assert_int_equal(testbed_call(s->bed, SYS_close, fd), 0);
}

/* The cache says: a folder.  The host has put a link there meanwhile. */
static void a_link_put_in_place_of_a_folder_leads_nowhere(void **state)
{
	struct shared *s = *state;
	struct path dir;
	struct path at;

	assert_int_equal(mkdir(host(s, "in/d"), 0755), 0);
	put(s, "in/d/secret", "harmless");
	assert_int_equal(path_lookup(s->bed->task, AT_FDCWD, "/h/d", 0, &dir),
	                 0);
	assert_string_equal(text_of(s, "/h/d/secret"), "harmless");
	assert_int_equal(rename(host(s, "in/d"), host(s, "in/gone")), 0);
	assert_int_equal(symlink("../out", host(s, "in/d")), 0);
	/* From the folder we hold it still is the old one ... */
	assert_int_equal(
		path_child(s->bed->task, &dir, span_str("secret"), &at), 0);
	assert_int_equal(path_inode(&at)->size, strlen("harmless"));
	path_put(&at);
	path_put(&dir);
	/* ... and by name it is a link, whose target is looked up inside. */
	assert_string_not_equal(text_of(s, "/h/d/secret"), "secret");
}

static void set_id_bits_do_not_reach_the_host(void **state)
{
	struct shared *s = *state;
	struct stat st;

	put(s, "in/f", "x");
	assert_int_equal(testbed_call(s->bed, SYS_chmod, "/h/f", 06755), 0);
	assert_int_equal(stat(host(s, "in/f"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(
		testbed_call(s->bed, SYS_mknod, "/h/n", S_IFCHR | 0666, 0x103),
		-EPERM);
}

static void few_descriptors_serve_many_files(void **state)
{
	struct shared *s = *state;
	char name[64];

	for (int i = 0; i < 600; i++) {
		(void)snprintf(name, sizeof(name), "in/%d", i);
		put(s, name, name);
	}
	for (int i = 0; i < 600; i++) {
		(void)snprintf(name, sizeof(name), "/h/%d", i);
		assert_true(strlen(text_of(s, name)) > 3);
	}
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			assert_true(fd < HOSTNODE_FDS + 64);
}

#define SHARED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARED(names_made_inside_are_on_the_host),
		SHARED(two_names_of_one_file_are_one_file),
		SHARED(an_open_file_outlives_its_name),
		SHARED(a_link_put_in_place_of_a_folder_leads_nowhere),
		SHARED(set_id_bits_do_not_reach_the_host),
		SHARED(few_descriptors_serve_many_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
