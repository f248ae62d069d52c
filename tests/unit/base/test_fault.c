/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#include <string.h>

#include "cmocka_all.h"

static void the_sentence_and_the_number_come_back(void **state)
{
	struct fault f = {0};

	(void)state;
	assert_int_equal(fault_set(&f, -EPERM, "share %s", "/x"), -EPERM);
	assert_string_equal(f.text, "share /x");
}

static void errno_is_told_in_words(void **state)
{
	struct fault f = {0};

	(void)state;
	errno = ENOENT;
	assert_int_equal(fault_errno(&f, "open %s", "/x"), -ENOENT);
	assert_string_equal(f.text, "open /x: No such file or directory");
}

static void a_long_sentence_is_cut_not_overrun(void **state)
{
	struct fault f = {0};
	char name[2 * sizeof(f.text)];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	errno = ENOENT;
	assert_int_equal(fault_errno(&f, "%s", name), -ENOENT);
	assert_int_equal(strlen(f.text), sizeof(f.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sentence_and_the_number_come_back),
		cmocka_unit_test(errno_is_told_in_words),
		cmocka_unit_test(a_long_sentence_is_cut_not_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
