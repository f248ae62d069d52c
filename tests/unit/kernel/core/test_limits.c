/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/core/limits.h"

#include "cmocka_all.h"

static void what_does_not_fit_is_refused_and_not_charged(void **state)
{
	struct kernel k;
	void *p;

	(void)state;
	assert_int_equal(kernel_init(&k, 1000, 1), 0);
	assert_int_equal(limits_charge(&k, 600), 0);
	assert_int_equal(limits_charge(&k, 401), -ENOMEM);
	assert_int_equal(limits_charge(&k, UINT64_MAX), -ENOMEM);
	p = limits_alloc(&k, 400);
	assert_non_null(p);
	assert_null(limits_alloc(&k, 1));
	limits_free(&k, p, 400);
	limits_free(&k, NULL, 400);
	limits_uncharge(&k, 600);
	assert_int_equal(k.limits.memory_used, 0);
	kernel_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_fit_is_refused_and_not_charged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
