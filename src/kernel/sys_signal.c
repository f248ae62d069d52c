/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending signals and waiting for them.
 */
#include <signal.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/pseudo.h"
#include "kernel/syscall.h"
#include "kernel/task/clock.h"
#include "kernel/task/cred.h"
#include "kernel/task/pidfd.h"
#include "kernel/task/session.h"
#include "kernel/task/signal.h"

#define NEVER_BLOCKED (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* Flags of sigaction that mean something; others are seen to be dropped. */
#define ACTION_FLAGS                                                        \
	((uint32_t)(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | \
	            SA_RESTART | SA_NODEFER | SA_RESETHAND) |               \
	 0x04000000u /* SA_RESTORER */ | 0x800u /* SA_EXPOSE_TAGBITS */)

#define SEND_THREAD_GROUP  2u /* flags of pidfd_send_signal(2) */
#define SEND_PROCESS_GROUP 4u

static bool sig_ok(int32_t sig)
{
	return sig >= 0 && sig <= SIGNAL_MAX;
}

long sys_rt_sigaction(struct task *t, const struct args_rt_sigaction *a)
{
	abi_sigaction *now, act;

	if (a->sigset_size != sizeof(abi_sigset) || a->sig < 1 ||
	    !sig_ok(a->sig))
		return -EINVAL;
	if (a->act.raw != 0 && (NEVER_BLOCKED & SIGNAL_BIT(a->sig)))
		return -EINVAL;
	if (a->act.raw != 0 && user_read(t, a->act, &act, sizeof(act)) < 0)
		return -EFAULT;
	now = &t->sighand->action[a->sig];
	if (a->old.raw != 0 && user_write(t, a->old, now, sizeof(*now)) < 0)
		return -EFAULT;
	if (a->act.raw == 0)
		return 0;
	act.flags &= ACTION_FLAGS;
	act.mask &= ~NEVER_BLOCKED;
	*now = act;
	if (signal_ignored(t->sighand, a->sig))
		signal_forget(t->process, a->sig);
	return 0;
}

long sys_rt_sigpending(struct task *t, const struct args_rt_sigpending *a)
{
	uint64_t set = signal_pending(t) & signal_blocked(t);

	if (a->size > sizeof(set))
		return -EINVAL;
	return user_write(t, a->set, &set, a->size);
}

/* Waiting. */

/* Until a handler has run. */
static long wait_for_handler(struct task *t)
{
	long err = task_sleep(t);

	return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
}

long sys_pause(struct task *t, const struct args_pause *a)
{
	(void)a;
	return wait_for_handler(t);
}

long sys_rt_sigsuspend(struct task *t, const struct args_rt_sigsuspend *a)
{
	uint64_t set;

	if (a->sigset_size != sizeof(set))
		return -EINVAL;
	if (user_read(t, a->set, &set, sizeof(set)) < 0)
		return -EFAULT;
	signal_mask_swap(t, set);
	return wait_for_handler(t);
}

/* Takes one and tells of it.  0: there is none. */
static long take(struct task *t, uint64_t set, uaddr_t to)
{
	abi_siginfo info;
	int sig = signal_take(t, set, &info);

	if (sig > 0 && to.raw != 0 &&
	    user_write(t, to, &info, sizeof(info)) < 0)
		return -EFAULT;
	return sig;
}

long sys_rt_sigtimedwait(struct task *t, const struct args_rt_sigtimedwait *a)
{
	abi_timespec ts;
	uint64_t set;
	uint64_t ns = UINT64_MAX;
	long got;

	if (a->sigset_size != sizeof(set))
		return -EINVAL;
	if (user_read(t, a->set, &set, sizeof(set)) < 0)
		return -EFAULT;
	if (a->timeout.raw != 0) {
		if (user_read(t, a->timeout, &ts, sizeof(ts)) < 0)
			return -EFAULT;
		if (clock_from_timespec(&ts, &ns) < 0)
			return -EINVAL;
	}
	got = take(t, set & ~NEVER_BLOCKED, a->info);
	if (got != 0)
		return got;
	if (ns == 0 || t->timed_out)
		return -EAGAIN;
	if (ns != UINT64_MAX)
		task_deadline(t, clock_after(timer_now(), ns));
	task_watch(t, signal_waitq(t->process));
	got = task_sleep(t);
	return got == -ERESTARTSYS ? -EINTR : got;
}

/* Sending. */

static long send_one(struct task *t, struct process *p, const abi_siginfo *info)
{
	int err = signal_may_send(t, p, info->signo);

	if (err < 0 || info->signo == 0)
		return err;
	return signal_send_process(p, info);
}

/* To all of a group, or (NULL) to all but process 1 and the caller. */
static long send_many(struct task *t, const struct pgrp *g,
                      const abi_siginfo *info)
{
	struct process *p;
	int32_t pid = g ? 0 : 1;
	long result = -ESRCH;

	while ((p = process_next(t->kernel, pid))) {
		long err;

		pid = p->pid;
		if (g ? p->pgrp != g : p == t->process)
			continue;
		err = send_one(t, p, info);
		if (err == 0)
			result = 0;
		else if (result == -ESRCH)
			result = err;
	}
	return result;
}

