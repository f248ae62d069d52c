/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task: one guest thread, as the kernel knows it.
 *
 * A task is in one of four states.  RUNNING: its host thread runs guest code,
 * or has a request in its slot that nobody has taken yet.  READY: its handler
 * is to be run (again).  WAITING: its handler returned -EWAIT and sits on wait
 * queues.  DEAD: gone for the guest; the structure goes with its last
 * reference.
 *
 *	RUNNING -> READY     the request was taken from the slot
 *	READY -> RUNNING     answered
 *	READY -> WAITING     the handler returned -EWAIT
 *	WAITING -> READY     a queue was woken, the deadline came, or a signal
 *
 * A handler that waits runs again from its start.  What must survive is in
 * `progress`, `deadline_ns` and `scratch`, all zero when a call first enters.
 */
#pragma once

#include "base/base.h"
#include "base/list.h"
#include "channel/abi.h"
#include "channel/slot.h"
#include "kernel/core/errors.h"
#include "kernel/core/kernel.h"
#include "kernel/core/timer.h"
#include "kernel/core/waitq.h"

struct cell;
struct far;
struct cred;
struct exec_first;
struct fd_held;
struct fdtable;
struct fsctx;
struct process;
struct sighand;

enum task_state { TASK_RUNNING, TASK_READY, TASK_WAITING, TASK_DEAD };

/* Signals queued for a task or for a whole process; kernel/task/signal.h. */
struct sigqueue {
	uint64_t set;      /* which numbers have at least one entry */
	struct list infos; /* of struct sigentry, in order of arrival */
	uint32_t count;
};

#define TASK_COMM     16
#define TASK_WATCHERS 4
#define TASK_KEPT     2

/* A task's place in one wait queue. */
struct task_watch {
	struct waiter waiter;
	struct task *task;
	struct list more; /* in task.watches: beyond the embedded ones */
};

/* How the task would be scheduled: only remembered. */
struct task_sched {
	int32_t nice;
	uint32_t policy; /* SCHED_* */
	uint32_t rt_priority;
	uint64_t affinity; /* of CPUs 0 to 63; 0: all */
};

struct task {
	struct kernel *kernel;
	struct process *process;
	struct list in_process; /* in process.tasks */
	int32_t tid;
	uint32_t refs;
	enum task_state state;
	char comm[TASK_COMM];

	/* Where its host thread is.  NULL for process 1 and in unit tests. */
	struct cell *cell;
	struct list in_cell; /* in cell.tasks */
	uint32_t slot_index;
	struct slot *slot; /* NULL until its first program is loaded */

	/* The call being handled, and what survives its restarts. */
	struct request req;
	bool in_call;    /* between taking a request and answering it */
	bool first_run;  /* this run of the handler is the call's first */
	struct far *far; /* memory reached through the stub; far.h */
	bool fresh;      /* has not asked for anything yet */
	uint32_t outs;   /* entries of the answer's out list so far */
	struct {
		uint64_t addr;
		uint32_t off, size;
	} out;                /* the last of them, as we wrote it */
	uint32_t outs_kept;   /* of these, by earlier runs: user_keep() */
	uint64_t deadline_ns; /* absolute; 0: none */
	uint64_t progress;
	uint64_t scratch[4];
	void *job; /* helper-thread work of this call, or NULL */
	void (*job_drop)(struct task *t); /* frees it when the call is cut */

	/*
	 * The files that the call looked up before it began to wait, if they
	 * are few: they stay its own, whatever becomes of the numbers.
	 */
	int32_t looked_up[TASK_KEPT];
	uint32_t looked_up_count; /* in its first run; may be more */
	struct file *kept[TASK_KEPT];
	struct fd_held *more_kept; /* of poll(2): fd_hold() */

	/* Waiting. */
	struct list ready_link; /* in kernel.ready */
	struct task_watch watch[TASK_WATCHERS];
	unsigned watch_count;
	struct list watches; /* further ones, allocated */
	struct timer timer;
	bool timed_out; /* the deadline came */
	bool deep;      /* in task_sleep_deep() */
	bool held;      /* READY, but its process is stopped */
	bool rush;      /* task_watch() failed: do not wait */

