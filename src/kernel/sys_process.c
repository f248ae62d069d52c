/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a process is, and its end.
 */
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <string.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/path.h"
#include "kernel/syscall.h"
#include "kernel/task/cells.h"
#include "kernel/task/cred.h"
#include "kernel/task/pidfd.h"
#include "kernel/task/process.h"
#include "kernel/task/session.h"

/* The process of a number that calls take; 0 is the caller's own. */
static struct process *find(struct task *t, int32_t pid)
{
	struct process *p;
	struct task *thread;

	if (pid == 0)
		return t->process;
	p = process_find(t->kernel, pid);
	if (p)
		return p;
	thread = task_find(t->kernel, pid);
	return thread ? thread->process : NULL;
}

long sys_exit(struct task *t, const struct args_exit *a)
{
	task_exit(t, (a->status & 0xff) << 8);
	return -ENOANSWER;
}

long sys_exit_group(struct task *t, const struct args_exit_group *a)
{
	process_usage_told(&t->process->usage, t->req.arg);
	process_kill(t->process, (uint32_t)(a->status & 0xff) << 8);
	return -ENOANSWER;
}

long sys_getppid(struct task *t, const struct args_getppid *a)
{
	(void)a;
	return t->process->parent ? t->process->parent->pid : 0;
}

long sys_getpgrp(struct task *t, const struct args_getpgrp *a)
{
	(void)a;
	return t->process->pgrp->id;
}

long sys_getpgid(struct task *t, const struct args_getpgid *a)
{
	const struct process *p = find(t, a->pid);

	return p && p->pgrp ? p->pgrp->id : -ESRCH;
}

long sys_getsid(struct task *t, const struct args_getsid *a)
{
	const struct process *p = find(t, a->pid);

	return p && p->pgrp ? p->pgrp->session->id : -ESRCH;
}

long sys_setsid(struct task *t, const struct args_setsid *a)
{
	struct process *p = t->process;
	int err;

	(void)a;
	if (process_group_find(t->kernel, p->pid))
		return -EPERM;
	err = session_start(p);
	return err < 0 ? err : p->pid;
}

/* Joins the group, or makes it when it is to be the process's own. */
static long enter_group(struct process *p, int32_t pgid)
{
	struct session *s = p->pgrp->session;
	struct pgrp *g = process_group_find(p->kernel, pgid);
	int err;

	if (g && g->session != s)
		return -EPERM;
	if (!g && pgid != p->pid)
		return -EPERM;
	if (g) {
		session_join(p, g);
		return 0;
	}
	err = session_group_create(s, pgid, &g);
	if (err < 0)
		return err;
	session_join(p, g);
	session_group_put(g);
	return 0;
}

long sys_setpgid(struct task *t, const struct args_setpgid *a)
{
	struct process *self = t->process;
	struct process *p = find(t, a->pid);
	int32_t pgid;

	if (a->pgid < 0)
		return -EINVAL;
	if (!p || p->zombie || (p != self && p->parent != self))
		return -ESRCH;
	if (p != self && p->pgrp->session != self->pgrp->session)
		return -EPERM;
	if (p != self && p->execed)
		return -EACCES;
	if (p->pgrp->session->leader == p)
		return -EPERM;
	pgid = a->pgid ? a->pgid : p->pid;
	return pgid == p->pgrp->id ? 0 : enter_group(p, pgid);
}

/* Namespaces do not exist, but what is shared can be parted. */
long sys_unshare(struct task *t, const struct args_unshare *a)
{
	uint32_t flags = (uint32_t)a->flags;
	struct fdtable *fds;
	struct fsctx *fs;

	if (flags & ~(uint32_t)(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM |
	                        CLONE_THREAD | CLONE_SIGHAND | CLONE_VM))
		return flags & CLONE_NEWNS ? -EPERM : -EINVAL;
	if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) &&
	    t->process->task_count > 1)
		return -EINVAL;
	fds = flags & CLONE_FILES && fd_table_shared(t->fds)
	              ? fd_table_part(t)
	              : fd_table_get(t->fds);
	if (!fds)
		return -ENOMEM;
	fs = flags & CLONE_FS ? path_fsctx_copy(t->fs) : path_fsctx_get(t->fs);
	if (!fs) {
		fd_table_put(fds, t);
		return -ENOMEM;
	}
	/* Nothing below can fail. */
	fd_table_put(t->fds, t);
	t->fds = fds;
	path_fsctx_put(t->fs);
	t->fs = fs;
	return 0;
}

long sys_setns(struct task *t, const struct args_setns *a)
{
	(void)t, (void)a;
	return -EINVAL;
}

long sys_ptrace(struct task *t, const struct args_ptrace *a)
{
	(void)t, (void)a;
	return -EPERM;
}

/* May the task look into the process, as a debugger would? */
static struct task *any_task(const struct process *p)
{
	if (list_empty(&p->tasks))
		return NULL;
	return list_first(&p->tasks, struct task, in_process);
}

long sys_pidfd_open(struct task *t, const struct args_pidfd_open *a)
{
	struct process *p;

	if ((a->flags & ~(uint32_t)O_NONBLOCK) || a->pid <= 0)
		return -EINVAL;
	p = process_find(t->kernel, a->pid);
	if (!p)
		return task_find(t->kernel, a->pid) ? -EINVAL : -ESRCH;
	return pidfd_open(t, p, a->flags);
}

