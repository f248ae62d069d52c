/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/core/hashtable.h"

#include "cmocka_all.h"
#include "kernel/core/kernel.h"

#define THINGS 1000

struct thing {
	struct hashtable_link link;
	uint32_t number;
	unsigned met;
};

struct bed {
	struct kernel kernel;
	struct hashtable table;
	struct thing thing[THINGS];
};

static int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	assert_int_equal(kernel_init(&b->kernel, 1 << 20, 1), 0);
	b->table.kernel = &b->kernel;
	for (uint32_t i = 0; i < THINGS; i++)
		b->thing[i].number = i;
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	hashtable_fini(&b->table);
	assert_int_equal(b->kernel.limits.memory_used, 0);
	kernel_fini(&b->kernel);
	free(b);
	return 0;
}

static struct thing *thing_of(struct hashtable_link *l)
{
	return container_of(l, struct thing, link);
}

/* Numbers that differ by 100 have the same hash. */
static uint32_t hash_of(uint32_t number)
{
	return number % 100 * 0x10001;
}

static struct thing *find(const struct bed *b, uint32_t number)
{
	struct hashtable_link *at = hashtable_find(&b->table, hash_of(number));

	while (at && thing_of(at)->number != number)
		at = hashtable_next(at);
	return at ? thing_of(at) : NULL;
}

static void add_all(struct bed *b)
{
	for (uint32_t i = 0; i < THINGS; i++) {
		assert_int_equal(hashtable_reserve(&b->table), 0);
		hashtable_add(&b->table, &b->thing[i].link, hash_of(i));
	}
}

static void an_empty_table_has_nothing(void **state)
{
	struct bed *b = *state;

	assert_null(hashtable_find(&b->table, 0));
	assert_null(hashtable_after(&b->table, NULL));
}

static void each_is_found_until_it_is_removed(void **state)
{
	struct bed *b = *state;

	add_all(b);
	assert_int_equal(b->table.count, THINGS);
	for (uint32_t i = 0; i < THINGS; i++)
		assert_ptr_equal(find(b, i), &b->thing[i]);
	for (uint32_t i = 0; i < THINGS; i += 3)
		hashtable_remove(&b->table, &b->thing[i].link);
	for (uint32_t i = 0; i < THINGS; i++)
		assert_ptr_equal(find(b, i), i % 3 ? &b->thing[i] : NULL);
}

static void a_walk_by_hash_meets_no_other(void **state)
{
	struct bed *b = *state;
	unsigned met = 0;

	add_all(b);
	for (struct hashtable_link *at = hashtable_find(&b->table, hash_of(42));
	     at; at = hashtable_next(at)) {
		assert_int_equal(thing_of(at)->number % 100, 42);
		met++;
	}
	assert_int_equal(met, THINGS / 100);
}

static void a_walk_over_all_meets_each_once(void **state)
{
	struct bed *b = *state;
	struct hashtable_link *at = NULL;

	add_all(b);
	while ((at = hashtable_after(&b->table, at)) != NULL)
		thing_of(at)->met++;
	for (uint32_t i = 0; i < THINGS; i++)
		assert_int_equal(b->thing[i].met, 1);
}

static void without_memory_chains_grow(void **state)
{
	struct bed *b = *state;

	b->kernel.limits.memory = 0;
	assert_int_equal(hashtable_reserve(&b->table), -ENOMEM);
	b->kernel.limits.memory = 100;
	add_all(b);
	assert_true(b->kernel.limits.memory_used <= 100);
	for (uint32_t i = 0; i < THINGS; i++)
		assert_ptr_equal(find(b, i), &b->thing[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_table_has_nothing),
		TEST(each_is_found_until_it_is_removed),
		TEST(a_walk_by_hash_meets_no_other),
		TEST(a_walk_over_all_meets_each_once),
		TEST(without_memory_chains_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