	/* restart_syscall(2): what to run again, and its absolute deadline. */
	struct {
		uint32_t nr;
		uint64_t arg[6];
		uint64_t deadline_ns;
	} restart;

	/* State shared with other tasks as clone(2) asked. */
	struct cred *cred;
	struct fsctx *fs;
	struct fdtable *fds;
	struct sighand *sighand;

	/* Signals; kernel/task/signal.h. */
	struct sigqueue pending;
	uint64_t saved_mask; /* restored when no handler runs */
	bool mask_saved;     /* ppoll and friends replaced the mask */

	uint64_t clear_tid; /* CLONE_CHILD_CLEARTID; the stub does the work */
	struct task *vfork_parent; /* waits until we exec or exit */
	int32_t pdeath_signal;
	struct task_sched sched;
	uint32_t timer_slack_ns; /* 0: the default */
	bool no_new_privs;
	bool exiting;
	struct exec_first *first; /* program to start; kernel/task/exec.c */
};

/*
 * A process from nowhere, child of process 1: the qube's program, or a service
 * call's.  Takes over the references to cred, fs and fds.  Like task_clone(),
 * the task has no cell yet.  0 or -ENOMEM, -EAGAIN.
 */
must_check int task_spawn(struct kernel *k, struct cred *cred, struct fsctx *fs,
                          struct fdtable *fds, struct task **out);

struct task_clone {
	uint64_t flags; /* CLONE_* */
	int32_t exit_signal;
};

/*
 * Makes a task: in `process` if CLONE_THREAD, else the first of a new child
 * process of it.  Shares or copies credentials, files, fs, handlers as the
 * flags say.  The new task has no cell and no slot yet; its state is RUNNING.
 * Returns 0 and a reference, -EAGAIN at a limit, -ENOMEM, or -EINVAL for flags
 * that do not go together.
 */
must_check int task_clone(struct task *from, const struct task_clone *how,
                          struct task **out);

/*
 * A task's end: leaves its process, drops all it shares, and its host thread
 * is made to end.  Keeps the struct, its process and its credentials.
 * `status` is as wait4(2) encodes it; that of the last task counts, unless
 * process_kill() came before.
 */
void task_exit(struct task *t, int32_t status);

/*
 * Undoes task_clone() for a task that never ran: its parent hears nothing.
 * Puts the reference that task_clone() gave.
 */
void task_discard(struct task *t);

/* exec by a task that is not the first: takes the number of the process. */
void task_take_pid(struct task *t);

/* The parent of a vfork may go on. */
void task_release_vfork(struct task *t);

struct task *task_get(struct task *t);
void task_put(struct task *t);

/*
 * Waiting.  Put the task on every queue that may have news, set a deadline if
 * there is one, then `return task_sleep(t)`.  task_watch() is allowed to fail
 * quietly when memory is short: the task is then woken at once.
 */
void task_watch(struct task *t, struct waitq *q);

/* Sets t->deadline_ns on the call's first run; later runs keep the first. */
void task_deadline(struct task *t, uint64_t at_ns);

/*
 * Returns -EWAIT; or -ERESTARTSYS and waits for nothing when a signal is to
 * be delivered first.  Callers with a deadline look at t->timed_out before
 * they call this.
 */
must_check long task_sleep(struct task *t);

/* The same for calls no signal may interrupt (a helper thread's work). */
must_check long task_sleep_deep(struct task *t);

/* Makes a WAITING task READY: its handler will run again. */
void task_wake(struct task *t);

/* Takes the task off all queues and stops its timer. */
void task_unwatch(struct task *t);

/*
 * Is its process stopped?  Then the task is noted and served again when the
 * process goes on.
 */
must_check bool task_hold(struct task *t);

/* Queues a task that a stop held. */
void task_unhold(struct task *t);

/* The task whose tid it is, or NULL.  Borrowed. */
struct task *task_find(struct kernel *k, int32_t tid);
