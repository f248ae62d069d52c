/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/machine.h"

#include "cmocka_all.h"

static void the_machine_has_programs(void **state)
{
	static struct start s;
	struct machine m;
	struct fault f;
	bool usr = false;

	(void)state;
	assert_int_equal(machine_open(&m, &f), 0);
	assert_int_equal(machine_add(&m, &s, &f), 0);
	for (uint32_t i = 0; i < s.record.mount_count; i++)
		usr |= s.record.mount[i].kind == LAUNCH_TEMPLATE &&
		       span_is(s.record.mount[i].at, "/usr");
	assert_true(usr);
	assert_int_equal(s.fd_count + 1, launch_descriptors(&s.record));
	machine_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_machine_has_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
