/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/loan.h"

#include <linux/fcntl.h>
#include <linux/inotify.h>
#include <linux/sched.h>
#include <sys/syscall.h>

#include "channel/place.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/lease.h"
#include "kernel/testbed.h"

#define CALL(...)  testbed_call(bed, __VA_ARGS__)
#define IS(n, ...) assert_int_equal(CALL(__VA_ARGS__), n)

#define SIZE 2048

/* A cell that is nothing but the page with the positions. */
struct fixture {
	struct cell cell;
	uint64_t page[CHANNEL_DATA / sizeof(uint64_t)];
};

static struct fixture *make(struct testbed *bed, long *fd)
{
	struct fixture *x = calloc(1, sizeof(*x));
	char bytes[SIZE] = {0};

	assert_non_null(x);
	x->cell = (struct cell){.kernel = &bed->kernel,
	                        .pid = bed->task->process->pid,
	                        .channel = (uint8_t *)x->page};
	*fd = CALL(SYS_open, "/f", O_RDWR | O_CREAT, 0600);
	assert_true(*fd >= 0);
	IS(SIZE, SYS_write, *fd, bytes, SIZE);
	IS(0, SYS_lseek, *fd, 0, SEEK_SET);
	return x;
}

static void end(struct fixture *x)
{
	lease_forget(&x->cell);
	free(x);
}

static _Atomic uint64_t *word(struct fixture *x, long fd)
{
	return place_word(x->page, (uint32_t)fd);
}

/* The kernel reads ten bytes for the cell, which has no memory of its own. */
static void reads(struct testbed *bed, struct fixture *x, long fd, int count)
{
	struct file *f = fd_peek(bed->task->fds, (int32_t)fd);
	char to[10];

	while (count-- > 0) {
		IS(10, SYS_read, fd, to, 10);
		bed->task->cell = &x->cell;
		loan_give(bed->task, f, (int32_t)fd, 10, false);
		bed->task->cell = NULL;
	}
}

static uint64_t pos(struct fixture *x, long fd)
{
	return atomic_load(word(x, fd)) & PLACE_MAX;
}

static uint64_t loan(struct fixture *x, long fd)
{
	return place_loan(atomic_load(word(x, fd)));
}

/* The cell goes on by itself. */
static void cell_reads(struct fixture *x, long fd, uint64_t bytes)
{
	assert_int_not_equal(loan(x, fd), 0);
	atomic_fetch_add(word(x, fd), bytes);
}

static void who_reads_again_gets_the_position(void **state)
{
	struct testbed *bed = *state;
	long fd;
	struct fixture *x = make(bed, &fd);

	reads(bed, x, fd, 2);
	assert_int_equal(loan(x, fd), 0);
	reads(bed, x, fd, 1);
	assert_int_not_equal(loan(x, fd), 0);
	assert_int_equal(pos(x, fd), 30);
	cell_reads(x, fd, 100);
	IS(130, SYS_lseek, fd, 0, SEEK_CUR);
	assert_int_equal(loan(x, fd), 0);
	end(x);
}

static void each_loan_has_another_number(void **state)
{
	struct testbed *bed = *state;
	long fd;
	struct fixture *x = make(bed, &fd);
	uint64_t first;

	reads(bed, x, fd, 3);
	first = loan(x, fd);
	cell_reads(x, fd, 10);
	reads(bed, x, fd, 1);
	assert_int_equal(pos(x, fd), 50);
	assert_int_not_equal(loan(x, fd), 0);
	assert_int_not_equal(loan(x, fd), first);
	end(x);
}

static void whatever_is_written_there_is_a_position(void **state)
{
	struct testbed *bed = *state;
	long fd;
	struct fixture *x = make(bed, &fd);

	reads(bed, x, fd, 3);
	/* Another loan's number: as if it had not moved. */
	atomic_store(word(x, fd), UINT64_MAX);
	IS(30, SYS_lseek, fd, 0, SEEK_CUR);
	reads(bed, x, fd, 1);
	atomic_store(word(x, fd), 0);
	IS(40, SYS_lseek, fd, 0, SEEK_CUR);
	reads(bed, x, fd, 1);
	atomic_fetch_or(word(x, fd), PLACE_MAX);
	IS((long)PLACE_MAX, SYS_lseek, fd, 0, SEEK_CUR);
	/* What nobody lent is nobody's. */
	atomic_store(word(x, fd), UINT64_MAX);
	IS((long)PLACE_MAX, SYS_lseek, fd, 0, SEEK_CUR);
	end(x);
}