long sys_pidfd_getfd(struct task *t, const struct args_pidfd_getfd *a)
{
	struct file *pidfd = fd_get(t, a->pidfd);
	struct process *p = pidfd ? pidfd_process(pidfd) : NULL;
	struct task *from = p ? any_task(p) : NULL;
	struct file *f = NULL;
	long err = 0;

	if (!p)
		err = -EBADF;
	else if (a->flags != 0)
		err = -EINVAL;
	else if (!from)
		err = -ESRCH;
	else if (!process_may_inspect(t, p, true))
		err = -EPERM;
	else if (!(f = fd_peek(from->fds, a->fd)))
		err = -EBADF;
	if (err == 0)
		err = fd_open(t, file_get(f), true);
	file_put(pidfd);
	return err;
}

/* The order of two pointers, which tells nothing but whether they differ. */
static long order(const void *a, const void *b)
{
	if (a == b)
		return 0;
	return (uintptr_t)a < (uintptr_t)b ? 1 : 2;
}

long sys_kcmp(struct task *t, const struct args_kcmp *a)
{
	struct process *p1 = find(t, a->pid1);
	struct process *p2 = find(t, a->pid2);
	struct task *t1 = p1 ? any_task(p1) : NULL;
	struct task *t2 = p2 ? any_task(p2) : NULL;
	const struct file *f1, *f2;

	if (!t1 || !t2)
		return -ESRCH;
	if (!process_may_inspect(t, p1, true) ||
	    !process_may_inspect(t, p2, true))
		return -EPERM;
	switch (a->type) {
	case KCMP_FILE:
		f1 = fd_peek(t1->fds, (int32_t)a->idx1);
		f2 = fd_peek(t2->fds, (int32_t)a->idx2);
		return f1 && f2 ? order(f1, f2) : -EBADF;
	case KCMP_VM:
		return order(p1, p2);
	case KCMP_FILES:
		return order(t1->fds, t2->fds);
	case KCMP_FS:
		return order(t1->fs, t2->fs);
	case KCMP_SIGHAND:
		return order(t1->sighand, t2->sighand);
	default:
		return -EINVAL;
	}
}

/* Memory of other processes. */

#define VM_IOV 1024u
#define VM_MAX (64l << 20) /* of one call: others are waiting */

struct vm {
	struct task *local;
	struct task *remote;
	abi_iovec piece[2]; /* what is left of the current ones */
	uaddr_t list[2];    /* the next ones */
	uint64_t count[2];
	bool write;
};

/* Makes piece[which] not empty.  1; 0 at the end; -EFAULT. */
static long vm_next(struct vm *v, int which)
{
	while (v->piece[which].size == 0) {
		if (v->count[which] == 0)
			return 0;
		if (user_read(v->local, v->list[which], &v->piece[which],
		              sizeof(v->piece[which])) < 0)
			return -EFAULT;
		v->list[which] = uaddr_add(v->list[which], sizeof(abi_iovec));
		v->count[which]--;
	}
	return 1;
}

/* One step: as much as both current pieces and the scratch memory allow. */
static long vm_step(struct vm *v)
{
	uint8_t *via = v->local->kernel->scratch;
	size_t n = MIN(MIN(v->piece[0].size, v->piece[1].size), SCRATCH_SIZE);
	uaddr_t here = {v->piece[0].base};
	uaddr_t there = {v->piece[1].base};
	int err;

	if (v->write)
		err = user_read(v->local, here, via, n);
	else
		err = cells_read(v->remote, there.raw, via, n);
	if (err < 0)
		return err;
	if (v->write)
		err = cells_write(v->remote, there.raw, via, n);
	else
		err = user_write(v->local, here, via, n);
	if (err < 0)
		return err;
	for (int i = 0; i < 2; i++) {
		v->piece[i].base += n;
		v->piece[i].size -= n;
	}
	return (long)n;
}

static long vm_run(struct vm *v)
{
	long done = 0;
	long n = 1;

	while (n > 0 && done < VM_MAX) {
		n = vm_next(v, 0);
		if (n > 0)
			n = vm_next(v, 1);
		if (n > 0)
			n = vm_step(v);
		if (n > 0)
			done += n;
	}
	return done > 0 ? done : n;
}

static long vm_call(struct task *t, const struct args_process_vm_readv *a,
                    bool write)
{
	struct process *p = find(t, a->pid);
	struct vm v = {
		.local = t,
		.remote = p ? any_task(p) : NULL,
		.list = {a->local, a->remote},
		.count = {a->local_count, a->remote_count},
		.write = write,
	};

	if (a->flags != 0 || a->local_count > VM_IOV ||
	    a->remote_count > VM_IOV)
		return -EINVAL;
	if (a->pid == 0 || !v.remote)
		return -ESRCH;
	if (!process_may_inspect(t, p, true))
		return -EPERM;
	return vm_run(&v);
}

long sys_process_vm_readv(struct task *t, const struct args_process_vm_readv *a)
{
	return vm_call(t, a, false);
}

long sys_process_vm_writev(struct task *t,
                           const struct args_process_vm_writev *a)
{
	const struct args_process_vm_readv same = {
		.pid = a->pid,
		.local = a->local,
		.local_count = a->local_count,
		.remote = a->remote,
		.remote_count = a->remote_count,
		.flags = a->flags,
	};

	return vm_call(t, &same, true);
}

/* Runs a call that a signal interrupted again, with its first deadline. */
long sys_restart_syscall(struct task *t, const struct args_restart_syscall *a)
{
	(void)a;
	if (t->restart.nr == 0)
		return -EINTR;
	t->req = (struct request){.nr = t->restart.nr};
	memcpy(t->req.arg, t->restart.arg, sizeof(t->req.arg));
	t->deadline_ns = t->restart.deadline_ns;
	t->first_run = false;
	t->restart.nr = 0;
	return syscall_run(t);
}

/* The stub answers for the thread itself: it has the list, and nobody else. */
long sys_get_robust_list(struct task *t, const struct args_get_robust_list *a)
{
	return find(t, a->pid) ? -EPERM : -ESRCH;
}