/* `g` may lose all its members while they are signalled. */
static long send_group(struct task *t, struct pgrp *g, const abi_siginfo *info)
{
	long err;

	session_group_get(g);
	err = send_many(t, g, info);
	session_group_put(g);
	return err;
}

static struct process *find(struct task *t, int32_t pid)
{
	struct process *p = process_find(t->kernel, pid);
	struct task *thread;

	if (p)
		return p;
	thread = task_find(t->kernel, pid);
	return thread ? thread->process : NULL;
}

long sys_kill(struct task *t, const struct args_kill *a)
{
	abi_siginfo info = signal_info_user(a->sig, t);
	struct process *p;
	struct pgrp *g;

	if (!sig_ok(a->sig))
		return -EINVAL;
	if (a->pid > 0) {
		p = find(t, a->pid);
		return p ? send_one(t, p, &info) : -ESRCH;
	}
	if (a->pid == -1)
		return send_many(t, NULL, &info);
	if (a->pid == INT32_MIN)
		return -ESRCH;
	g = a->pid == 0 ? t->process->pgrp
	                : process_group_find(t->kernel, -a->pid);
	return g ? send_group(t, g, &info) : -ESRCH;
}

/* `tgid` 0: whatever process the task is in. */
static long send_to_task(struct task *t, int32_t tgid, int32_t tid,
                         const abi_siginfo *info)
{
	struct task *to = task_find(t->kernel, tid);
	int err;

	if (!to || (tgid != 0 && to->process->pid != tgid))
		return -ESRCH;
	err = signal_may_send(t, to->process, info->signo);
	if (err < 0 || info->signo == 0)
		return err;
	return signal_send_task(to, info, false);
}

long sys_tgkill(struct task *t, const struct args_tgkill *a)
{
	abi_siginfo info = signal_info_user(a->sig, t);

	if (!sig_ok(a->sig) || a->tgid <= 0 || a->tid <= 0)
		return -EINVAL;
	info.code = SI_TKILL;
	return send_to_task(t, a->tgid, a->tid, &info);
}

long sys_tkill(struct task *t, const struct args_tkill *a)
{
	abi_siginfo info = signal_info_user(a->sig, t);

	if (!sig_ok(a->sig) || a->tid <= 0)
		return -EINVAL;
	info.code = SI_TKILL;
	return send_to_task(t, 0, a->tid, &info);
}

/* Nobody may pretend to be the kernel, or kill(2), towards others. */
static long read_info(struct task *t, uaddr_t from, int32_t sig,
                      const struct process *to, abi_siginfo *info)
{
	if (user_read(t, from, info, sizeof(*info)) < 0)
		return -EFAULT;
	info->signo = sig;
	if ((info->code >= 0 || info->code == SI_TKILL) && to != t->process)
		return -EPERM;
	return 0;
}

long sys_rt_sigqueueinfo(struct task *t, const struct args_rt_sigqueueinfo *a)
{
	struct process *p = find(t, a->pid);
	abi_siginfo info;
	long err;

	if (!sig_ok(a->sig))
		return -EINVAL;
	err = read_info(t, a->info, a->sig, p, &info);
	if (err < 0)
		return err;
	return p ? send_one(t, p, &info) : -ESRCH;
}

long sys_rt_tgsigqueueinfo(struct task *t,
                           const struct args_rt_tgsigqueueinfo *a)
{
	abi_siginfo info;
	long err;

	if (!sig_ok(a->sig) || a->tgid <= 0 || a->tid <= 0)
		return -EINVAL;
	err = read_info(t, a->info, a->sig, find(t, a->tgid), &info);
	if (err < 0)
		return err;
	return send_to_task(t, a->tgid, a->tid, &info);
}

static long send_by_pidfd(struct task *t, struct process *p,
                          const struct args_pidfd_send_signal *a)
{
	abi_siginfo info = signal_info_user(a->sig, t);
	struct pgrp *g;
	long err;

	if (a->info.raw != 0) {
		err = read_info(t, a->info, a->sig, p, &info);
		if (err < 0)
			return err;
	}
	if (p->reaped)
		return -ESRCH;
	if (!(a->flags & SEND_PROCESS_GROUP))
		return send_one(t, p, &info);
	g = process_group_find(t->kernel, p->pid);
	return g ? send_group(t, g, &info) : -ESRCH;
}

long sys_pidfd_send_signal(struct task *t,
                           const struct args_pidfd_send_signal *a)
{
	struct file *f;
	struct process *p;
	long err = -EBADF;

	if (!sig_ok(a->sig) ||
	    (a->flags & ~(SEND_THREAD_GROUP | SEND_PROCESS_GROUP)) ||
	    a->flags == (SEND_THREAD_GROUP | SEND_PROCESS_GROUP))
		return -EINVAL;
	f = fd_get(t, a->fd);
	if (!f)
		return -EBADF;
	p = pidfd_process(f);
	/* What opened /proc/PID does as well. */
	if (p || pseudo_process(f, &p))
		err = p ? send_by_pidfd(t, p, a) : -ESRCH;
	file_put(f);
	return err;
}
