/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process: a thread group, its family, its job-control place.
 *
 * It lives from task_clone() until its parent has waited for it; as a zombie
 * it holds its ids, its status and its resource usage, nothing else.
 */
#pragma once

#include "kernel/task/task.h"

struct dentry;
struct file;
struct session;
struct tty;

#define PROCESS_RLIMITS 16

struct pgrp {
	struct kernel *kernel;
	int32_t id;
	uint32_t refs;
	struct session *session;
	struct list processes; /* process.in_pgrp */
	struct list in_session;
};

struct session {
	int32_t id;
	uint32_t refs;
	struct list pgrps;
	struct tty *tty; /* controlling terminal, or NULL */
	struct process *leader;
};

/* Usage that outlives tasks and cells, in nanoseconds and counts. */
struct usage {
	uint64_t utime_ns;
	uint64_t stime_ns;
	uint64_t minflt;
	uint64_t majflt;
	uint64_t nvcsw;
	uint64_t nivcsw;
	uint64_t maxrss_kib;
};

struct process {
	struct kernel *kernel;
	int32_t pid; /* tgid */
	uint32_t refs;
	struct list tasks; /* task.in_process, living ones */
	uint32_t task_count;
	struct task *leader; /* NULL once it has gone */

	struct process *parent;
	struct list children; /* process.sibling */
	struct list sibling;
	struct pgrp *pgrp;
	struct list in_pgrp;
	bool subreaper;
	bool execed; /* since it was forked: setpgid(2) by the parent fails */

	/* End and job control. */
	int32_t exit_signal;
	bool exiting; /* exit_group, a fatal signal, or exec by another task */
	bool zombie;
	bool reaped;
	uint32_t status; /* as wait4(2) encodes it */
	bool stopped;
	bool stop_reported;
	bool continued; /* and not reported yet */
	int32_t stop_signal;
	struct waitq child_wait; /* this process's waiters in wait4(2) */
	struct waitq exit_wait;  /* pidfds of this process */

	struct sigqueue pending;
	struct rlimit64 {
		uint64_t cur;
		uint64_t max;
	} rlimit[PROCESS_RLIMITS];
	struct usage usage;          /* of tasks and cells that have gone */
	struct usage children_usage; /* of children waited for */
	uint64_t start_ns;

	/* Timers: ITIMER_REAL here; POSIX timers in kernel/task/itimer.c. */
	struct timer real_timer;
	uint64_t real_interval_ns;
	struct list posix_timers;

	/* The program. */
	struct file *exe;
	char *cmdline; /* argv, each NUL-terminated; charged */
	size_t cmdline_size;
	char *environ;
	size_t environ_size;
	uint64_t stack_start; /* reported by the stub; for /proc only */
	uint64_t brk_start;
	bool dumpable;
	bool no_new_privs;
	uint32_t personality;
	uint32_t oom_score_adj;
};

/*
 * Process 1: ours, without a task or a cell.  It reaps orphans at once and
 * looks like an init in /proc.  Also makes k->pids.  0 or -ENOMEM.
 */
must_check int process_create_init(struct kernel *k);

struct process *process_get(struct process *p);
void process_put(struct process *p);

/* The process whose pid it is, zombies included, or NULL.  Borrowed. */
struct process *process_find(struct kernel *k, int32_t pid);

/* The process group, or NULL.  Borrowed. */
struct pgrp *process_group_find(struct kernel *k, int32_t pgid);

/* Ends every task with this wait status.  Safe to call twice. */
void process_kill(struct process *p, uint32_t wait_status);

/*
 * Called when the last task has gone: becomes a zombie, children go to the
 * reaper, the parent hears of it.
 */
void process_gone(struct process *p);

/* CPU time used so far, the living included. */
void process_usage(struct process *p, struct usage *out);

/* Walks all processes in order of pid: the first with pid > `after`. */
struct process *process_next(struct kernel *k, int32_t after);
