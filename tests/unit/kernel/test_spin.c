/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/spin.h"

#include "cmocka_all.h"

#define SHORT_NS 1000u
#define LONG_NS  1000000000u

static void some_cpu_is_ours(void **state)
{
	struct spin s;

	(void)state;
	spin_init(&s);
	assert_in_range(s.cpus, 1, CPU_SETSIZE);
	assert_int_equal(s.cpus, CPU_COUNT(&s.set));
}

static void short_sleeps_make_the_look_longer_up_to_a_limit(void **state)
{
	struct spin s;
	uint64_t before;

	(void)state;
	spin_init(&s);
	before = s.learned_ns;
	spin_learn(&s, SHORT_NS);
	assert_true(s.learned_ns > before);
	for (unsigned i = 0; i < 64; i++)
		spin_learn(&s, SHORT_NS);
	before = s.learned_ns;
	spin_learn(&s, SHORT_NS);
	assert_int_equal(s.learned_ns, before);
}

static void long_sleeps_make_it_shorter_but_never_nothing(void **state)
{
	struct spin s;
	uint64_t least;

	(void)state;
	spin_init(&s);
	least = s.learned_ns;
	for (unsigned i = 0; i < 64; i++)
		spin_learn(&s, SHORT_NS);
	assert_true(s.learned_ns > least);
	for (unsigned i = 0; i < 64; i++)
		spin_learn(&s, LONG_NS);
	assert_int_equal(s.learned_ns, least);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(some_cpu_is_ours),
		cmocka_unit_test(
			short_sleeps_make_the_look_longer_up_to_a_limit),
		cmocka_unit_test(long_sleeps_make_it_shorter_but_never_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
