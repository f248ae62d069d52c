/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/serve.h"

#include "kernel/core/loop.h"
#include "kernel/spin.h"
#include "kernel/syscall.h"
#include "kernel/task/cells.h"
#include "kernel/task/memory.h"

#define TURNS  32 /* of looking at slots, between looks at the clock */
#define YIELD  8  /* such turns between yields of the CPU */
#define GLANCE 64 /* turns between looks at the host's side */

static bool run_ready(struct kernel *k)
{
	bool ran = false;

	while (!list_empty(&k->ready)) {
		struct task *t = list_first(&k->ready, struct task, ready_link);

		list_del(&t->ready_link);
		task_get(t);
		syscall_serve(t);
		task_put(t);
		ran = true;
	}
	return ran;
}

/* One round over everything that may have work.  Returns whether any had. */
static bool turn(struct kernel *k)
{
	bool ran = loop_run_soon(&k->loop);

	ran |= run_ready(k);
	ran |= cells_poll(k);
	return ran;
}

/*
 * Answers what polled slots ask, as long as that is all there is to do.
 * Returns whether any did.
 */
static bool look(struct kernel *k)
{
	bool ran = false;

	for (unsigned i = 0; i < GLANCE; i++) {
		if (!cells_spin(k, TURNS))
			return ran;
		ran |= cells_poll(k);
		if (!list_empty(&k->ready) || !list_empty(&k->loop.soon))
			return ran;
		if (i % YIELD == 0)
			(void)sched_yield();
	}
	return ran;
}

/* Nothing is to be done: until something is. */
static void rest(struct kernel *k, struct spin *s, uint64_t now_ns)
{
	if (cells_idle(k) || !cells_unpoll(k))
		return;
	(void)loop_wait(&k->loop, UINT64_MAX);
	spin_learn(s, timer_now() - now_ns);
}

void serve_run(struct kernel *k)
{
	uint64_t quiet_since = 0, until = 0;
	unsigned turns = 0;
	struct spin s;

	spin_init(&s);
	while (!k->loop.stop) {
		bool ran = ++turns % GLANCE == 0 && loop_wait(&k->loop, 0) > 0;
		uint64_t now;

		ran |= turn(k);
		if (ran) {
			quiet_since = 0;
			continue;
		}
		now = timer_now();
		if (quiet_since == 0) {
			spin_decide(&s, k, now);
			memory_active(k);
			quiet_since = now;
			until = now + spin_time(&s, k, now);
		}
		if (now < until) {
			if (look(k))
				quiet_since = 0;
			continue;
		}
		rest(k, &s, now);
		quiet_since = 0;
	}
}
