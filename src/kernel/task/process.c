/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process has two lives: from process_create() to process_gone() it has
 * tasks; from there to process_reap() it is a zombie.  One reference stands
 * for being in the tables, one for each task structure.
 */
#include "kernel/task/process.h"

#include <signal.h>
#include <sys/resource.h>

#include "kernel/core/limits.h"
#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"
#include "kernel/ipc/sem.h"
#include "kernel/ipc/shm.h"
#include "kernel/task/cells.h"
#include "kernel/task/clock.h"
#include "kernel/task/cred.h"
#include "kernel/task/itimer.h"
#include "kernel/task/pid.h"
#include "kernel/task/session.h"
#include "kernel/task/signal.h"

#define TICK_NS 10000000u /* times in clock ticks are in hundredths */

static const abi_rlimit default_limits[PROCESS_RLIMITS] = {
	[RLIMIT_CPU] = {RLIM64_INFINITY, RLIM64_INFINITY},
	[RLIMIT_FSIZE] = {RLIM64_INFINITY, RLIM64_INFINITY},
	[RLIMIT_DATA] = {RLIM64_INFINITY, RLIM64_INFINITY},
	[RLIMIT_STACK] = {8u << 20, RLIM64_INFINITY},
	[RLIMIT_CORE] = {0, RLIM64_INFINITY},
	[RLIMIT_RSS] = {RLIM64_INFINITY, RLIM64_INFINITY},
	[RLIMIT_NPROC] = {RLIM64_INFINITY, RLIM64_INFINITY},
	[RLIMIT_NOFILE] = {1024, LIMIT_FDS},
	[RLIMIT_MEMLOCK] = {8u << 20, 8u << 20},
	[RLIMIT_AS] = {RLIM64_INFINITY, RLIM64_INFINITY},
	[RLIMIT_LOCKS] = {RLIM64_INFINITY, RLIM64_INFINITY},
	[RLIMIT_SIGPENDING] = {16384, 16384},
	[RLIMIT_MSGQUEUE] = {819200, 819200},
	[RLIMIT_NICE] = {0, 0},
	[RLIMIT_RTPRIO] = {0, 0},
	[RLIMIT_RTTIME] = {RLIM64_INFINITY, RLIM64_INFINITY},
};

static struct process *make(struct kernel *k)
{
	struct process *p;
	int32_t pid = pid_next(k->pids);

	if (pid < 0)
		return NULL;
	p = limits_alloc(k, sizeof(*p));
	if (!p)
		return NULL;
	p->kernel = k;
	p->pid = pid;
	p->refs = 1;
	p->start_ns = timer_now();
	p->exit_signal = SIGCHLD;
	p->dumpable = true;
	list_init(&p->tasks);
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->in_pgrp);
	list_init(&p->dying);
	list_init(&p->pending.infos);
	list_init(&p->posix_timers);
	waitq_init(&p->child_wait);
	waitq_init(&p->exit_wait);
	waitq_init(&p->signal_wait);
	itimer_init_process(p);
	k->pids->entry[pid].process = p;
	return p;
}

static void free_process(struct process *p)
{
	struct kernel *k = p->kernel;

	waitq_fini(&p->child_wait);
	waitq_fini(&p->exit_wait);
	waitq_fini(&p->signal_wait);
	cred_put(p->cred);
	limits_free(k, p, sizeof(*p));
}

static void forget_pid(struct process *p)
{
	struct pid_entry *e = pid_entry(p->kernel, p->pid);

	if (e && e->process == p)
		e->process = NULL;
}

int process_create_init(struct kernel *k)
{
	struct process *p;
	int err = pid_create(&k->pids);

	if (err < 0)
		return err;
	p = make(k);
	if (!p)
		goto destroy_pids;
	p->cred = cred_create(0, 0, NULL, 0);
	if (!p->cred)
		goto put_process;
	err = session_start(p);
	if (err < 0)
		goto put_process;
	for (size_t i = 0; i < PROCESS_RLIMITS; i++)
		p->rlimit[i] = default_limits[i];
	p->execed = true;
	memcpy(p->comm, "init", sizeof("init"));
	k->init = p;
	return 0;

put_process:
	free_process(p);
destroy_pids:
	pid_destroy(k->pids);
	k->pids = NULL;
	return -ENOMEM;
}

