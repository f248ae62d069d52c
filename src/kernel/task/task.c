/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a task, and its waiting.
 *
 * One reference stands for being alive; task_exit() puts it.  The structure
 * keeps its process and its credentials until the last reference goes, so that
 * whoever holds one may still ask whose it was.
 */
#include "kernel/task/task.h"

#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "kernel/core/limits.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/path.h"
#include "kernel/task/cells.h"
#include "kernel/task/cred.h"
#include "kernel/task/exec.h"
#include "kernel/task/far.h"
#include "kernel/task/pid.h"
#include "kernel/task/process.h"
#include "kernel/task/session.h"
#include "kernel/task/signal.h"

#define NAMESPACES                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

static void watch_woken(struct waiter *w, uint32_t events)
{
	(void)events;
	task_wake(container_of(w, struct task_watch, waiter)->task);
}

static void time_came(struct timer *timer)
{
	struct task *t = container_of(timer, struct task, timer);

	t->timed_out = true;
	task_wake(t);
}

static struct task *make(struct kernel *k)
{
	struct task *t;

	if (k->limits.tasks_used >= k->limits.tasks)
		return NULL;
	t = limits_alloc(k, sizeof(*t));
	if (!t)
		return NULL;
	k->limits.tasks_used++;
	t->kernel = k;
	t->refs = 1;
	t->state = TASK_RUNNING;
	t->fresh = true;
	list_init(&t->in_process);
	list_init(&t->in_cell);
	list_init(&t->ready_link);
	list_init(&t->watches);
	list_init(&t->pending.infos);
	for (size_t i = 0; i < TASK_WATCHERS; i++) {
		list_init(&t->watch[i].waiter.link);
		t->watch[i].waiter.wake = watch_woken;
		t->watch[i].task = t;
	}
	t->timer.fire = time_came;
	return t;
}

static void free_task(struct task *t)
{
	struct kernel *k = t->kernel;

	cred_put(t->cred);
	process_put(t->process);
	k->limits.tasks_used--;
	limits_free(k, t, sizeof(*t));
}

struct task *task_get(struct task *t)
{
	t->refs++;
	return t;
}

void task_put(struct task *t)
{
	if (t && --t->refs == 0)
		free_task(t);
}

struct task *task_find(struct kernel *k, int32_t tid)
{
	struct pid_entry *e = pid_entry(k, tid);

	return e ? e->task : NULL;
}

/* Puts a new task, which has all it shares, into its process. */
static void join(struct task *t, struct process *p, int32_t tid)
{
	t->process = p; /* with the reference the caller has */
	t->tid = tid;
	list_add_tail(&p->tasks, &t->in_process);
	p->task_count++;
	if (tid == p->pid)
		p->leader = t;
	t->kernel->pids->entry[tid].task = t;
}

static struct sighand *sighand_create(struct kernel *k)
{
	struct sighand *h = limits_alloc(k, sizeof(*h));

	if (h)
		h->refs = 1;
	return h;
}

int task_spawn(struct kernel *k, struct cred *cred, struct fsctx *fs,
               struct fdtable *fds, struct task **out)
{
	struct task *t = make(k);
	struct process *p;
	int err;

	if (!t)
		return -EAGAIN;
	t->sighand = sighand_create(k);
	if (!t->sighand) {
		err = -ENOMEM;
		goto put_task;
	}
	err = process_create(k->init, &p);
	if (err < 0)
		goto put_sighand;
	err = session_start(p);
	if (err < 0)
		goto discard_process;
	/* Nothing below can fail. */
	t->cred = cred;
	t->fs = fs;
	t->fds = fds;
	join(t, p, p->pid);
	t->refs++;
	*out = t;
	return 0;

discard_process:
	process_discard(p);
	process_put(p);
put_sighand:
	signal_sighand_put(t->sighand, k);
put_task:
	task_put(t);
	return err;
}

static int check_flags(const struct task *from, uint64_t flags)
{
	if (flags & NAMESPACES)
		return -EINVAL;
	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && (flags & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_PARENT) && from->process->parent == NULL)
		return -EINVAL;
	return from->process->exiting ? -EAGAIN : 0;
}

/* RLIMIT_NPROC, which counts tasks of the real user. */
static bool user_full(const struct task *t)
{
	uint64_t limit = t->process->rlimit[RLIMIT_NPROC].cur;
	uint64_t count = 0;
	struct process *p = NULL;

	if (limit == RLIM64_INFINITY || t->cred->uid == 0 ||
	    cred_capable(t->cred, CRED_CAP_SYS_RESOURCE) ||
	    cred_capable(t->cred, CRED_CAP_SYS_ADMIN))
		return false;
	while ((p = process_next(t->kernel, p ? p->pid : 0))) {
		if (process_cred(p)->uid == t->cred->uid)
			count += MAX(p->task_count, 1);
	}
	return count >= limit;
}

