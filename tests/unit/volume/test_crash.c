/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of a volume when its process is killed, or the host refuses a
 * write.
 *
 * The calls by which anything reaches the disk are replaced: each is counted,
 * and the one whose turn has come kills the process or fails.
 */
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "volume/bed.h"
#include "volume/object.h"

enum what { NOTHING, KILL, FAIL, FAIL_ON };

/* Shared with the child. */
static struct turn {
	enum what what;
	int err;
	long left;     /* writes until then */
	long done;     /* that were made */
	long promised; /* files that the child made safe */
} * turn;

/* Before a write: false if it is to fail. */
static bool may(void)
{
	turn->done++;
	if (turn->what == NOTHING || --turn->left > 0)
		return true;
	if (turn->what == KILL)
		(void)raise(SIGKILL);
	if (turn->what == FAIL)
		turn->what = NOTHING;
	errno = turn->err;
	return false;
}

/* By the names in libraries, which headers may turn into others. */
ssize_t taken_pwrite(int fd, const void *from, size_t size,
                     off_t at) __asm__("pwrite");
ssize_t taken_pwrite64(int fd, const void *from, size_t size,
                       off_t at) __asm__("pwrite64");
ssize_t taken_writev(int fd, const struct iovec *iov,
                     int count) __asm__("writev");

ssize_t taken_pwrite(int fd, const void *from, size_t size, off_t at)
{
	return may() ? syscall(SYS_pwrite64, fd, from, size, at) : -1;
}

ssize_t taken_pwrite64(int fd, const void *from, size_t size, off_t at)
{
	return may() ? syscall(SYS_pwrite64, fd, from, size, at) : -1;
}

ssize_t taken_writev(int fd, const struct iovec *iov, int count)
{
	return may() ? syscall(SYS_writev, fd, iov, count) : -1;
}

int fdatasync(int fd);
int fdatasync(int fd)
{
	/* The disk's own cache is not what this is about: faster without. */
	(void)fd;
	return may() ? 0 : -1;
}

int fsync(int fd);
int fsync(int fd)
{
	(void)fd;
	return may() ? 0 : -1;
}

