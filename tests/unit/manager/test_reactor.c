/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/reactor.h"

#include <sys/epoll.h>

#include "cmocka_all.h"

struct fixture {
	struct reactor *r;
	struct reactor_watch watch[2];
	struct reactor_timer timer[3];
	int called;
	int order[3], fired;
};

/* Whichever comes first removes the other, which must not be called then. */
static void remove_both(struct fixture *x)
{
	x->called++;
	reactor_remove(x->r, &x->watch[0]);
	reactor_remove(x->r, &x->watch[1]);
	reactor_stop(x->r);
}

static void first_ready(struct reactor_watch *w, uint32_t events)
{
	(void)events;
	remove_both(container_of(w, struct fixture, watch[0]));
}

static void second_ready(struct reactor_watch *w, uint32_t events)
{
	(void)events;
	remove_both(container_of(w, struct fixture, watch[1]));
}

static void a_removed_watch_is_not_called(void **state)
{
	struct fixture x = {0};
	int ends[2];
	struct fault f;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "", 1), 1);
	assert_int_equal(reactor_create(&x.r, &f), 0);
	x.watch[0].ready = first_ready;
	x.watch[1].ready = second_ready;
	assert_int_equal(reactor_add(x.r, &x.watch[0], ends[0], EPOLLIN), 0);
	assert_int_equal(reactor_add(x.r, &x.watch[1], ends[1], EPOLLOUT), 0);
	assert_int_equal(reactor_run(x.r, &f), 0);
	assert_int_equal(x.called, 1);
	reactor_destroy(x.r);
	close(ends[0]);
	close(ends[1]);
}

static void fire(struct fixture *x, int which)
{
	x->order[x->fired++] = which;
	if (which == 2)
		reactor_stop(x->r);
}

static void fire0(struct reactor_timer *t)
{
	fire(container_of(t, struct fixture, timer[0]), 0);
}

static void fire1(struct reactor_timer *t)
{
	fire(container_of(t, struct fixture, timer[1]), 1);
}

static void fire2(struct reactor_timer *t)
{
	fire(container_of(t, struct fixture, timer[2]), 2);
}

static void timers_fire_in_order(void **state)
{
	struct fixture x = {0};
	struct fault f;

	(void)state;
	assert_int_equal(reactor_create(&x.r, &f), 0);
	reactor_timer_init(&x.timer[0], fire0);
	reactor_timer_init(&x.timer[1], fire1);
	reactor_timer_init(&x.timer[2], fire2);
	reactor_timer_start(x.r, &x.timer[2], 20);
	reactor_timer_start(x.r, &x.timer[0], 10);
	reactor_timer_start(x.r, &x.timer[1], 5);
	/* Anew: later. */
	reactor_timer_start(x.r, &x.timer[1], 15);
	assert_int_equal(reactor_run(x.r, &f), 0);
	assert_int_equal(x.fired, 3);
	assert_int_equal(x.order[0], 0);
	assert_int_equal(x.order[1], 1);
	assert_int_equal(x.order[2], 2);
	reactor_destroy(x.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_removed_watch_is_not_called),
		cmocka_unit_test(timers_fire_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