static struct sighand *copy_sighand(struct task *from, uint64_t flags)
{
	struct sighand *h;

	if (flags & CLONE_SIGHAND) {
		from->sighand->refs++;
		return from->sighand;
	}
	h = sighand_create(from->kernel);
	if (!h)
		return NULL;
	*h = *from->sighand;
	h->refs = 1;
	if (flags & CLONE_CLEAR_SIGHAND)
		signal_sighand_reset(h);
	return h;
}

/* What the flags say is shared is shared, the rest is copied. */
static int share(struct task *t, struct task *from, uint64_t flags)
{
	struct kernel *k = t->kernel;

	t->sighand = copy_sighand(from, flags);
	if (!t->sighand)
		return -ENOMEM;
	t->fs = flags & CLONE_FS ? path_fsctx_get(from->fs)
	                         : path_fsctx_copy(from->fs);
	if (!t->fs)
		goto put_sighand;
	t->fds = flags & CLONE_FILES ? fd_table_get(from->fds)
	                             : fd_table_copy(from->fds);
	if (!t->fds)
		goto put_fs;
	if ((flags & CLONE_FILES) && !(flags & CLONE_THREAD))
		fd_table_mix(t->fds);
	return 0;

put_fs:
	path_fsctx_put(t->fs);
	t->fs = NULL;
put_sighand:
	signal_sighand_put(t->sighand, k);
	t->sighand = NULL;
	return -ENOMEM;
}

static void unshare(struct task *t)
{
	struct fdtable *fds = t->fds;
	struct fsctx *fs = t->fs;

	/* Closing may look at the task: it has its files until then. */
	if (fds)
		fd_table_put(fds, t);
	t->fds = NULL;
	if (fs)
		path_fsctx_put(fs);
	t->fs = NULL;
	signal_sighand_put(t->sighand, t->kernel);
	t->sighand = NULL;
}

static int clone_process(struct task *from, const struct task_clone *how,
                         struct process **out)
{
	struct process *parent = from->process;
	int err;

	if (how->flags & CLONE_PARENT)
		parent = parent->parent;
	err = process_create(from->process, out);
	if (err < 0)
		return err;
	if (parent != from->process) {
		list_del(&(*out)->sibling);
		(*out)->parent = parent;
		list_add_tail(&parent->children, &(*out)->sibling);
	}
	(*out)->exit_signal = how->flags & CLONE_PARENT
	                              ? from->process->exit_signal
	                              : how->exit_signal;
	return 0;
}

int task_clone(struct task *from, const struct task_clone *how,
               struct task **out)
{
	struct kernel *k = from->kernel;
	struct process *p = from->process;
	int32_t tid;
	struct task *t;
	int err = check_flags(from, how->flags);

	if (err < 0)
		return err;
	if (user_full(from))
		return -EAGAIN;
	t = make(k);
	if (!t)
		return -EAGAIN;
	err = share(t, from, how->flags);
	if (err < 0)
		goto put_task;
	if (how->flags & CLONE_THREAD) {
		tid = pid_next(k->pids);
		err = tid < 0 ? -EAGAIN : 0;
		process_get(p);
	} else {
		err = clone_process(from, how, &p);
		tid = err < 0 ? 0 : p->pid;
	}
	if (err < 0)
		goto unshare;
	/* Nothing below can fail. */
	t->cred = cred_get(from->cred);
	t->sched = from->sched;
	t->timer_slack_ns = from->timer_slack_ns;
	t->no_new_privs = from->no_new_privs;
	memcpy(t->comm, from->comm, sizeof(t->comm));
	join(t, p, tid);
	if ((how->flags & CLONE_VFORK) && !(how->flags & CLONE_THREAD))
		t->vfork_parent = task_get(from);
	t->refs++;
	*out = t;
	return 0;

unshare:
	if (how->flags & CLONE_THREAD)
		process_put(p);
	unshare(t);
put_task:
	task_put(t);
	return err;
}

void task_take_pid(struct task *t)
{
	struct process *p = t->process;
	struct pid_entry *e = t->kernel->pids->entry;

	if (t->tid == p->pid)
		return;
	e[t->tid].task = NULL;
	t->tid = p->pid;
	e[t->tid].task = t;
	p->leader = t;
	if (t->slot)
		atomic_store_explicit(&t->slot->tid, t->tid,
		                      memory_order_relaxed);
}

void task_release_vfork(struct task *t)
{
	struct task *parent = t->vfork_parent;

	if (!parent)
		return;
	t->vfork_parent = NULL;
	task_wake(parent);
	task_put(parent);
}

