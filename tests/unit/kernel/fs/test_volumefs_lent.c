/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile cell is a duplicate of the descriptor it was handed. */
#include "kernel/fs/volumefs_lent.h"

#include <sys/mman.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/volumebed.h"
#include "kernel/fs/volumefs_node.h"

static struct volumefs *volume_of(struct fixture *x)
{
	return list_first(&x->bed->kernel.world->volumes, struct volumefs,
	                  in_world);
}

static void look(struct fixture *x)
{
	volumefs_lent_look(volume_of(x));
}

/* What a cell has once it has mapped the file, which is closed again. */
static int lent(struct fixture *x, const char *name)
{
	long fd = opened(x, name, O_RDWR);
	struct file *f = fd_get(x->bed->task, (int32_t)fd);
	struct file_object o;
	int theirs;

	assert_int_equal(f->ops->object(f, x->bed->task, PROT_READ | PROT_WRITE,
	                                true, &o),
	                 0);
	theirs = dup(o.host_fd);
	assert_true(theirs >= 0);
	file_put(f);
	assert_int_equal(testbed_call(x->bed, SYS_close, fd), 0);
	return theirs;
}

static void grow(int theirs, off_t to)
{
	static uint8_t bytes[256 * 1024];
	struct stat st;

	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(fstat(theirs, &st), 0);
	while (st.st_size < to) {
		assert_int_equal(
			pwrite(theirs, bytes, sizeof(bytes), st.st_size),
			sizeof(bytes));
		st.st_size += (off_t)sizeof(bytes);
	}
}

static void it_is_looked_at_until_nobody_can_write(void **state)
{
	struct fixture *x = *state;
	char *at;
	int theirs;

	put(x, "/v/f", "1");
	theirs = lent(x, "/v/f");
	look(x);
	assert_int_equal(volume_of(x)->lent.count, 1);
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, theirs, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	close(theirs);
	look(x);
	assert_int_equal(volume_of(x)->lent.count, 1);
	(void)munmap(at, 4096);
	look(x);
	assert_int_equal(volume_of(x)->lent.count, 0);
	assert_string_equal(text_of(x, "/v/f"), "1");
}

static void what_is_written_behind_our_back_is_charged(void **state)
{
	struct fixture *x = *state;
	uint64_t before;
	int theirs;

	put(x, "/v/f", "1");
	theirs = lent(x, "/v/f");
	before = volume_of(x)->volume->sums.bytes;
	grow(theirs, LIMIT / 2);
	look(x);
	assert_true(volume_of(x)->volume->sums.bytes >= before + LIMIT / 4);
	assert_false(x->bed->kernel.loop.stop);
	close(theirs);
}

static void who_writes_on_past_the_limit_ends_the_qube(void **state)
{
	struct fixture *x = *state;
	int theirs;

	put(x, "/v/f", "1");
	theirs = lent(x, "/v/f");
	/* Whoever mapped it has ended, and another has the descriptor. */
	list_first(&volume_of(x)->lent.files, struct volumefs_lent_file, link)
		->pid = 0;
	for (unsigned i = 1; i <= VOLUMEFS_LENT_STRIKES; i++) {
		assert_false(x->bed->kernel.loop.stop);
		grow(theirs, (off_t)(LIMIT + i * LIMIT));
		look(x);
		look(x); /* not more than before: no strike */
	}
	assert_true(x->bed->kernel.loop.stop);
	close(theirs);
}

static void a_file_without_a_name_stays_charged(void **state)
{
	struct fixture *x = *state;
	uint64_t before;
	int theirs;

	put(x, "/v/f", "1");
	theirs = lent(x, "/v/f");
	before = volume_of(x)->volume->sums.bytes;
	grow(theirs, LIMIT / 2);
	look(x);
	assert_int_equal(testbed_call(x->bed, SYS_unlink, "/v/f"), 0);
	assert_true(volume_of(x)->volume->sums.bytes >= before + LIMIT / 4);
	look(x);
	assert_int_equal(volume_of(x)->lent.count, 1);
	/* It may still be filled, as memory that is shared so is. */
	grow(theirs, LIMIT / 4 * 3);
	look(x);
	assert_int_equal(list_first(&volume_of(x)->lent.files,
	                            struct volumefs_lent_file, link)
	                         ->strikes,
	                 0);
	assert_true(volume_of(x)->volume->sums.bytes >= before + LIMIT / 2);
	close(theirs);
	look(x);
	assert_int_equal(volume_of(x)->lent.count, 0);
	assert_true(volume_of(x)->volume->sums.bytes <= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VOLUME(it_is_looked_at_until_nobody_can_write),
		VOLUME(what_is_written_behind_our_back_is_charged),
		VOLUME(who_writes_on_past_the_limit_ends_the_qube),
		VOLUME(a_file_without_a_name_stays_charged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
