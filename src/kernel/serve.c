/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/serve.h"

#include <sched.h>

#include "kernel/core/loop.h"
#include "kernel/syscall.h"
#include "kernel/task/cells.h"
#include "kernel/task/memory.h"

#define SPIN_MIN_NS 20000u   /* look for this long before going to sleep, */
#define SPIN_MAX_NS 400000u  /* up to this long where it pays */
#define CELL_SPIN   8000u    /* turns a cell waits before it sleeps */
#define POLICY_NS   1000000u /* how long a decision about spinning holds */
#define SPIN_TURNS  32       /* between looks at the clock */
#define SHARED_MAX  4        /* requests from our CPU before we leave it, */
#define MOVE_NS     4000000u /* which costs too much to do it more often */
#define YIELD       8        /* such turns between yields of the CPU */
#define GLANCE      64       /* turns between looks at the host's side */

/*
 * Whether to spin.  It pays when a CPU would idle otherwise: a hand-over
 * between two running CPUs takes a few hundred nanoseconds, one that wakes a
 * sleeping CPU ten microseconds or many more.  With guest threads for every
 * CPU, spinning takes from them what it gives; then both sides sleep at once,
 * and the host hands the CPU over.  Whoever spins yields all the time: the host
 * likes to wake the one that is waited for on the CPU of the one that waits.
 *
 * How long is learned from what sleeping brought: a sleep so short that
 * spinning would have covered it makes the spin longer, a long one makes it
 * shorter.
 */
struct policy {
	cpu_set_t set;
	unsigned cpus;
	bool spare;
	uint64_t decided_ns;
	uint64_t spin_ns;
	unsigned shared; /* requests in a row that came from our own CPU */
	uint64_t moved_ns;
};

static void decide(struct kernel *k, struct policy *p, uint64_t now_ns)
{
	if (p->decided_ns && now_ns - p->decided_ns < POLICY_NS)
		return;
	p->spare = cells_busy(k, p->cpus) < p->cpus;
	p->decided_ns = now_ns;
	cells_set_spin(k, p->spare ? CELL_SPIN : 0);
	memory_active(k);
}

static void learn(struct policy *p, uint64_t slept_ns)
{
	if (slept_ns < SPIN_MAX_NS)
		p->spin_ns = MIN(p->spin_ns * 2, SPIN_MAX_NS);
	else
		p->spin_ns = MAX(p->spin_ns / 2, SPIN_MIN_NS);
}

static void start_policy(struct policy *p)
{
	*p = (struct policy){.cpus = 1, .spin_ns = SPIN_MIN_NS};
	if (sched_getaffinity(0, sizeof(p->set), &p->set) < 0)
		CPU_ZERO(&p->set);
	else
		p->cpus = (unsigned)CPU_COUNT(&p->set);
}

/*
 * Whether we share a CPU with the cell that asked last.  Then it cannot run
 * while we look for its next request.  The host takes long to part us, so after
 * some such requests we move by ourselves, if there is somewhere to go.
 */
static bool sharing(const struct kernel *k, struct policy *p, uint64_t now_ns)
{
	uint32_t cpu = k->asker_waits_on - 1;
	cpu_set_t others = p->set;

	if (k->asker_waits_on == 0 || (int)cpu != sched_getcpu()) {
		p->shared = 0;
		return false;
	}
	if (++p->shared < SHARED_MAX || !p->spare || p->cpus < 2 ||
	    now_ns - p->moved_ns < MOVE_NS)
		return true;
	CPU_CLR(cpu, &others);
	if (sched_setaffinity(0, sizeof(others), &others) == 0)
		(void)sched_setaffinity(0, sizeof(p->set), &p->set);
	p->shared = 0;
	p->moved_ns = now_ns;
	return false;
}

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
static bool spin(struct kernel *k)
{
	bool ran = false;

	for (unsigned i = 0; i < GLANCE; i++) {
		if (!cells_spin(k, SPIN_TURNS))
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
static void rest(struct kernel *k, struct policy *p, uint64_t now_ns)
{
	if (cells_idle(k) || !cells_unpoll(k))
		return;
	(void)loop_wait(&k->loop, UINT64_MAX);
	learn(p, timer_now() - now_ns);
}

void serve_run(struct kernel *k)
{
	struct policy policy;
	uint64_t quiet_since = 0;
	unsigned turns = 0;
	bool look = false;

	start_policy(&policy);
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
			decide(k, &policy, now);
			quiet_since = now;
			look = policy.spare && !sharing(k, &policy, now);
		}
		if (look && now - quiet_since < policy.spin_ns) {
			if (spin(k))
				quiet_since = 0;
			continue;
		}
		rest(k, &policy, now);
		quiet_since = 0;
	}
}
