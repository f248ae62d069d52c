/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/memdir.h"

#include <stdio.h>

#include "cmocka_all.h"
#include "kernel/core/limits.h"
#include "kernel/fs/dots.h"

#define NAMES 500u

/* Inodes are handed through and never looked into: numbers do for them. */
struct bed {
	struct kernel kernel;
	struct memdir dir;
	uintptr_t listed[NAMES];
};

static struct inode *inode_of(uintptr_t n)
{
	return (struct inode *)(n + 1);
}

static uintptr_t number_of(const struct inode *i)
{
	return (uintptr_t)i - 1;
}

static int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	assert_int_equal(kernel_init(&b->kernel, 1 << 20, 1), 0);
	memdir_init(&b->dir, &b->kernel);
	*state = b;
	return 0;
}

static struct memdir_entry *find(struct bed *b, uintptr_t n)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "n%zu", (size_t)n);
	return memdir_find(&b->dir, span_str(name));
}

static void add(struct bed *b, uintptr_t n)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "n%zu", (size_t)n);
	assert_int_equal(memdir_add(&b->dir, span_str(name), inode_of(n)), 0);
}

static void drop(struct bed *b, uintptr_t n)
{
	assert_ptr_equal(memdir_remove(&b->dir, find(b, n)), inode_of(n));
}

static int tear_down(void **state)
{
	struct bed *b = *state;
	struct memdir_entry *e;

	while ((e = memdir_at(&b->dir, 0)))
		(void)memdir_remove(&b->dir, e);
	memdir_fini(&b->dir);
	assert_int_equal(b->kernel.limits.memory_used, 0);
	kernel_fini(&b->kernel);
	free(b);
	return 0;
}

/* Reads up to `count` names from `pos` on; counts each, and goes on behind. */
static int64_t list(struct bed *b, int64_t pos, unsigned count)
{
	struct memdir_entry *e;

	while (count-- > 0 && (e = memdir_at(&b->dir, pos))) {
		b->listed[number_of(e->inode)]++;
		pos = e->pos + 1;
	}
	return pos;
}

static void names_are_found_until_they_go(void **state)
{
	struct bed *b = *state;

	assert_null(find(b, 0));
	for (uintptr_t n = 0; n < NAMES; n++)
		add(b, n);
	for (uintptr_t n = 0; n < NAMES; n += 2)
		drop(b, n);
	for (uintptr_t n = 0; n < NAMES; n++) {
		struct memdir_entry *e = find(b, n);

		assert_true((n % 2 == 0) == (e == NULL));
		assert_true(!e || number_of(e->inode) == n);
	}
	assert_null(memdir_find(&b->dir, span_str("n")));
	assert_null(memdir_find(&b->dir, span_str("n10 ")));
}

/* What stays is listed once, whatever comes and goes between two reads. */
static void a_reader_misses_and_repeats_nothing(void **state)
{
	struct bed *b = *state;
	int64_t pos = DOTS_FIRST;
	uintptr_t gone = 0, come = NAMES / 2;

	for (uintptr_t n = 0; n < NAMES / 2; n++)
		add(b, n);
	/* Most of what was read goes, so that the table is packed anew. */
	while (memdir_at(&b->dir, pos)) {
		pos = list(b, pos, 10);
		for (int i = 0; i < 9 && gone + 1 < NAMES / 2; i++, gone++)
			drop(b, gone);
		if (come < NAMES)
			add(b, come++);
	}
	for (uintptr_t n = 0; n < come; n++)
		assert_int_equal(b->listed[n], 1);
}

static void positions_are_never_given_again(void **state)
{
	struct bed *b = *state;
	int64_t before;

	add(b, 1);
	before = find(b, 1)->pos;
	drop(b, 1);
	add(b, 1);
	assert_true(find(b, 1)->pos > before);
	assert_ptr_equal(memdir_at(&b->dir, before), find(b, 1));
	assert_null(memdir_at(&b->dir, find(b, 1)->pos + 1));
}

static void without_memory_nothing_changes(void **state)
{
	struct bed *b = *state;

	for (uintptr_t n = 0; n < 8; n++)
		add(b, n);
	b->kernel.limits.memory = b->kernel.limits.memory_used;
	assert_int_equal(memdir_add(&b->dir, span_str("more"), inode_of(9)),
	                 -ENOMEM);
	assert_null(memdir_find(&b->dir, span_str("more")));
	assert_int_equal(b->dir.names.count, 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(names_are_found_until_they_go),
		TEST(a_reader_misses_and_repeats_nothing),
		TEST(positions_are_never_given_again),
		TEST(without_memory_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
