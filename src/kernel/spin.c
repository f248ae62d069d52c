/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/spin.h"

#include "kernel/task/cells.h"

/* Nanoseconds we look, and turns that a cell does. */
#define BRIEF_NS    20000u /* about what a sleep costs */
#define BRIEF_TURNS 2000u
#define LONG_NS     400000u
#define LONG_TURNS  8000u

#define DECIDE_NS 1000000u /* how long a decision about spare CPUs holds */

#define BUSY_ONE    256
#define BUSY_SMOOTH 8

#define SHARED_MAX 4        /* requests from our CPU before we leave it, ... */
#define MOVE_NS    4000000u /* which costs too much to do it more often */

void spin_init(struct spin *s)
{
	*s = (struct spin){.cpus = 1, .learned_ns = BRIEF_NS};
	if (sched_getaffinity(0, sizeof(s->set), &s->set) < 0)
		CPU_ZERO(&s->set);
	else
		s->cpus = (unsigned)CPU_COUNT(&s->set);
}

/* One look sees who has work by chance: a program that forks has two. */
static unsigned smooth(unsigned before, unsigned now)
{
	return (before * (BUSY_SMOOTH - 1) + now * BUSY_ONE) / BUSY_SMOOTH;
}

void spin_decide(struct spin *s, struct kernel *k, uint64_t now_ns)
{
	if (s->decided_ns && now_ns - s->decided_ns < DECIDE_NS)
		return;
	s->busy = smooth(s->busy, cells_busy(k, s->cpus));
	s->spare = s->busy < s->cpus * BUSY_ONE - BUSY_ONE / 2;
	s->decided_ns = now_ns;
	cells_set_spin(k, s->spare ? LONG_TURNS : BRIEF_TURNS);
}

/* Leaves the CPU, without giving up ever to come back. */
static void move_from(struct spin *s, unsigned cpu)
{
	cpu_set_t others = s->set;

	CPU_CLR(cpu, &others);
	if (sched_setaffinity(0, sizeof(others), &others) == 0)
		(void)sched_setaffinity(0, sizeof(s->set), &s->set);
}

/* The CPU plus 1 that we share with the cell that asked last; or 0. */
static uint32_t shared_cpu(const struct kernel *k)
{
	uint32_t waits_on = k->asker_waits_on;

	return waits_on && (int)waits_on - 1 == sched_getcpu() ? waits_on : 0;
}

uint64_t spin_time(struct spin *s, struct kernel *k, uint64_t now_ns)
{
	uint32_t cpu = shared_cpu(k);

	s->shared = cpu ? s->shared + 1 : 0;
	if (s->shared >= SHARED_MAX && s->spare &&
	    now_ns - s->moved_ns >= MOVE_NS) {
		move_from(s, cpu - 1);
		s->shared = 0;
		s->moved_ns = now_ns;
		cpu = 0;
	}
	cells_set_shared(k, cpu);
	if (cpu || !cells_awaited(k))
		return 0;
	return s->spare ? s->learned_ns : BRIEF_NS;
}

void spin_learn(struct spin *s, uint64_t slept_ns)
{
	if (slept_ns < LONG_NS)
		s->learned_ns = MIN(s->learned_ns * 2, LONG_NS);
	else
		s->learned_ns = MAX(s->learned_ns / 2, BRIEF_NS);
}
