/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request to its handler and back.
 */
#include "kernel/syscall.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include "kernel/fs/fd.h"
#include "kernel/ops.h"
#include "kernel/task/far.h"
#include "kernel/task/signal.h"
#include "kernel/trace.h"

/* One small function per call: registers in, checked structure out. */
#define TAKE(type)              (type)(reg[i++])
#define VAL(type, name)         a.name = TAKE(arg_##type);
#define IN(name, len)           a.name.raw = TAKE(uint64_t);
#define OUT(name, len)          a.name.raw = TAKE(uint64_t);
#define INS(name, type, count)  a.name.raw = TAKE(uint64_t);
#define OUTS(name, type, count) a.name.raw = TAKE(uint64_t);
#define IOS(name, type, count)  a.name.raw = TAKE(uint64_t);
#define INREC(name, type)       a.name.raw = TAKE(uint64_t);
#define OUTREC(name, type)      a.name.raw = TAKE(uint64_t);
#define IOREC(name, type)       a.name.raw = TAKE(uint64_t);
#define PATH(name)              a.name.raw = TAKE(uint64_t);
#define ADDR(name)              a.name.raw = TAKE(uint64_t);
#define NONE                    a.none = 0;
#define FLAGS(name, mask)               \
	a.name = TAKE(uint32_t);        \
	if (a.name & ~(uint32_t)(mask)) \
		return -EINVAL;
#define SYSCALL(nr, name, where, args)                                \
	static long enter_##name(struct task *t, const uint64_t *reg) \
	{                                                             \
		struct args_##name a;                                 \
		unsigned i = 0;                                       \
		(void)reg, (void)i;                                   \
		if (!sys_##name)                                      \
			return -ENOSYS;                               \
		args;                                                 \
		return sys_##name(t, &a);                             \
	}
#include "channel/syscalls.def"

#define SYSCALL(nr, name, where, args) [nr] = {#name, enter_##name},
static const struct entry {
	const char *name;
	long (*enter)(struct task *t, const uint64_t *reg);
} table[] = {
#include "channel/syscalls.def"
};

const char *syscall_name(uint32_t nr)
{
	return nr < ARRAY_LEN(table) ? table[nr].name : NULL;
}

long syscall_run(struct task *t)
{
	uint32_t nr = t->req.nr;

	if (nr >= OPS_FIRST)
		return ops_run(t);
	if (nr >= ARRAY_LEN(table) || !table[nr].enter)
		return -ENOSYS;
	return table[nr].enter(t, t->req.arg);
}

void syscall_answer(struct task *t, long result, enum slot_action action)
{
	struct slot *s = t->slot;

	if (far_answer(t, result, action))
		return;
	far_drop(t);
	if (t->job && t->job_drop)
		t->job_drop(t);
	t->job = NULL;
	/* Before the request is forgotten: its arguments are told. */
	trace_answer(t, result, action);
	t->in_call = false;
	fd_let_go(t);
	task_unwatch(t);
	if (t->state != TASK_DEAD)
		t->state = TASK_RUNNING;
	if (slot_finish(s, (struct slot_answer){result, action, t->outs}))
		syscall(SYS_futex, &s->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void enter(struct task *t)
{
	t->in_call = true;
	t->first_run = true;
	t->fresh = false;
	t->deadline_ns = 0;
	t->timed_out = false;
	t->progress = 0;
	t->outs_kept = 0;
	for (size_t i = 0; i < ARRAY_LEN(t->scratch); i++)
		t->scratch[i] = 0;
	trace_enter(t);
}

/* A result the guest may see ends what the call borrowed from the mask. */
static bool restarts(long result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR ||
	       result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK;
}

/* Takes what waits in the slot.  True: a handler is to be run. */
static bool take(struct task *t)
{
	struct request next;

	if (slot_take(t->slot, &next) < 0)
		return false;
	if (t->far) {
		bool run = far_continue(t, &next);

		if (!run || t->far)
			return run;
	}
	t->req = next;
	t->kernel->asker_waits_on = next.waits_on;
	enter(t);
	return true;
}

/* What follows a handler: its task may have ended meanwhile. */
static void conclude(struct task *t, long result)
{
	struct process *p = t->process;
	bool first_run = t->first_run;

	t->first_run = false;
	if (t->state == TASK_DEAD)
		return;
	if (p->exiting) {
		process_kill(p, p->status);
		return;
	}
	/* A task's first program may wait before there is a cell. */
	if (result == -EWAIT && first_run && t->slot)
		slot_defer(t->slot);
	if (result == -EWAIT && first_run)
		fd_keep(t);
	if (result == -EWAIT || result == -ENOANSWER)
		return;
	if (result == -EFAULT && far_fetch(t)) {
		t->first_run = first_run; /* it did not get to wait */
		return;
	}
	if (t->mask_saved && !restarts(result) && result != -EINTR &&
	    t->req.nr < OPS_FIRST)
		signal_mask_restore(t);
	syscall_answer(t, result, SLOT_RETURN);
}

void syscall_serve(struct task *t)
{
	long result;

	if (t->state == TASK_DEAD || task_hold(t))
		return;
	if (!t->in_call && !take(t)) {
		t->state = TASK_RUNNING;
		return;
	}
	t->state = TASK_READY;
	t->outs = t->outs_kept;
	t->looked_up_count = 0;
	task_get(t);
	t->kernel->current = t;
	result = syscall_run(t);
	t->kernel->current = NULL;
	conclude(t, result);
	task_put(t);
}