static void closing_a_number_takes_it_back(void **state)
{
	struct testbed *bed = *state;
	long fd, two;
	struct fixture *x = make(bed, &fd);

	two = CALL(SYS_dup, fd);
	reads(bed, x, fd, 3);
	cell_reads(x, fd, 70);
	IS(0, SYS_close, fd);
	assert_int_equal(loan(x, fd), 0);
	IS(100, SYS_lseek, two, 0, SEEK_CUR);
	/* The next file of that number has a loan of its own. */
	IS(fd, SYS_open, "/f", O_RDONLY);
	reads(bed, x, fd, 3);
	reads(bed, x, two, 1);
	assert_int_equal(pos(x, fd), 30);
	assert_int_equal(pos(x, two), 110);
	end(x);
}

static void the_last_close_frees_it(void **state)
{
	struct testbed *bed = *state;
	long fd;
	struct fixture *x = make(bed, &fd);

	reads(bed, x, fd, 3);
	IS(0, SYS_close, fd);
	assert_int_equal(atomic_load(word(x, fd)), 0);
	end(x);
}

static void a_cell_that_goes_leaves_the_position(void **state)
{
	struct testbed *bed = *state;
	long fd;
	struct fixture *x = make(bed, &fd);

	reads(bed, x, fd, 3);
	cell_reads(x, fd, 70);
	end(x);
	IS(100, SYS_lseek, fd, 0, SEEK_CUR);
}

static void two_who_take_turns_have_it_no_longer(void **state)
{
	struct testbed *bed = *state;
	long fd, two;
	struct fixture *x = make(bed, &fd);

	two = CALL(SYS_dup, fd);
	for (int i = 0; i < 20; i++)
		reads(bed, x, i % 2 ? two : fd, 1);
	assert_int_equal(loan(x, fd) + loan(x, two), 0);
	IS(200, SYS_lseek, fd, 0, SEEK_CUR);
	end(x);
}

static void who_borrows_the_memory_borrows_no_positions(void **state)
{
	struct testbed *bed = *state;
	long fd;
	struct fixture *x = make(bed, &fd);

	x->cell.pid++;
	reads(bed, x, fd, 5);
	assert_int_equal(loan(x, fd), 0);
	end(x);
}

static void numbers_that_mean_two_things_have_none(void **state)
{
	struct testbed *bed = *state;
	long fd;
	struct fixture *x = make(bed, &fd);

	reads(bed, x, fd, 3);
	assert_int_not_equal(loan(x, fd), 0);
	(void)testbed_clone(bed, bed->task, CLONE_FILES);
	reads(bed, x, fd, 3);
	assert_int_equal(loan(x, fd), 0);
	end(x);
}

static void who_watches_reads_sees_them(void **state)
{
	struct testbed *bed = *state;
	long fd, watch;
	struct fixture *x = make(bed, &fd);

	reads(bed, x, fd, 3);
	assert_int_not_equal(loan(x, fd), 0);
	watch = CALL(SYS_inotify_init1, IN_NONBLOCK);
	IS(1, SYS_inotify_add_watch, watch, "/f", IN_ACCESS);
	reads(bed, x, fd, 1);
	assert_int_equal(loan(x, fd), 0);
	IS(0, SYS_inotify_rm_watch, watch, 1);
	reads(bed, x, fd, 1);
	assert_int_not_equal(loan(x, fd), 0);
	end(x);
}

static void high_numbers_have_none(void **state)
{
	struct testbed *bed = *state;
	long fd;
	struct fixture *x = make(bed, &fd);

	IS(PLACE_COUNT, SYS_dup2, fd, PLACE_COUNT);
	reads(bed, x, PLACE_COUNT, 5);
	IS(PLACE_COUNT - 1, SYS_dup2, fd, PLACE_COUNT - 1);
	reads(bed, x, PLACE_COUNT - 1, 3);
	assert_int_not_equal(loan(x, PLACE_COUNT - 1), 0);
	end(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(who_reads_again_gets_the_position),
		TESTBED(each_loan_has_another_number),
		TESTBED(whatever_is_written_there_is_a_position),
		TESTBED(closing_a_number_takes_it_back),
		TESTBED(the_last_close_frees_it),
		TESTBED(a_cell_that_goes_leaves_the_position),
		TESTBED(two_who_take_turns_have_it_no_longer),
		TESTBED(who_borrows_the_memory_borrows_no_positions),
		TESTBED(numbers_that_mean_two_things_have_none),
		TESTBED(who_watches_reads_sees_them),
		TESTBED(high_numbers_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
