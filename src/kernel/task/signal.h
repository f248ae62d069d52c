/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: who gets which, and what happens to a waiting call.
 *
 * The kernel owns dispositions and pending sets; the blocked set lives in the
 * task's slot, where the stub changes it without asking.  A signal sent to a
 * running task sets slot->attention and kicks the host thread; the stub then
 * asks OP_signal.  A waiting task is made to return -ERESTARTSYS.
 */
#pragma once

#include "channel/abi.h"
#include "kernel/task/process.h"

#define SIGNAL_MAX    64
#define SIGNAL_BIT(n) (1ull << ((n)-1))

/* Dispositions, shared by all tasks of a process (CLONE_SIGHAND). */
struct sighand {
	uint32_t refs;
	abi_sigaction action[SIGNAL_MAX + 1];
};

struct sigentry {
	struct list link;
	abi_siginfo info;
};

/* siginfo for a signal of the kernel's own (SI_KERNEL). */
abi_siginfo signal_info_kernel(int sig);

/* siginfo as kill(2) makes it (SI_USER), from `by`. */
abi_siginfo signal_info_user(int sig, const struct task *by);

/*
 * Sends to the process, any task of which may take it, or to one task.
 * Ignored signals vanish.  Returns 0, or -EAGAIN when a real-time signal
 * finds the queue full.  info->signo says which signal; `forced` (a fault)
 * may not be ignored or blocked.
 */
int signal_send_process(struct process *p, const abi_siginfo *info);
int signal_send_task(struct task *t, const abi_siginfo *info, bool forced);

/* To every process of a group (SIGINT from a terminal). */
void signal_send_pgrp(struct pgrp *g, const abi_siginfo *info);

/* kill(2)'s permission: 0 or -EPERM. */
must_check int signal_may_send(const struct task *by, const struct process *to,
                               int sig);

/* Would task_sleep() return instead of waiting? */
bool signal_deliverable(const struct task *t);

/* Makes task_sleep() of that task return -ERESTARTSYS, or kicks it. */
void signal_interrupt(struct task *t);

/*
 * Replaces the blocked set for the length of one call (ppoll, sigsuspend):
 * on the first run saves the old one.  The old set comes back when the call
 * ends without a handler, else the handler's frame holds it.
 */
void signal_mask_swap(struct task *t, uint64_t mask);

/* Called for each answer that is not -ERESTART*: undoes signal_mask_swap(). */
void signal_mask_restore(struct task *t);

/*
 * Takes the first pending signal in `set` for rt_sigtimedwait(2) and
 * signalfd(2).  Returns its number and *info, or 0.
 */
int signal_take(struct task *t, uint64_t set, abi_siginfo *info);

/* Woken (POLLIN) when a signal of `set` may be pending; for signalfd. */
struct waitq *signal_waitq(struct process *p);

/* All that a set of pending signals of the task and its process holds. */
uint64_t signal_pending(const struct task *t);

/*
 * OP_signal: takes the next signal that is to be delivered and acts on it.
 * Returns its number and fills *out if a handler is to run, 0 if there is
 * nothing, -EWAIT when the process stopped, -ENOANSWER when it ended.
 */
must_check long signal_order(struct task *t, struct sigorder *out);

/* Publishes what is pending in the slot(s), and whether to ask for it. */
void signal_update(struct task *t);
void signal_update_process(struct process *p);

/* The blocked set of a task. */
uint64_t signal_blocked(const struct task *t);

/* rt_sigaction(2) made this signal ignored: what is pending of it goes. */
void signal_forget(struct process *p, int sig);

/* Would the signal vanish if it were sent now? */
bool signal_ignored(const struct sighand *h, int sig);

/* Drops all that is queued. */
void signal_flush(struct sigqueue *q, struct kernel *k);

void signal_sighand_put(struct sighand *h, struct kernel *k);

/* exec: handlers go back to the default, what is ignored stays so. */
void signal_sighand_reset(struct sighand *h);
