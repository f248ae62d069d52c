/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/core/timer.h"

#include "cmocka_all.h"

#define MANY 500

struct probe {
	struct timer timer;
	struct timers *timers;
	uint64_t *last;
	unsigned fired;
};

static void note(struct timer *t)
{
	struct probe *p = container_of(t, struct probe, timer);

	p->fired++;
	assert_true(t->at_ns >= *p->last);
	*p->last = t->at_ns;
}

static void they_fire_in_order_and_once(void **state)
{
	static struct probe p[MANY];
	struct timers ts = {0};
	uint64_t last = 0;
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		p[i] = (struct probe){.timer.fire = note, .last = &last};
		assert_int_equal(timer_set(&ts, &p[i].timer, seed >> 40), 0);
	}
	for (size_t i = 0; i < MANY; i += 3)
		timer_stop(&ts, &p[i].timer);
	for (size_t i = 1; i < MANY; i += 3)
		assert_int_equal(timer_set(&ts, &p[i].timer, i), 0);
	timer_run(&ts, UINT64_MAX - 1);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(p[i].fired, i % 3 == 0 ? 0 : 1);
		assert_false(timer_is_set(&p[i].timer));
	}
	assert_true(timer_next(&ts) == UINT64_MAX);
	timer_fini(&ts);
}

static void none_fires_early(void **state)
{
	struct timers ts = {0};
	uint64_t last = 0;
	struct probe p = {.timer.fire = note, .last = &last};

	(void)state;
	assert_int_equal(timer_set(&ts, &p.timer, 100), 0);
	timer_run(&ts, 99);
	assert_int_equal(p.fired, 0);
	assert_int_equal(timer_next(&ts), 100);
	timer_run(&ts, 100);
	assert_int_equal(p.fired, 1);
	timer_fini(&ts);
}

static void again(struct timer *t)
{
	struct probe *p = container_of(t, struct probe, timer);

	if (++p->fired < 3)
		assert_int_equal(timer_set(p->timers, t, t->at_ns + 10), 0);
}

static void one_may_set_itself_again(void **state)
{
	struct timers ts = {0};
	struct probe p = {.timer.fire = again, .timers = &ts};

	(void)state;
	assert_int_equal(timer_set(&ts, &p.timer, 10), 0);
	timer_run(&ts, 15);
	assert_int_equal(p.fired, 1);
	timer_run(&ts, 100);
	assert_int_equal(p.fired, 3);
	timer_fini(&ts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_fire_in_order_and_once),
		cmocka_unit_test(none_fires_early),
		cmocka_unit_test(one_may_set_itself_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
