/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a signal does is decided when it is sent, as far as that can be known:
 * an ignored one vanishes, a fatal or stopping one that some task does not
 * block acts at once, everything else is queued.  What was blocked then is
 * decided when it is taken.
 */
#include "kernel/task/signal.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "kernel/core/limits.h"
#include "kernel/task/cells.h"
#include "kernel/task/cred.h"
#include "kernel/task/itimer.h"
#include "kernel/task/session.h"

#define DEFAULT 0u /* SIG_DFL */
#define IGNORE  1u /* SIG_IGN */

#define FIRST_RT 32 /* from here on, signals queue */

#define BIT(n) SIGNAL_BIT(n)

static const uint64_t stop_set = BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) |
                                 BIT(SIGTTOU);
static const uint64_t harmless_set = BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) |
                                     BIT(SIGWINCH);
static const uint64_t fault_set = BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) |
                                  BIT(SIGTRAP) | BIT(SIGFPE) | BIT(SIGSYS);
static const uint64_t never_blocked = BIT(SIGKILL) | BIT(SIGSTOP);

abi_siginfo signal_info_kernel(int sig)
{
	return (abi_siginfo){.signo = sig, .code = SI_KERNEL};
}

abi_siginfo signal_info_user(int sig, const struct task *by)
{
	abi_siginfo info = {.signo = sig, .code = SI_USER};

	info.pid = by->process->pid;
	info.uid = by->cred->uid;
	return info;
}

uint64_t signal_blocked(const struct task *t)
{
	if (!t->slot)
		return 0;
	return atomic_load_explicit(&t->slot->sigmask, memory_order_relaxed) &
	       ~never_blocked;
}

uint64_t signal_pending(const struct task *t)
{
	return t->pending.set | t->process->pending.set;
}

bool signal_deliverable(const struct task *t)
{
	return (signal_pending(t) & ~signal_blocked(t)) != 0;
}

void signal_update(struct task *t)
{
	uint64_t pending = signal_pending(t);
	bool ask = t->process->stopped || (pending & ~signal_blocked(t)) != 0;

	if (!t->slot)
		return;
	atomic_store(&t->slot->pending, pending);
	atomic_store(&t->slot->attention, ask);
}

void signal_update_process(struct process *p)
{
	list_for_each (at, &p->tasks)
		signal_update(list_entry(at, struct task, in_process));
}

struct waitq *signal_waitq(struct process *p)
{
	return &p->signal_wait;
}

bool signal_ignored(const struct sighand *h, int sig)
{
	uint64_t handler = h->action[sig].handler;

	return handler == IGNORE ||
	       (handler == DEFAULT && (harmless_set & BIT(sig)));
}

void signal_sighand_put(struct sighand *h, struct kernel *k)
{
	if (h && --h->refs == 0)
		limits_free(k, h, sizeof(*h));
}

void signal_sighand_reset(struct sighand *h)
{
	for (int sig = 1; sig <= SIGNAL_MAX; sig++) {
		uint64_t keep = h->action[sig].handler == IGNORE;

		h->action[sig] = (abi_sigaction){.handler = keep};
	}
}

/* Queues. */

static void drop(struct sigqueue *q, struct kernel *k, uint64_t set)
{
	if (!(q->set & set))
		return;
	q->set &= ~set;
	list_for_each_safe (at, &q->infos) {
		struct sigentry *e = list_entry(at, struct sigentry, link);

		if (!(BIT(e->info.signo) & set))
			continue;
		list_del(&e->link);
		q->count--;
		limits_free(k, e, sizeof(*e));
	}
}

void signal_flush(struct sigqueue *q, struct kernel *k)
{
	drop(q, k, ~0ull);
}

static void drop_everywhere(struct process *p, uint64_t set)
{
	drop(&p->pending, p->kernel, set);
	list_for_each (at, &p->tasks) {
		struct task *t = list_entry(at, struct task, in_process);

		drop(&t->pending, p->kernel, set);
		signal_update(t);
	}
}

void signal_forget(struct process *p, int sig)
{
	drop_everywhere(p, BIT(sig));
}