int unlinkat(int dir, const char *name, int flags);
int unlinkat(int dir, const char *name, int flags)
{
	return may() ? (int)syscall(SYS_unlinkat, dir, name, flags) : -1;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/*
 * Makes, writes, renames and removes files for ever.  Every so often all is
 * made safe, and the number of files kept is promised.
 */
static void work(struct bed *b, uint32_t seed)
{
	long kept = turn->promised;

	for (;;) {
		struct tree_node f;
		char name[32], text[32];
		uint32_t r = next_random(&seed);

		(void)snprintf(name, sizeof(name), "t%u", r % 50);
		(void)snprintf(text, sizeof(text), "file %ld", kept);
		if (bed_make(b, &b->root, name, S_IFREG | 0600, text, &f) < 0)
			continue;
		if (r % 3 == 0) {
			struct tree_rename m = {.from_dir = &b->root,
			                        .to_dir = &b->root,
			                        .from = span_str(name),
			                        .what = &f};
			char keep[32];

			(void)snprintf(keep, sizeof(keep), "keep%ld", kept);
			m.to = span_str(keep);
			/* It may be there, made safe and not promised. */
			kept++;
			if (tree_rename(b->v, &m) < 0)
				(void)!tree_unlink(b->v, &b->root,
				                   span_str(name), &f);
		} else if (tree_unlink(b->v, &b->root, span_str(name), &f) ==
		           0) {
			(void)!tree_forget(b->v, f.ino, true);
			volume_uncharge_inode(b->v);
		}
		if (spare_order(b->v)) {
			spare_make(b->v);
			spare_settle(b->v);
		}
		if (r % 5 == 0 && volume_flush(b->v) == 0)
			turn->promised = kept;
		if (kept > 150)
			(void)raise(SIGKILL);
	}
}

static void look_for(struct bed *b, long number)
{
	char name[32], want[32], got[32] = "";
	uint64_t ino;
	int fd;

	(void)snprintf(name, sizeof(name), "keep%ld", number);
	(void)snprintf(want, sizeof(want), "file %ld", number);
	if (tree_lookup(b->v, VRECORD_ROOT, span_str(name), &ino, NULL) < 0)
		fail_msg("%s was promised, and is lost", name);
	fd = object_open(b->v->objects_fd, ino, O_RDONLY);
	assert_true(fd >= 0);
	assert_true(read(fd, got, sizeof(got) - 1) > 0);
	assert_string_equal(got, want);
	close(fd);
}

/* One life: a hundred of them, killed at as many different writes. */
static void live(struct bed *b, uint32_t seed)
{
	int status;
	pid_t pid;

	volume_abandon(b->v);
	b->v = NULL;
	turn->what = KILL;
	turn->left = 1 + (long)(next_random(&seed) % 60);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bed_open(b);
		work(b, seed);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	turn->what = NOTHING;
	bed_open(b);
	if (bed_check(b)[0])
		fail_msg("after %ld writes: %s", turn->done, bed_check(b));
	for (long i = 0; i < turn->promised; i++)
		look_for(b, i);
}

static void a_killed_process_loses_nothing_it_promised(void **state)
{
	struct bed *b = *state;

	turn->promised = 0;
	for (uint32_t i = 0; i < 100; i++) {
		live(b, i * 7919u + 1);
		if (turn->promised > 120) {
			/* From the start again, before the limit is met. */
			assert_int_equal(bed_teardown(state), 0);
			assert_int_equal(bed_setup(state), 0);
			b = *state;
			turn->promised = 0;
		}
	}
}

/* Some work that ends; false if something was refused. */
static bool short_work(struct bed *b)
{
	bool all = true;

	for (int i = 0; i < 20; i++) {
		struct tree_node f;
		char name[16];

		(void)snprintf(name, sizeof(name), "s%d", i);
		if (bed_make(b, &b->root, name, S_IFREG, "some", &f) < 0) {
			all = false;
			continue;
		}
		if (i % 4 == 0)
			all &= volume_flush(b->v) == 0;
		if (i % 3 == 0 &&
		    tree_unlink(b->v, &b->root, span_str(name), &f) == 0) {
			all &= tree_forget(b->v, f.ino, true) == 0;
			volume_uncharge_inode(b->v);
		}
	}
	return volume_flush(b->v) == 0 && all;
}

static void refuse(void **state, enum what what, int why)
{
	long gave_up = 0;
	long writes;
	int err;

	turn->what = NOTHING;
	turn->done = 0;
	assert_true(short_work(*state));
	writes = turn->done;
	assert_true(writes > 20);
	for (long n = 1; n <= writes; n++) {
		struct bed *b;

		assert_int_equal(bed_teardown(state), 0);
		assert_int_equal(bed_setup(state), 0);
		b = *state;
		turn->what = what;
		turn->err = why;
		turn->left = n;
		(void)short_work(b);
		turn->what = NOTHING;
		/*
     * It goes on when the host does; or, after the one write by
     * which LMDB ends a transaction, when it is opened again.
     */
		err = volume_flush(b->v);
		assert_true(err == 0 || err == -EIO);
		gave_up += err < 0;
		assert_int_equal(b->v->full, err < 0);
		if (err == 0 && bed_check(b)[0])
			fail_msg("write %ld of %ld failed: %s", n, writes,
			         bed_check(b));
		bed_crash(b);
		if (bed_check(b)[0])
			fail_msg("write %ld of %ld failed, later: %s", n,
			         writes, bed_check(b));
	}
	assert_true(gave_up * 4 < writes);
}

static void a_full_disk_is_no_damage(void **state)
{
	refuse(state, FAIL_ON, ENOSPC);
}

static void one_failed_write_is_no_damage(void **state)
{
	refuse(state, FAIL, ENOSPC);
}

static void a_full_disk_is_enospc_inside(void **state)
{
	struct bed *b = *state;
	struct tree_node f;

	assert_int_equal(bed_make(b, &b->root, "a", S_IFREG, "a", &f), 0);
	turn->what = FAIL_ON;
	turn->err = ENOSPC;
	turn->left = 1;
	assert_int_equal(volume_flush(b->v), -ENOSPC);
	assert_int_equal(bed_make(b, &b->root, "b", S_IFREG, NULL, NULL),
	                 -ENOSPC);
	assert_int_equal(volume_charge(b->v, 1), -ENOSPC);
	/* Taking away goes on. */
	assert_int_equal(tree_unlink(b->v, &b->root, span_str("a"), &f), 0);
	turn->what = NOTHING;
	assert_int_equal(volume_flush(b->v), 0);
	assert_int_equal(bed_make(b, &b->root, "b", S_IFREG, NULL, NULL), 0);
}

static int setup(void **state)
{
	turn->what = NOTHING;
	return bed_setup(state);
}

#define CRASH(f) cmocka_unit_test_setup_teardown(f, setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CRASH(a_killed_process_loses_nothing_it_promised),
		CRASH(a_full_disk_is_no_damage),
		CRASH(one_failed_write_is_no_damage),
		CRASH(a_full_disk_is_enospc_inside),
	};

	turn = mmap(NULL, sizeof(*turn), PROT_READ | PROT_WRITE,
	            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (turn == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
