/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/serve.h"

#include "kernel/core/loop.h"
#include "kernel/syscall.h"
#include "kernel/task/cells.h"

#define SPIN_NS 20000u /* look for this long before going to sleep */
#define GLANCE  64     /* rounds between looks at the host's side */

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

void serve_run(struct kernel *k)
{
	uint64_t quiet_since = 0;
	unsigned rounds = 0;

	while (!k->loop.stop) {
		bool ran = ++rounds % GLANCE == 0 && loop_wait(&k->loop, 0) > 0;

		ran |= turn(k);
		if (ran) {
			quiet_since = 0;
			continue;
		}
		if (quiet_since == 0) {
			quiet_since = timer_now();
			continue;
		}
		if (timer_now() - quiet_since < SPIN_NS) {
			__builtin_ia32_pause();
			continue;
		}
		if (!cells_idle(k) && cells_unpoll(k))
			(void)loop_wait(&k->loop, UINT64_MAX);
		quiet_since = 0;
	}
}