static int put(struct process *p, struct sigqueue *q, const abi_siginfo *info)
{
	int sig = info->signo;
	struct sigentry *e = NULL;

	if (sig < FIRST_RT && (q->set & BIT(sig)))
		return 0;
	if (q->count < p->rlimit[RLIMIT_SIGPENDING].cur ||
	    info->code == SI_KERNEL)
		e = limits_alloc(p->kernel, sizeof(*e));
	if (!e && sig >= FIRST_RT && info->code != SI_USER)
		return -EAGAIN;
	if (e) {
		e->info = *info;
		list_add_tail(&q->infos, &e->link);
		q->count++;
	}
	q->set |= BIT(sig);
	return 0;
}

/* The next signal of a set: faults first, then the lowest number. */
static int next(const struct sigqueue *q, uint64_t set)
{
	uint64_t ready = q->set & set;

	if (ready & fault_set)
		ready &= fault_set;
	return ready ? __builtin_ctzll(ready) + 1 : 0;
}

static int take(struct kernel *k, struct sigqueue *q, uint64_t set,
                abi_siginfo *info)
{
	int sig = next(q, set);
	struct sigentry *got = NULL;

	if (sig == 0)
		return 0;
	*info = (abi_siginfo){.signo = sig, .code = SI_USER};
	q->set &= ~BIT(sig);
	list_for_each (at, &q->infos) {
		struct sigentry *e = list_entry(at, struct sigentry, link);

		if (e->info.signo != sig)
			continue;
		if (got) {
			q->set |= BIT(sig); /* there are more */
			break;
		}
		got = e;
	}
	if (got) {
		*info = got->info;
		list_del(&got->link);
		q->count--;
		limits_free(k, got, sizeof(*got));
	}
	return sig;
}

int signal_take(struct task *t, uint64_t set, abi_siginfo *info)
{
	struct process *p = t->process;
	int sig = take(t->kernel, &t->pending, set, info);

	if (sig == 0)
		sig = take(t->kernel, &p->pending, set, info);
	if (sig == 0)
		return 0;
	itimer_taken(p, info);
	signal_update_process(p);
	return sig;
}

/* Sending. */

void signal_interrupt(struct task *t)
{
	if (t->slot)
		atomic_store(&t->slot->attention, 1);
	if (t->state == TASK_WAITING && !t->deep)
		task_wake(t);
	else if (t->state == TASK_RUNNING)
		cells_kick(t);
}

/* The task that will take a signal for its process, or NULL: all block it. */
static struct task *taker(const struct process *p, int sig)
{
	if (p->leader && !(signal_blocked(p->leader) & BIT(sig)))
		return p->leader;
	list_for_each (at, &p->tasks) {
		struct task *t = list_entry(at, struct task, in_process);

		if (!(signal_blocked(t) & BIT(sig)))
			return t;
	}
	return NULL;
}

static bool may_stop(const struct process *p, int sig)
{
	return sig == SIGSTOP || !session_orphaned(p->pgrp, NULL);
}

/*
 * Does what the default action of a signal says.  Returns false if that is
 * nothing.
 */
static bool act_by_default(struct process *p, int sig)
{
	if (harmless_set & BIT(sig))
		return false;
	if (!(stop_set & BIT(sig))) {
		process_kill(p, (uint32_t)sig);
		return true;
	}
	if (!may_stop(p, sig))
		return false;
	process_stop(p, sig);
	return true;
}

/* `t`: to this task only; NULL: to whichever. */
static int deliver(struct process *p, struct task *t, const abi_siginfo *info)
{
	struct task *first = t ? t : p->leader;
	struct sighand *h = process_sighand(p);
	struct task *who;
	int sig = info->signo;
	int err;

	if (sig == 0 || !h || p->exiting || p->zombie)
		return 0;
	if (stop_set & BIT(sig))
		drop_everywhere(p, BIT(SIGCONT));
	if (sig == SIGCONT) {
		drop_everywhere(p, stop_set);
		process_continue(p);
	}
	if (!first)
		first = list_first(&p->tasks, struct task, in_process);
	/* A blocked one stays: its handler may change before it is taken. */
	if (signal_ignored(h, sig) && !(signal_blocked(first) & BIT(sig)))
		return 0;
	who = t ? t : taker(p, sig);
	if (t && (signal_blocked(t) & BIT(sig)))
		who = NULL;
	if (who && h->action[sig].handler == DEFAULT) {
		(void)act_by_default(p, sig);
		return 0;
	}
	err = put(p, t ? &t->pending : &p->pending, info);
	if (err < 0)
		return err;
	if (t)
		signal_update(t);
	else
		signal_update_process(p);
	if (who)
		signal_interrupt(who);
	waitq_wake(&p->signal_wait, WAITQ_ANY);
	return 0;
}

