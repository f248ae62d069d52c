/* SPDX-License-Identifier: Apache-2.0 */
#include "base/visible.h"

#include <string.h>

#include "cmocka_all.h"

static void only_harmless_bytes_get_through(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		unsigned char c = (unsigned char)i;
		bool stays = (i >= 32 && i < 127) || i == 7 || i == 8 ||
		             i == 9 || i == 10 || i == 13;

		visible_filter(&c, 1);
		assert_int_equal(c, stays ? i : '_');
	}
}

static void a_line_stays_one(void **state)
{
	char text[] = "a\tb\nc\033[1m\303\244 ~";

	(void)state;
	visible_line(text);
	assert_string_equal(text, "a_b_c_[1m__ ~");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_harmless_bytes_get_through),
		cmocka_unit_test(a_line_stays_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