/* Leaves the call it is in, and whatever it waits for. */
static void drop_call(struct task *t)
{
	task_unwatch(t);
	list_del(&t->ready_link);
	t->held = false;
	far_drop(t);
	exec_forget(t);
	if (t->job && t->job_drop)
		t->job_drop(t);
	t->job = NULL;
	fd_let_go(t);
	t->in_call = false;
}

static void leave(struct task *t)
{
	struct process *p = t->process;
	struct pid_entry *e = pid_entry(t->kernel, t->tid);

	if (p->leader == t)
		p->leader = NULL;
	list_del(&t->in_process);
	p->task_count--;
	if (e && e->task == t)
		e->task = NULL;
}

void task_exit(struct task *t, int32_t status)
{
	struct process *p = t->process;

	if (t->state == TASK_DEAD)
		return;
	task_get(t);
	drop_call(t);
	t->exiting = true;
	if (!p->exiting)
		p->status = (uint32_t)status;
	if (p->task_count == 1)
		p->cred = cred_get(t->cred);
	if (p->leader == t) {
		memcpy(p->comm, t->comm, sizeof(p->comm));
		p->sched = t->sched;
	}
	unshare(t);
	t->state = TASK_DEAD;
	leave(t);
	signal_flush(&t->pending, t->kernel);
	task_release_vfork(t);
	cells_leave(t); /* before the end is told: it adds up the usage */
	if (p->task_count == 0)
		process_gone(p);
	else
		signal_update_process(p);
	task_put(t); /* being alive */
	task_put(t);
}

void task_discard(struct task *t)
{
	struct process *p = t->process;

	drop_call(t);
	t->exiting = true;
	unshare(t);
	t->state = TASK_DEAD;
	p->cred = p->task_count == 1 ? cred_get(t->cred) : p->cred;
	leave(t);
	signal_flush(&t->pending, t->kernel);
	task_release_vfork(t);
	if (p->task_count == 0)
		process_discard(p);
	task_put(t); /* being alive */
	task_put(t);
}

void task_unwatch(struct task *t)
{
	for (unsigned i = 0; i < t->watch_count; i++)
		list_del(&t->watch[i].waiter.link);
	t->watch_count = 0;
	while (!list_empty(&t->watches)) {
		struct task_watch *w = list_first(&t->watches,
		                                  struct task_watch, more);

		list_del(&w->more);
		list_del(&w->waiter.link);
		limits_free(t->kernel, w, sizeof(*w));
	}
	timer_stop(&t->kernel->loop.timers, &t->timer);
	t->rush = false;
	t->deep = false;
}

void task_watch(struct task *t, struct waitq *q)
{
	struct task_watch *w;

	if (t->watch_count < TASK_WATCHERS) {
		waitq_add(q, &t->watch[t->watch_count++].waiter);
		return;
	}
	w = limits_alloc(t->kernel, sizeof(*w));
	if (!w) {
		t->rush = true;
		return;
	}
	w->task = t;
	w->waiter.wake = watch_woken;
	list_init(&w->waiter.link);
	list_add_tail(&t->watches, &w->more);
	waitq_add(q, &w->waiter);
}

void task_deadline(struct task *t, uint64_t at_ns)
{
	if (t->first_run)
		t->deadline_ns = MAX(at_ns, 1);
}

static long go_to_sleep(struct task *t, bool deep)
{
	if (t->deadline_ns != 0 && t->deadline_ns != UINT64_MAX &&
	    timer_set(&t->kernel->loop.timers, &t->timer, t->deadline_ns) < 0)
		t->rush = true;
	t->deep = deep;
	t->state = TASK_WAITING;
	if (t->rush)
		task_wake(t);
	return -EWAIT;
}

long task_sleep(struct task *t)
{
	if (signal_deliverable(t)) {
		task_unwatch(t);
		signal_update(t);
		return -ERESTARTSYS;
	}
	return go_to_sleep(t, false);
}

long task_sleep_deep(struct task *t)
{
	return go_to_sleep(t, true);
}

void task_wake(struct task *t)
{
	if (t->state != TASK_WAITING)
		return;
	task_unwatch(t);
	t->state = TASK_READY;
	list_add_tail(&t->kernel->ready, &t->ready_link);
}

bool task_hold(struct task *t)
{
	if (!t->process || !t->process->stopped)
		return false;
	t->held = true;
	t->state = TASK_READY; /* nobody looks at its slot meanwhile */
	return true;
}

void task_unhold(struct task *t)
{
	if (!t->held)
		return;
	t->held = false;
	t->state = TASK_READY;
	if (list_empty(&t->ready_link))
		list_add_tail(&t->kernel->ready, &t->ready_link);
}
