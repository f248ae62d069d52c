/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/environment.h"

#include "cmocka_all.h"

static void variables_are_set_replaced_and_passed_on(void **state)
{
	struct environment *e = calloc(1, sizeof(*e));
	struct wire_list l;
	struct fault f;

	(void)state;
	assert_non_null(e);
	assert_int_equal(environment_set(e, "A", "1", &f), 0);
	assert_int_equal(environment_set(e, "AB", "2", &f), 0);
	assert_int_equal(environment_ask(e, "A=3=4", &f), 0);
	assert_int_equal(e->count, 2);
	assert_string_equal(e->entry[0], "A=3=4");

	assert_int_equal(setenv("BENTO_TEST_HERE", "x", 1), 0);
	assert_int_equal(environment_ask(e, "BENTO_TEST_HERE", &f), 0);
	assert_string_equal(e->entry[2], "BENTO_TEST_HERE=x");
	/* What we do not have, it does not have. */
	assert_int_equal(unsetenv("AB"), 0);
	assert_int_equal(environment_ask(e, "AB", &f), 0);
	assert_int_equal(e->count, 2);

	assert_int_equal(environment_pack(e->entry, e->count, &l), 0);
	assert_int_equal(l.count, 2);
	assert_memory_equal(l.packed.at, "A=3=4", 6);
	free((void *)(uintptr_t)l.packed.at);
	environment_fini(e);
	free(e);
}

static void names_must_be_names(void **state)
{
	struct environment *e = calloc(1, sizeof(*e));
	struct fault f;

	(void)state;
	assert_int_equal(environment_set(e, "", "1", &f), -EINVAL);
	assert_int_equal(environment_set(e, "A=B", "1", &f), -EINVAL);
	assert_int_equal(environment_ask(e, "=x", &f), -EINVAL);
	assert_int_equal(e->count, 0);
	free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_are_set_replaced_and_passed_on),
		cmocka_unit_test(names_must_be_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
