/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/memory.h"

#include "cmocka_all.h"

static void only_pages_of_its_own_count(void **state)
{
	uint64_t pages = 0;

	(void)state;
	assert_int_equal(memory_parse("900 300 120 1 0 80 0\n", &pages), 0);
	assert_int_equal(pages, 180);
	assert_int_equal(memory_parse("900 100 120 1 0 80 0\n", &pages), 0);
	assert_int_equal(pages, 0);
}

static void text_of_another_form_is_refused(void **state)
{
	uint64_t pages = 77;

	(void)state;
	assert_int_equal(memory_parse("", &pages), -EPROTO);
	assert_int_equal(memory_parse("900 300", &pages), -EPROTO);
	assert_int_equal(memory_parse("a b c", &pages), -EPROTO);
	assert_int_equal(pages, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_pages_of_its_own_count),
		cmocka_unit_test(text_of_another_form_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
