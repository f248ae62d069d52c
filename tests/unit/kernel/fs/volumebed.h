/* SPDX-License-Identifier: Apache-2.0 */
/* A volume of 1 MiB and 64 inodes, mounted at /v. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/fs/mount.h"
#include "kernel/fs/volumefs.h"
#include "kernel/fs/world.h"
#include "kernel/testbed.h"
#include "scratch.h"
#include "volume/tree.h"
#include "volume/volume.h"
#include "volume/volume_check.h"

#define LIMIT  ((uint64_t)1 << 20)
#define INODES 64

struct fixture {
	struct testbed *bed;
	char host[64];
	int dir;
	bool sealed;
};

/* What unlocks the encrypted one. */
static const struct span secret = {
	(const uint8_t *)"0123456789abcdef0123456789abcdef", 32};

static inline void mount_volume(struct fixture *x)
{
	struct superblock *sb;
	struct volume *v;
	struct fault f;
	struct path at;
	uint8_t key[HEADER_KEY];

	if (x->sealed)
		assert_int_equal(volume_unlock(x->dir, secret, key, &f), 0);
	if (volume_open(x->dir, x->sealed ? key : NULL, &v, &f) < 0)
		fail_msg("%s", f.text);
	x->bed = testbed_create(0);
	assert_int_equal(volumefs_create(&x->bed->kernel, v, &sb), 0);
	assert_int_equal(testbed_call(x->bed, SYS_mkdir, "/v", 0755), 0);
	assert_int_equal(path_lookup(x->bed->task, AT_FDCWD, "/v", 0, &at), 0);
	assert_int_equal(mount_add(&x->bed->kernel, sb, &at, 0, "v", NULL), 0);
	inode_superblock_put(sb);
	path_put(&at);
}

static inline void unmount(struct fixture *x)
{
	volumefs_shutdown(&x->bed->kernel, true);
	testbed_destroy(x->bed);
}

static inline int set_up(void **state, bool sealed)
{
	struct fixture *x = calloc(1, sizeof(*x));
	enum header_lock lock = sealed ? HEADER_KEYFILE : HEADER_OPEN;
	struct volume_limits limits = {LIMIT, INODES};
	struct fault f;

	assert_int_equal(scratch_make(x->host), 0);
	x->dir = open(x->host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(volume_create(x->dir, &limits, lock, secret, &f), 0);
	x->sealed = sealed;
	mount_volume(x);
	*state = x;
	return 0;
}

static inline int setup(void **state)
{
	return set_up(state, false);
}

static inline int setup_sealed(void **state)
{
	return set_up(state, true);
}

static inline int teardown(void **state)
{
	struct fixture *x = *state;

	unmount(x);
	close(x->dir);
	assert_int_equal(scratch_drop(x->host), 0);
	free(x);
	return 0;
}

static inline long opened(struct fixture *x, const char *name, int flags)
{
	long fd = testbed_call(x->bed, SYS_openat, AT_FDCWD, name, flags, 0640);

	if (fd < 0)
		fail_msg("open %s: %ld", name, fd);
	return fd;
}

static inline void put(struct fixture *x, const char *name, const char *text)
{
	long fd = opened(x, name, O_WRONLY | O_CREAT | O_APPEND);

	assert_int_equal(
		testbed_call(x->bed, SYS_write, fd, text, strlen(text)),
		strlen(text));
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
}

static inline const char *text_of(struct fixture *x, const char *name)
{
	static char text[64];
	long fd = testbed_call(x->bed, SYS_openat, AT_FDCWD, name, O_RDONLY);
	long n;

	if (fd < 0) {
		(void)snprintf(text, sizeof(text), "%ld", fd);
		return text;
	}
	n = testbed_call(x->bed, SYS_read, fd, text, sizeof(text) - 1);
	if (n == -EWAIT)
		n = testbed_wait(x->bed->task);
	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	return text;
}

static inline abi_stat stat_of(struct fixture *x, const char *name)
{
	abi_stat st = {0};

	if (testbed_call(x->bed, SYS_lstat, name, &st) < 0)
		fail_msg("stat %s", name);
	return st;
}

static inline long fsync_of(struct fixture *x, long fd)
{
	long err = testbed_call(x->bed, SYS_fsync, fd);

	return err == -EWAIT ? testbed_wait(x->bed->task) : err;
}

/* All that was changed, and an object for each file. */
static inline void sync_all(struct fixture *x)
{
	long dir = opened(x, "/v", O_RDONLY | O_DIRECTORY);

	assert_int_equal(fsync_of(x, dir), 0);
	assert_int_equal(testbed_call(x->bed, SYS_close, dir), 0);
}

static inline void again(struct fixture *x)
{
	unmount(x);
	mount_volume(x);
}

/* The checker's word after an orderly end. */
static inline void told(void *arg, const char *what)
{
	(void)arg;
	fail_msg("%s", what);
}

static inline void checked(struct fixture *x)
{
	struct volume_check_report r;
	uint8_t key[HEADER_KEY];
	struct volume *v;
	struct fault f;

	unmount(x);
	if (x->sealed)
		assert_int_equal(volume_unlock(x->dir, secret, key, &f), 0);
	assert_int_equal(volume_open(x->dir, x->sealed ? key : NULL, &v, &f),
	                 0);
	assert_int_equal(volume_check(v, VOLUME_CHECK_CONTENTS, told, NULL, &r),
	                 0);
	assert_int_equal(volume_close(v), 0);
	mount_volume(x);
}

/* Files of the host that hold contents. */
static inline unsigned objects(const struct fixture *x)
{
	int fd = openat(x->dir, "objects", O_RDONLY | O_DIRECTORY);
	DIR *dir = fdopendir(fd);
	const struct dirent *e;
	unsigned count = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		count += e->d_name[0] != '.';
	(void)closedir(dir);
	return count;
}

#define SEALED(f) cmocka_unit_test_setup_teardown(f, setup_sealed, teardown)
#define VOLUME(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
