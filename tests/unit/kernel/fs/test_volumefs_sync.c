/* SPDX-License-Identifier: Apache-2.0 */
/* The host's fdatasync(2) is one that notes what it is asked for. */
#include "kernel/fs/volumefs_sync.h"

#include <sys/mman.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/volumebed.h"

/* The objects that helpers, or the end, made safe: in the place of libc's. */
static struct synced {
	_Atomic uint32_t count;
	_Atomic uint64_t ino[2 * VOLUMEFS_SYNC_MANY];
} synced;

int fdatasync(int fd)
{
	static const char folder[] = "/objects/";
	char link[64], path[256] = "";
	const char *at;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof(path) - 1) > 0 &&
	    (at = strstr(path, folder)) != NULL)
		synced.ino[synced.count++ % ARRAY_LEN(synced.ino)] = strtoull(
			at + strlen(folder), NULL, 10);
	return (int)syscall(SYS_fdatasync, fd);
}

/* By which the object of a file is called, too. */
static uint64_t number_of(struct fixture *x, const char *name)
{
	return stat_of(x, name).ino;
}

static bool was_synced(uint64_t ino)
{
	for (uint32_t i = 0; i < ARRAY_LEN(synced.ino); i++)
		if (synced.ino[i] == ino)
			return true;
	return false;
}

/* What is begun does not come back before its end. */
static long wait_for(struct fixture *x, long err)
{
	return err == -EWAIT ? testbed_wait(x->bed->task) : err;
}

static void sync_waits_for_what_was_written_since(void **state)
{
	struct fixture *x = *state;
	struct testbed *b = x->bed;
	long dir = opened(x, "/v", O_RDONLY | O_DIRECTORY);
	uint64_t one, two;
	long err;

	put(x, "/v/one", "1");
	put(x, "/v/two", "2");
	put(x, "/v/gone", "3");
	assert_int_equal(testbed_call(b, SYS_unlink, "/v/gone"), 0);
	one = number_of(x, "/v/one");
	two = number_of(x, "/v/two");
	memset(&synced, 0, sizeof(synced));
	err = testbed_call(b, SYS_sync);
	assert_int_equal(err, -EWAIT);
	assert_int_equal(wait_for(x, err), 0);
	assert_true(was_synced(one) && was_synced(two));

	/* Only what is new; by syncfs(2), too. */
	memset(&synced, 0, sizeof(synced));
	assert_string_equal(text_of(x, "/v/one"), "1");
	assert_int_equal(testbed_call(b, SYS_truncate, "/v/two", 7), 0);
	err = testbed_call(b, SYS_syncfs, dir);
	assert_int_equal(wait_for(x, err), 0);
	assert_true(was_synced(two));
	assert_false(was_synced(one));
	memset(&synced, 0, sizeof(synced));
	assert_int_equal(wait_for(x, testbed_call(b, SYS_sync)), 0);
	assert_false(was_synced(one) || was_synced(two));
}

static void sync_waits_for_what_cells_may_have_written(void **state)
{
	struct fixture *x = *state;
	struct file_object o;
	struct file *f;
	uint64_t object;
	char *at;
	long fd;

	put(x, "/v/f", "before");
	object = number_of(x, "/v/f");
	fd = opened(x, "/v/f", O_RDWR);
	f = fd_get(x->bed->task, (int32_t)fd);
	assert_int_equal(f->ops->object(f, x->bed->task, PROT_READ | PROT_WRITE,
	                                true, &o),
	                 0);
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, o.host_fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	for (int i = 0; i < 2; i++) {
		at[i] = 'X';
		memset(&synced, 0, sizeof(synced));
		assert_int_equal(wait_for(x, testbed_call(x->bed, SYS_sync)),
		                 0);
		assert_true(was_synced(object));
		/* The mapping outlives the descriptor. */
		if (i == 0) {
			file_put(f);
			assert_int_equal(testbed_call(x->bed, SYS_close, fd),
			                 0);
		}
	}
	(void)munmap(at, 4096);
}

static void only_a_regular_end_waits(void **state)
{
	struct fixture *x = *state;
	uint64_t object;

	for (int regular = 0; regular < 2; regular++) {
		put(x, "/v/f", "1");
		object = number_of(x, "/v/f");
		memset(&synced, 0, sizeof(synced));
		volumefs_shutdown(&x->bed->kernel, regular);
		assert_int_equal(was_synced(object), regular);
		testbed_destroy(x->bed);
		mount_volume(x);
	}
}

/* More files than are kept for those who sync. */
static void many_files_do_not_wait_for_a_sync(void **state)
{
	struct fixture *x = *state;
	long dir = opened(x, "/v", O_RDONLY | O_DIRECTORY);
	uint64_t object;

	put(x, "/v/kept", "1");
	object = number_of(x, "/v/kept");
	memset(&synced, 0, sizeof(synced));
	for (uint32_t i = 0; i < VOLUMEFS_SYNC_MANY; i++) {
		put(x, "/v/f", "1");
		/* It has an object, and was written. */
		assert_int_equal(testbed_call(x->bed, SYS_truncate, "/v/f", 2),
		                 0);
		assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/f"), 0);
		if (i % 64 == 0) /* so that they are gone from the host */
			assert_int_equal(fsync_of(x, dir), 0);
	}
	/* A helper is at it: it gets the time some commits take. */
	for (uint32_t i = 0; i < 10000 && !was_synced(object); i++) {
		assert_int_equal(testbed_call(x->bed, SYS_chmod, "/v/kept",
		                              0600 | (i & 1)),
		                 0);
		assert_int_equal(fsync_of(x, dir), 0);
	}
	assert_true(was_synced(object));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VOLUME(sync_waits_for_what_was_written_since),
		VOLUME(sync_waits_for_what_cells_may_have_written),
		VOLUME(only_a_regular_end_waits),
		VOLUME(many_files_do_not_wait_for_a_sync),
		SEALED(sync_waits_for_what_was_written_since),
		SEALED(sync_waits_for_what_cells_may_have_written),
		SEALED(only_a_regular_end_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
