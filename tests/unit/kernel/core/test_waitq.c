/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/core/waitq.h"

#include "cmocka_all.h"

struct probe {
	struct waiter waiter;
	struct waitq *back_into;
	unsigned woken;
	uint32_t events;
};

static void note(struct waiter *w, uint32_t events)
{
	struct probe *p = container_of(w, struct probe, waiter);

	p->woken++;
	p->events = events;
	waitq_remove(w);
	if (p->back_into)
		waitq_add(p->back_into, w);
}

static void prepare(struct probe *p, struct waitq *q)
{
	*p = (struct probe){.waiter.wake = note};
	list_init(&p->waiter.link);
	waitq_add(q, &p->waiter);
}

static void everyone_is_called_once(void **state)
{
	struct probe a, b;
	struct waitq q;

	(void)state;
	waitq_init(&q);
	prepare(&a, &q);
	prepare(&b, &q);
	waitq_wake(&q, 5);
	assert_int_equal(a.woken, 1);
	assert_int_equal(b.woken, 1);
	assert_int_equal(b.events, 5);
	assert_true(list_empty(&q.waiters));
}

static void one_that_waits_again_is_not_called_for_ever(void **state)
{
	struct probe a;
	struct waitq q;

	(void)state;
	waitq_init(&q);
	prepare(&a, &q);
	a.back_into = &q;
	waitq_wake(&q, 1);
	assert_int_equal(a.woken, 1);
	waitq_wake(&q, 1);
	assert_int_equal(a.woken, 2);
	waitq_remove(&a.waiter);
}

static void the_end_of_a_queue_lets_everyone_go(void **state)
{
	struct probe a;
	struct waitq q;

	(void)state;
	waitq_init(&q);
	prepare(&a, &q);
	waitq_fini(&q);
	assert_int_equal(a.woken, 1);
	assert_true(list_empty(&a.waiter.link));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everyone_is_called_once),
		cmocka_unit_test(one_that_waits_again_is_not_called_for_ever),
		cmocka_unit_test(the_end_of_a_queue_lets_everyone_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
