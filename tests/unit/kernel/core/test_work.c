/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/core/work.h"

#include <pthread.h>

#include "cmocka_all.h"

#define MANY 100

struct job {
	struct work work;
	pthread_t ran_on;
	pthread_t done_on;
	unsigned ran;
	unsigned *left;
};

static void run(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	j->ran_on = pthread_self();
	j->ran++;
}

static void done(struct work *w)
{
	struct job *j = container_of(w, struct job, work);

	j->done_on = pthread_self();
	--*j->left;
}

static void submit(struct workers *ws, struct job jobs[static MANY],
                   unsigned *left)
{
	for (size_t i = 0; i < MANY; i++) {
		jobs[i].work = (struct work){.run = run, .done = done};
		jobs[i].left = left;
		assert_int_equal(work_submit(ws, &jobs[i].work), 0);
	}
}

static void work_runs_elsewhere_and_reports_here(void **state)
{
	static struct job jobs[MANY];
	unsigned left = MANY;
	struct workers *ws;
	struct loop loop;

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(work_create(&loop, &ws), 0);
	submit(ws, jobs, &left);
	while (left > 0)
		(void)loop_wait(&loop, UINT64_MAX);
	for (size_t i = 0; i < MANY; i++) {
		assert_false(pthread_equal(jobs[i].ran_on, pthread_self()));
		assert_true(pthread_equal(jobs[i].done_on, pthread_self()));
	}
	work_destroy(ws);
	loop_fini(&loop);
}

static void what_is_finished_is_not_done(void **state)
{
	static struct job jobs[MANY];
	struct job *last = &jobs[MANY - 1];
	unsigned left = MANY;
	struct workers *ws;
	struct loop loop;

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(work_create(&loop, &ws), 0);
	submit(ws, jobs, &left);
	/* Of all three kinds: begun, ended, and not begun. */
	for (size_t i = 0; i < MANY; i++)
		work_finish(ws, &jobs[i].work);
	assert_int_equal(left, MANY);
	assert_int_equal(work_submit(ws, &last->work), 0);
	while (left == MANY)
		(void)loop_wait(&loop, UINT64_MAX);
	assert_int_equal(left, MANY - 1);
	assert_int_equal(last->ran, 2);
	for (size_t i = 0; i < MANY - 1; i++)
		assert_int_equal(jobs[i].ran, 1);
	work_destroy(ws);
	loop_fini(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_runs_elsewhere_and_reports_here),
		cmocka_unit_test(what_is_finished_is_not_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
