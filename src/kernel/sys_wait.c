/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for children.
 */
#include <linux/wait.h>
#include <signal.h>

#include "kernel/fs/fd.h"
#include "kernel/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/pidfd.h"
#include "kernel/task/process.h"

#define WAIT4_OPTIONS \
	(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)
#define WAITID_EVENTS (WEXITED | WSTOPPED | WCONTINUED)
#define WAITID_OPTIONS \
	(WNOHANG | WNOWAIT | WAITID_EVENTS | __WNOTHREAD | __WCLONE | __WALL)

#define INFO_SIZE 28 /* of siginfo, as far as waitid(2) fills it in */

/* What is waited for. */
struct want {
	int which; /* P_ALL, P_PID or P_PGID */
	int32_t id;
	uint32_t options;
};

/* What was found. */
struct found {
	struct process *child;
	int code;       /* CLD_* */
	int32_t status; /* as in siginfo */
	uint32_t word;  /* as wait4(2) encodes it */
};

static bool wanted(const struct process *c, const struct want *w)
{
	bool is_clone = c->exit_signal != SIGCHLD;

	if (w->which == P_PID && c->pid != w->id)
		return false;
	if (w->which == P_PGID && c->pgrp->id != w->id)
		return false;
	if (w->options & __WALL)
		return true;
	return is_clone == ((w->options & __WCLONE) != 0);
}

/* Has the child something to tell that is asked for? */
static bool look(struct process *c, const struct want *w, struct found *f)
{
	*f = (struct found){.child = c};
	if (c->zombie && (w->options & WEXITED)) {
		bool exited = (c->status & 0x7f) == 0;

		f->code = exited ? CLD_EXITED : CLD_KILLED;
		f->status = exited ? (int32_t)(c->status >> 8 & 0xff)
		                   : (int32_t)(c->status & 0x7f);
		f->word = c->status;
		return true;
	}
	if (c->stopped && !c->stop_reported && (w->options & WSTOPPED)) {
		f->code = CLD_STOPPED;
		f->status = c->stop_signal;
		f->word = (uint32_t)c->stop_signal << 8 | 0x7f;
		return true;
	}
	if (c->continued && (w->options & WCONTINUED)) {
		f->code = CLD_CONTINUED;
		f->status = SIGCONT;
		f->word = 0xffff;
		return true;
	}
	return false;
}

/* 1 and *f; 0: none yet (WNOHANG); -ECHILD, -EWAIT, -ERESTARTSYS. */
static long wait_for(struct task *t, const struct want *w, struct found *f)
{
	bool any = false;

	list_for_each (at, &t->process->children) {
		struct process *c = list_entry(at, struct process, sibling);

		if (!wanted(c, w))
			continue;
		any = true;
		if (look(c, w, f))
			return 1;
	}
	if (!any)
		return -ECHILD;
	if (w->options & WNOHANG)
		return 0;
	task_watch(t, &t->process->child_wait);
	return task_sleep(t);
}

/* The caller has been told: what was found is not found again. */
static void consume(struct task *t, const struct want *w, const struct found *f)
{
	struct process *c = f->child;
	struct process *p = t->process;

	if (w->options & WNOWAIT)
		return;
	if (f->code == CLD_STOPPED) {
		c->stop_reported = true;
	} else if (f->code == CLD_CONTINUED) {
		c->continued = false;
	} else {
		process_usage_add(&p->children_usage, &c->usage);
		process_usage_add(&p->children_usage, &c->children_usage);
		p->io.rchar += c->io.rchar;
		p->io.wchar += c->io.wchar;
		p->io.syscr += c->io.syscr;
		p->io.syscw += c->io.syscw;
		process_reap(c);
	}
}

static int write_usage(struct task *t, uaddr_t to, const struct process *c)
{
	struct usage u = c->usage;
	abi_rusage r;

	if (to.raw == 0)
		return 0;
	process_usage_add(&u, &c->children_usage);
	process_rusage(&u, &r);
	return user_write(t, to, &r, sizeof(r));
}

long sys_wait4(struct task *t, const struct args_wait4 *a)
{
	struct want w = {.options = (uint32_t)a->options | WEXITED};
	struct found f;
	long got;

	if ((uint32_t)a->options & ~(uint32_t)WAIT4_OPTIONS)
		return -EINVAL;
	if (a->pid == INT32_MIN)
		return -ESRCH;
	if (a->pid == -1) {
		w.which = P_ALL;
	} else if (a->pid > 0) {
		w.which = P_PID;
		w.id = a->pid;
	} else {
		w.which = P_PGID;
		w.id = a->pid == 0 ? t->process->pgrp->id : -a->pid;
	}
	got = wait_for(t, &w, &f);
	if (got <= 0)
		return got;
	if (a->status.raw != 0 &&
	    user_write(t, a->status, &f.word, sizeof(f.word)) < 0)
		return -EFAULT;
	if (write_usage(t, a->usage, f.child) < 0)
		return -EFAULT;
	got = f.child->pid;
	consume(t, &w, &f);
	return got;
}

/* The process of a pidfd; *nonblock: it must not be waited for. */
static long resolve_pidfd(struct task *t, int32_t fd, struct want *w,
                          bool *nonblock)
{
	struct file *f = fd_get(t, fd);
	const struct process *p = f ? pidfd_process(f) : NULL;

	if (p) {
		w->which = P_PID;
		w->id = p->pid;
		*nonblock = file_nonblock(f);
	}
	file_put(f);
	return p ? 0 : -EBADF;
}

static long resolve(struct task *t, const struct args_waitid *a, struct want *w,
                    bool *nonblock)
{
	w->which = a->which;
	w->id = a->id;
	switch (a->which) {
	case P_ALL:
		return 0;
	case P_PID:
		return a->id > 0 ? 0 : -EINVAL;
	case P_PGID:
		if (a->id == 0)
			w->id = t->process->pgrp->id;
		return a->id >= 0 ? 0 : -EINVAL;
	case P_PIDFD:
		return a->id >= 0 ? resolve_pidfd(t, a->id, w, nonblock)
		                  : -EINVAL;
	default:
		return -EINVAL;
	}
}

long sys_waitid(struct task *t, const struct args_waitid *a)
{
	struct want w = {.options = (uint32_t)a->options};
	abi_siginfo info = {0};
	struct found f = {0};
	bool nonblock = false;
	long got;

	if ((w.options & ~(uint32_t)WAITID_OPTIONS) ||
	    !(w.options & WAITID_EVENTS))
		return -EINVAL;
	got = resolve(t, a, &w, &nonblock);
	if (got < 0)
		return got;
	if (nonblock)
		w.options |= WNOHANG;
	got = wait_for(t, &w, &f);
	if (got == 0 && nonblock && !(a->options & WNOHANG))
		return -EAGAIN;
	if (got < 0)
		return got;
	if (got > 0) {
		info.signo = SIGCHLD;
		info.code = f.code;
		info.pid = f.child->pid;
		info.uid = process_cred(f.child)->uid;
		info.status = f.status;
	}

	if (a->info.raw != 0 && user_write(t, a->info, &info, INFO_SIZE) < 0)
		return -EFAULT;
	if (got == 0)
		return 0;
	if (write_usage(t, a->usage, f.child) < 0)
		return -EFAULT;
	consume(t, &w, &f);
	return 0;
}
