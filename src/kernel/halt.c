/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/halt.h"

#include <signal.h>

#include "kernel/task/cells.h"
#include "kernel/task/memory.h"
#include "kernel/task/process.h"
#include "kernel/task/signal.h"

#define MS_MAX  (1000ull * 60 * 60 * 24)
#define MS      1000000ull
#define KILL_NS (5ull * 1000 * MS) /* patience with what was killed */

struct halt {
	struct kernel *kernel;
	struct timer patience;
	uint64_t until_ns;
	struct waiter ended; /* of children of process 1 */
	struct soon look;
	bool killing;
};

int halt_pause(struct kernel *k)
{
	if (k->paused || k->halt)
		return -EALREADY;
	k->paused = true;
	cells_stop(k, true);
	return 0;
}

int halt_unpause(struct kernel *k)
{
	if (!k->paused)
		return -EALREADY;
	k->paused = false;
	cells_stop(k, false);
	memory_active(k);
	return 0;
}

/* All but process 1, which is ours. */
static struct process *next(struct kernel *k, int32_t after)
{
	return process_next(k, MAX(after, k->init->pid));
}

static void ask_all(struct kernel *k)
{
	abi_siginfo term = signal_info_kernel(SIGTERM);
	abi_siginfo hup = signal_info_kernel(SIGHUP);
	abi_siginfo cont = signal_info_kernel(SIGCONT);
	int32_t pid = 0;
	struct process *p;

	while ((p = next(k, pid))) {
		/* It may end, and be forgotten, at once. */
		process_get(p);
		pid = p->pid;
		(void)!signal_send_process(p, &term);
		if (p->pgrp && p->pgrp->session->tty)
			(void)!signal_send_process(p, &hup);
		(void)!signal_send_process(p, &cont);
		process_put(p);
	}
}

static void kill_all(struct kernel *k)
{
	int32_t pid = 0;
	struct process *p;

	while ((p = next(k, pid))) {
		pid = p->pid;
		process_kill(p, SIGKILL);
	}
}

static void look(struct soon *s)
{
	struct halt *h = container_of(s, struct halt, look);

	if (!next(h->kernel, 0) && list_empty(&h->kernel->programs))
		h->kernel->loop.stop = true;
}

void halt_look(struct kernel *k)
{
	if (k->halt)
		loop_soon(&k->loop, &k->halt->look);
}

static void ended(struct waiter *w, uint32_t events)
{
	(void)events;
	halt_look(container_of(w, struct halt, ended)->kernel);
}

static void lose_patience(struct timer *t)
{
	struct halt *h = container_of(t, struct halt, patience);
	struct kernel *k = h->kernel;

	if (h->killing ||
	    timer_set(&k->loop.timers, &h->patience, timer_now() + KILL_NS) < 0)
		k->loop.stop = true;
	h->killing = true;
	kill_all(k);
	halt_look(k);
}

static int create(struct kernel *k)
{
	struct halt *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->kernel = k;
	h->until_ns = UINT64_MAX;
	h->patience.fire = lose_patience;
	h->ended.wake = ended;
	h->look.run = look;
	list_init(&h->look.link);
	waitq_add(&k->init->child_wait, &h->ended);
	k->halt = h;
	return 0;
}

int halt_begin(struct kernel *k, uint64_t patience_ms)
{
	uint64_t until = timer_now() + MIN(patience_ms, MS_MAX) * MS;
	bool first = !k->halt;
	int err = 0;

	if (first)
		err = create(k);
	if (err < 0)
		return err;
	if (k->paused)
		(void)!halt_unpause(k);
	if (!k->halt->killing && until < k->halt->until_ns) {
		k->halt->until_ns = until;
		if (timer_set(&k->loop.timers, &k->halt->patience, until) < 0)
			lose_patience(&k->halt->patience);
	}
	if (first)
		ask_all(k);
	halt_look(k);
	return 0;
}

void halt_destroy(struct kernel *k)
{
	struct halt *h = k->halt;

	if (!h)
		return;
	timer_stop(&k->loop.timers, &h->patience);
	waitq_remove(&h->ended);
	list_del(&h->look.link);
	k->halt = NULL;
	free(h);
}