void process_destroy_init(struct kernel *k)
{
	struct process *p = k->init;

	if (!p)
		return;
	k->init = NULL;
	session_leave(p);
	forget_pid(p);
	process_put(p);
	pid_destroy(k->pids);
	k->pids = NULL;
}

static struct process_strings *get_strings(struct process_strings *s)
{
	if (s)
		s->refs++;
	return s;
}

void process_put_strings(struct kernel *k, struct process_strings *s)
{
	if (s && --s->refs == 0)
		limits_free(k, s, sizeof(*s) + s->size);
}

void process_set_strings(struct process *p, struct process_strings *s)
{
	process_put_strings(p->kernel, p->strings);
	p->strings = s;
	p->cmdline = p->environ = NULL;
	p->cmdline_size = p->environ_size = 0;
}

void process_set_exe(struct process *p, struct file *f)
{
	struct file *old = p->exe;

	p->exe = f;
	if (f && f->inode)
		f->inode->denied++;
	if (old && old->inode)
		old->inode->denied--;
	if (old)
		file_put(old);
}

int process_create(struct process *parent, struct process **out)
{
	struct process *p = make(parent->kernel);

	if (!p)
		return -EAGAIN;
	p->parent = parent;
	list_add_tail(&parent->children, &p->sibling);
	session_join(p, parent->pgrp);
	for (size_t i = 0; i < PROCESS_RLIMITS; i++)
		p->rlimit[i] = parent->rlimit[i];
	if (parent->exe)
		process_set_exe(p, file_get(parent->exe));
	process_set_strings(p, get_strings(parent->strings));
	p->cmdline = parent->cmdline;
	p->cmdline_size = parent->cmdline_size;
	p->environ = parent->environ;
	p->environ_size = parent->environ_size;
	p->dumpable = parent->dumpable;
	p->personality = parent->personality;
	p->oom_score_adj = parent->oom_score_adj;
	shm_inherit(p, parent);
	p->refs++;
	if (itimer_watch_limit(p) < 0) {
		process_discard(p);
		process_put(p);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}

void process_discard(struct process *p)
{
	p->zombie = true;
	itimer_exit_process(p);
	shm_process_gone(p);
	process_set_exe(p, NULL);
	process_set_strings(p, NULL);
	process_reap(p);
}

struct process *process_get(struct process *p)
{
	p->refs++;
	return p;
}

void process_put(struct process *p)
{
	if (p && --p->refs == 0)
		free_process(p);
}

struct process *process_find(struct kernel *k, int32_t pid)
{
	struct pid_entry *e = pid_entry(k, pid);

	return e ? e->process : NULL;
}

struct pgrp *process_group_find(struct kernel *k, int32_t pgid)
{
	struct pid_entry *e = pid_entry(k, pgid);

	return e ? e->pgrp : NULL;
}

struct process *process_next(struct kernel *k, int32_t after)
{
	for (int32_t i = MAX(after, 0) + 1; i <= k->pids->top; i++) {
		if (k->pids->entry[i].process)
			return k->pids->entry[i].process;
	}
	return NULL;
}

const struct cred *process_cred(const struct process *p)
{
	if (p->leader)
		return p->leader->cred;
	if (!list_empty(&p->tasks))
		return list_first(&p->tasks, struct task, in_process)->cred;
	return p->cred;
}

bool process_may_inspect(const struct task *by, const struct process *p,
                         bool real)
{
	const struct cred *c = by->cred;
	const struct cred *to = process_cred(p);
	uint32_t uid = real ? c->uid : c->fsuid;
	uint32_t gid = real ? c->gid : c->fsgid;
	uint64_t caps = real ? c->cap_permitted : c->cap_effective;

	if (by->process == p || cred_capable(c, CRED_CAP_SYS_PTRACE))
		return true;
	if (!to || !p->dumpable || uid != to->uid || uid != to->euid ||
	    uid != to->suid || gid != to->gid || gid != to->egid ||
	    gid != to->sgid)
		return false;
	return !(to->cap_permitted & ~caps);
}

struct sighand *process_sighand(const struct process *p)
{
	if (list_empty(&p->tasks))
		return NULL;
	return list_first(&p->tasks, struct task, in_process)->sighand;
}

/*
 * Ends those whose end has been decided.  The end of one may decide the end of
 * others (SIGHUP to a session, PR_SET_PDEATHSIG), in chains as long as a guest
 * likes: they queue up here instead of nesting.
 */
static void end_dying(struct kernel *k)
{
	k->ending = true;
	while (!list_empty(&k->dying)) {
		struct process *p = list_first(&k->dying, struct process,
		                               dying);

		list_del(&p->dying);
		while (!list_empty(&p->tasks))
			task_exit(
				list_first(&p->tasks, struct task, in_process),
				(int32_t)p->status);
		process_put(p);
	}
	k->ending = false;
}

void process_kill(struct process *p, uint32_t wait_status)
{
	struct kernel *k = p->kernel;

	if (p->zombie || p == k->init)
		return;
	if (!p->exiting) {
		p->exiting = true;
		p->status = wait_status;
	}
	if (k->current && k->current->process == p)
		return;
	if (list_empty(&p->dying))
		list_add_tail(&k->dying, &process_get(p)->dying);
	if (!k->ending)
		end_dying(k);
}

void process_usage_add(struct usage *sum, const struct usage *more)
{
	sum->utime_ns += more->utime_ns;
	sum->stime_ns += more->stime_ns;
	sum->minflt += more->minflt;
	sum->majflt += more->majflt;
	sum->nvcsw += more->nvcsw;
	sum->nivcsw += more->nivcsw;
	sum->maxrss_kib = MAX(sum->maxrss_kib, more->maxrss_kib);
}

void process_usage(struct process *p, struct usage *out)
{
	struct usage living = {0};

	*out = p->usage;
	if (list_empty(&p->tasks))
		return;
	cells_usage(p, &living);
	process_usage_add(out, &living);
}

void process_usage_told(struct usage *u, const uint64_t arg[6])
{
	const struct usage more = {
		.minflt = arg[2] >> 32,
		.majflt = (uint32_t)arg[2],
		.maxrss_kib = MIN(arg[3], (uint64_t)INT64_MAX),
		.nvcsw = (uint32_t)arg[4],
		.nivcsw = (uint32_t)arg[5],
	};

	process_usage_add(u, &more);
}

void process_rusage(const struct usage *u, abi_rusage *out)
{
	*out = (abi_rusage){
		.utime = clock_to_timeval(u->utime_ns),
		.stime = clock_to_timeval(u->stime_ns),
		.maxrss = (int64_t)u->maxrss_kib,
		.minflt = (int64_t)u->minflt,
		.majflt = (int64_t)u->majflt,
		.nvcsw = (int64_t)u->nvcsw,
		.nivcsw = (int64_t)u->nivcsw,
	};
}

static abi_siginfo child_info(const struct process *p, int code)
{
	abi_siginfo info = {.signo = SIGCHLD, .code = code, .pid = p->pid};
	const struct cred *c = process_cred(p);

	info.uid = c ? c->uid : 0;
	info.utime = (int64_t)(p->usage.utime_ns / TICK_NS);
	info.stime = (int64_t)(p->usage.stime_ns / TICK_NS);
	switch (code) {
	case CLD_EXITED:
		info.status = (int32_t)(p->status >> 8 & 0xff);
		break;
	case CLD_STOPPED:
		info.status = p->stop_signal;
		break;
	case CLD_CONTINUED:
		info.status = SIGCONT;
		break;
	default:
		info.status = (int32_t)(p->status & 0x7f);
		break;
	}
	return info;
}

/* The parent's disposition of SIGCHLD, or NULL for process 1. */
static const abi_sigaction *parent_action(const struct process *p)
{
	struct sighand *h = p->parent ? process_sighand(p->parent) : NULL;

	return h ? &h->action[SIGCHLD] : NULL;
}

void process_notify(struct process *p, int code)
{
	abi_siginfo info = child_info(p, code);
	const abi_sigaction *act = parent_action(p);
	bool ended = code != CLD_STOPPED && code != CLD_CONTINUED;
	struct process *parent = p->parent;

	if (!parent)
		return;
	if (ended)
		info.signo = p->exit_signal;
	if (act && info.signo != 0 && (ended || !(act->flags & SA_NOCLDSTOP)))
		(void)signal_send_process(parent, &info);
	waitq_wake(&parent->child_wait, WAITQ_ANY);
}

/* Does nobody want to wait for it? */
static bool reaps_itself(const struct process *p)
{
	const abi_sigaction *act = parent_action(p);

	if (p->parent == p->kernel->init)
		return true;
	if (p->exit_signal != SIGCHLD || !act)
		return false;
	return act->handler == (uintptr_t)SIG_IGN ||
	       (act->flags & SA_NOCLDWAIT);
}

/* A zombie has (perhaps a new) parent: tells it, or goes at once. */
static void report(struct process *p)
{
	struct process *parent = process_get(p->parent);
	bool alone = reaps_itself(p);
	bool exited = (p->status & 0x7f) == 0;

	process_notify(p, exited ? CLD_EXITED : CLD_KILLED);
	if (alone) {
		process_reap(p);
		waitq_wake(&parent->child_wait, WAITQ_ANY);
	}
	process_put(parent);
}

/* Who takes over the children: the next subreaper up, or process 1. */
static struct process *heir(const struct process *p)
{
	for (struct process *up = p->parent; up; up = up->parent) {
		if (up->subreaper && !up->zombie && !up->exiting)
			return up;
	}
	return p->kernel->init;
}

static void send_pdeath(struct process *child, const struct process *gone)
{
	list_for_each (at, &child->tasks) {
		struct task *t = list_entry(at, struct task, in_process);
		abi_siginfo info;

		if (!t->pdeath_signal)
			continue;
		info = signal_info_kernel(t->pdeath_signal);
		info.code = SI_USER;
		info.pid = gone->pid;
		(void)signal_send_task(t, &info, false);
	}
}

/* Its parent is another now: the stub answers getppid(2) by itself. */
static void publish(struct process *p)
{
	list_for_each (at, &p->tasks) {
		struct task *t = list_entry(at, struct task, in_process);

		if (t->cell)
			cells_publish(t);
	}
}

static void give_children_away(struct process *p)
{
	struct process *to = heir(p);

	while (!list_empty(&p->children)) {
		struct process *c = list_first(&p->children, struct process,
		                               sibling);

		process_get(c);
		list_del(&c->sibling);
		c->parent = to;
		publish(c);
		c->exit_signal = SIGCHLD;
		list_add_tail(&to->children, &c->sibling);
		session_check_orphans(p, c);
		send_pdeath(c, p);
		if (c->zombie && !c->reaped)
			report(c);
		process_put(c);
	}
}

void process_gone(struct process *p)
{
	struct kernel *k = p->kernel;
	bool outermost = !k->ending;

	if (p->zombie)
		return;
	process_get(p);
	k->ending = true;
	p->zombie = true;
	p->stopped = false;
	p->continued = false;
	itimer_exit_process(p);
	sem_process_gone(p);
	shm_process_gone(p);
	signal_flush(&p->pending, p->kernel);
	process_set_exe(p, NULL);
	process_set_strings(p, NULL);
	session_leader_gone(p);
	session_check_orphans(p, NULL);
	give_children_away(p);
	waitq_wake(&p->exit_wait, WAITQ_ANY);
	report(p);
	process_put(p);
	if (outermost)
		end_dying(k);
}

void process_reap(struct process *p)
{
	assert(p->zombie);
	if (p->reaped)
		return;
	p->reaped = true;
	list_del(&p->sibling);
	p->parent = NULL;
	session_leave(p);
	forget_pid(p);
	process_put(p);
}

void process_stop(struct process *p, int sig)
{
	if (p->stopped || p->exiting || p->zombie)
		return;
	p->stopped = true;
	p->continued = false;
	p->stop_reported = false;
	p->stop_signal = sig;
	list_for_each (at, &p->tasks) {
		struct task *t = list_entry(at, struct task, in_process);

		if (t->slot)
			atomic_store(&t->slot->attention, 1);
		if (t->state == TASK_RUNNING)
			cells_kick(t);
	}
	process_notify(p, CLD_STOPPED);
}

void process_continue(struct process *p)
{
	if (!p->stopped)
		return;
	p->stopped = false;
	p->stop_reported = false;
	p->continued = true;
	list_for_each (at, &p->tasks)
		task_unhold(list_entry(at, struct task, in_process));
	process_notify(p, CLD_CONTINUED);
}