int signal_send_process(struct process *p, const abi_siginfo *info)
{
	int err;

	process_get(p);
	err = deliver(p, NULL, info);
	process_put(p);
	return err;
}

/* A fault cannot be put off: blocked or ignored, it ends the process. */
static void force(struct task *t, int sig)
{
	uint64_t handler = t->sighand->action[sig].handler;
	uint64_t blocked = signal_blocked(t);

	if (handler != IGNORE && !(blocked & BIT(sig)))
		return;
	t->sighand->action[sig].handler = DEFAULT;
	if (t->slot)
		atomic_store(&t->slot->sigmask, blocked & ~BIT(sig));
}

int signal_send_task(struct task *t, const abi_siginfo *info, bool forced)
{
	int err;

	if (t->state == TASK_DEAD)
		return 0;
	if (forced)
		force(t, info->signo);
	task_get(t);
	err = deliver(t->process, t, info);
	task_put(t);
	return err;
}

void signal_send_pgrp(struct pgrp *g, const abi_siginfo *info)
{
	struct process *p;
	int32_t pid = 0;

	/* By number: sending may end processes and free whole groups. */
	session_group_get(g);
	while ((p = process_next(g->kernel, pid))) {
		pid = p->pid;
		if (p->pgrp == g)
			(void)signal_send_process(p, info);
	}
	session_group_put(g);
}

int signal_may_send(const struct task *by, const struct process *to, int sig)
{
	const struct cred *c = by->cred;
	const struct cred *target = process_cred(to);

	if (by->process == to || cred_capable(c, CRED_CAP_KILL))
		return 0;
	if (c->euid == target->suid || c->euid == target->uid ||
	    c->uid == target->suid || c->uid == target->uid)
		return 0;
	if (sig == SIGCONT && to->pgrp && by->process->pgrp &&
	    to->pgrp->session == by->process->pgrp->session)
		return 0;
	return -EPERM;
}

/* The blocked set of one call. */

void signal_mask_swap(struct task *t, uint64_t mask)
{
	if (!t->slot)
		return;
	if (!t->mask_saved) {
		t->saved_mask = signal_blocked(t);
		t->mask_saved = true;
	}
	atomic_store(&t->slot->sigmask, mask & ~never_blocked);
	signal_update(t);
}

void signal_mask_restore(struct task *t)
{
	if (!t->mask_saved)
		return;
	t->mask_saved = false;
	atomic_store(&t->slot->sigmask, t->saved_mask);
	signal_update(t);
}

/* Taking. */

static void fill_order(struct task *t, int sig, const abi_siginfo *info,
                       struct sigorder *out)
{
	abi_sigaction *act = &t->sighand->action[sig];
	uint64_t mask = signal_blocked(t);

	*out = (struct sigorder){
		.handler = act->handler,
		.flags = act->flags,
		.restorer = act->restorer,
		.add_mask = act->mask & ~never_blocked,
		.old_mask = t->mask_saved ? t->saved_mask : mask,
	};
	if (!(act->flags & SA_NODEFER))
		out->add_mask |= BIT(sig);
	memcpy(out->info, info, sizeof(out->info));
	t->mask_saved = false;
	if (act->flags & SA_RESETHAND)
		act->handler = DEFAULT;
	/* Ask again if this handler would be interrupted right away. */
	if (t->slot)
		atomic_store(&t->slot->attention,
		             (signal_pending(t) & ~(mask | out->add_mask)) !=
		                     0);
}

long signal_order(struct task *t, struct sigorder *out)
{
	struct process *p = t->process;
	abi_siginfo info;
	int sig;

	while ((sig = signal_take(t, ~signal_blocked(t), &info)) != 0) {
		uint64_t handler = t->sighand->action[sig].handler;

		if (handler == IGNORE)
			continue;
		if (handler != DEFAULT) {
			fill_order(t, sig, &info, out);
			return sig;
		}
		(void)act_by_default(p, sig);
		if (p->exiting)
			return -ENOANSWER;
		if (task_hold(t))
			return -EWAIT;
	}
	signal_mask_restore(t);
	signal_update(t);
	return 0;
}
