/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include "cmocka_all.h"

static void grows_at_its_end(void **state)
{
	autobuffer struct buffer b = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		buffer_printf(&b, "%03d,", i);
	buffer_text0(&b, "end");
	assert_false(b.bad);
	assert_int_equal(b.size, 4004);
	assert_memory_equal(b.at + 3996, "999,end", 8);
	buffer_drop(&b, 3996);
	assert_string_equal((const char *)b.at, "999,end");
	buffer_drop(&b, 100);
	assert_int_equal(b.size, 0);
}

static void remembers_that_memory_was_short(void **state)
{
	autobuffer struct buffer b = {0};

	(void)state;
	buffer_text(&b, "kept");
	assert_null(buffer_reserve(&b, SIZE_MAX - 2));
	buffer_text(&b, "lost");
	assert_true(b.bad);
	assert_int_equal(b.size, 4);
	buffer_clear(&b);
	assert_false(b.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_at_its_end),
		cmocka_unit_test(remembers_that_memory_was_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
