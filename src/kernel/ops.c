/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stub's own requests.  OP_object and OP_lease are in op_object.c.
 */
#include "kernel/ops.h"

#include <linux/sched.h>
#include <signal.h>
#include <string.h>

#include "kernel/syscall.h"
#include "kernel/task/cells.h"
#include "kernel/task/exec.h"
#include "kernel/task/pidfd.h"
#include "kernel/task/process.h"
#include "kernel/task/signal.h"

#define OP(number, name, what) [(number)-OPS_FIRST] = {#name, op_##name},
static const struct row {
	const char *name;
	long (*run)(struct task *t);
} table[] = {
#include "channel/ops.def"
};

const char *ops_name(uint32_t nr)
{
	if (nr < OPS_FIRST || nr - OPS_FIRST >= ARRAY_LEN(table))
		return NULL;
	return table[nr - OPS_FIRST].name;
}

long ops_run(struct task *t)
{
	uint32_t i = t->req.nr - OPS_FIRST;

	if (i >= ARRAY_LEN(table) || !table[i].run)
		return -ENOSYS;
	return table[i].run(t);
}

/* Where the data window of the task's slot begins. */
static uint8_t *window(struct task *t)
{
	return (uint8_t *)t->slot + CHANNEL_DATA;
}

long op_hello(struct task *t)
{
	return cells_hello(t);
}

/* Tasks. */

/*
 * The number and, if asked for, a descriptor of a new task.  It is discarded
 * if that fails, else the caller's reference is put.
 */
static long born(struct task *t, struct task *child, uint64_t flags,
                 uint64_t pidfd_at)
{
	long tid = child->tid;
	int32_t fd;
	long err;

	if (flags & CLONE_PIDFD) {
		err = pidfd_open(t, child->process, 0);
		if (err < 0)
			goto discard;
		fd = (int32_t)err;
		err = user_write(t, (uaddr_t){pidfd_at}, &fd, sizeof(fd));
		if (err < 0)
			goto discard;
	}
	signal_update(child);
	task_put(child);
	return tid;

discard:
	cells_abort(child);
	task_discard(child);
	return err;
}

long op_fork(struct task *t)
{
	uint64_t flags = t->req.arg[0];
	const struct task_clone how = {
		.flags = flags & ~(uint64_t)(CSIGNAL | CLONE_THREAD),
		.exit_signal = (int32_t)(t->req.arg[5] & CSIGNAL),
	};
	struct task *child;
	long err;

	if (flags & (CLONE_VM | CLONE_THREAD) || how.exit_signal > SIGNAL_MAX)
		return -EINVAL;
	err = task_clone(t, &how, &child);
	if (err < 0)
		return err;
	err = cells_prepare_fork(t, child);
	if (err < 0) {
		task_discard(child);
		return err;
	}
	return born(t, child, flags, t->req.arg[2]);
}

static long new_thread(struct task *t, const struct task_clone *how)
{
	struct task *child;
	long err = task_clone(t, how, &child);

	if (err < 0)
		return err;
	err = cells_prepare_thread(t, child);
	if (err < 0) {
		task_discard(child);
		return err;
	}
	atomic_store(&t->slot->arg[0], child->slot_index);
	return born(t, child, how->flags, t->req.arg[2]);
}

long op_thread(struct task *t)
{
	const struct task_clone how = {
		.flags = t->req.arg[0] & ~(uint64_t)CSIGNAL,
	};

	if (!(how.flags & CLONE_THREAD) || (how.flags & CLONE_PIDFD))
		return -EINVAL;
	return new_thread(t, &how);
}

/* Its memory is the parent's, which the flags say anyway. */
long op_vfork(struct task *t)
{
	const struct task_clone how = {
		.flags = t->req.arg[0] & ~(uint64_t)CSIGNAL,
		.exit_signal = (int32_t)(t->req.arg[1] & CSIGNAL),
	};

	if (how.flags & CLONE_THREAD || how.exit_signal > SIGNAL_MAX)
		return -EINVAL;
	return new_thread(t, &how);
}

/* The child of `t` with that number that has not run yet. */
static struct task *unborn(struct task *t, bool thread)
{
	struct task *c = task_find(t->kernel, (int32_t)t->req.arg[0]);

	if (!c || !c->fresh || c == t)
		return NULL;
	if (thread && c->process == t->process)
		return c;
	return c->process->parent == t->process ? c : NULL;
}

static long forget(struct task *t, bool thread)
{
	struct task *c = unborn(t, thread);

	if (!c)
		return -EINVAL;
	cells_abort(c);
	task_discard(task_get(c));
	return 0;
}

long op_fork_fail(struct task *t)
{
	return forget(t, false);
}

long op_thread_fail(struct task *t)
{
	return forget(t, true);
}

/* Woken by task_release_vfork(). */
long op_vfork_wait(struct task *t)
{
	struct task *c = task_find(t->kernel, (int32_t)t->req.arg[0]);

	if (!c || c->vfork_parent != t)
		return 0;
	return task_sleep_deep(t);
}

long op_exec(struct task *t)
{
	return exec_run(t);
}

/* Signals. */

long op_signal(struct task *t)
{
	struct sigorder order;
	long sig = signal_order(t, &order);

	if (sig > 0)
		memcpy(window(t), &order, sizeof(order));
	return sig;
}

long op_fault(struct task *t)
{
	uint64_t sig = t->req.arg[0];
	abi_siginfo info;

	if (sig == 0 || sig > SIGNAL_MAX)
		return -EINVAL;
	memcpy(&info, window(t), sizeof(info));
	info.signo = (int32_t)sig;
	return signal_send_task(t, &info, true);
}

long op_sigreturn(struct task *t)
{
	signal_update(t);
	return 0;
}

/* Only an answer to what nobody asked for comes here. */
long op_fetched(struct task *t)
{
	(void)t;
	return -EINVAL;
}
