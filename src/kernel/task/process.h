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
	struct kernel *kernel;
	int32_t id;
	uint32_t refs;
	struct list pgrps;
	struct process *leader; /* NULL once it has gone */
	struct tty *tty;        /* controlling terminal, or NULL */
	/* Set together with `tty`: the leader goes, let the terminal go. */
	void (*release_tty)(struct session *s);
};

/* The strings a program was started with; shared by fork. */
struct process_strings {
	uint32_t refs;
	size_t size;
	char data[];
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

/* What read(2), write(2) and their kin have moved, as /proc/PID/io says. */
struct process_io {
	uint64_t rchar, wchar, syscr, syscw;
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
	uint32_t program_count; /* how often it has executed one */

	/* End and job control. */
	int32_t exit_signal;
	bool exiting;      /* exit_group or a fatal signal: `status` is final */
	struct cred *cred; /* of the last task, once it has gone */
	/* Of the leader, once it has gone: a zombie still shows them. */
	char comm[TASK_COMM];
	struct task_sched sched;
	struct list dying; /* in kernel.dying */
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
	struct waitq signal_wait; /* signal_waitq() */
	abi_rlimit rlimit[PROCESS_RLIMITS];
	struct usage usage;          /* of tasks and cells that have gone */
	struct usage children_usage; /* of children waited for */
	struct process_io io;        /* likewise included */
	uint64_t start_ns;

	/* Timers; kernel/task/itimer.h. */
	struct process_timer {
		struct timer timer;
		struct process *process;
		uint64_t goal_ns; /* of the clock it goes by; 0: not set */
		uint64_t interval_ns;
	} itimer[3];                    /* ITIMER_* */
	struct process_timer cpu_limit; /* RLIMIT_CPU */
	struct list posix_timers;
	int32_t next_timer_id;

	/* The program. */
	struct file *exe;
	struct process_strings *strings; /* charged; may be NULL */
	const char *cmdline; /* argv, each NUL-terminated; in `strings` */
	size_t cmdline_size;
	const char *environ; /* likewise */
	size_t environ_size;
	bool dumpable;
	uint32_t personality;
	uint32_t oom_score_adj;
};

/*
 * Process 1: ours, without a task or a cell.  It reaps orphans at once and
 * looks like an init in /proc.  Also makes k->pids.  0 or -ENOMEM.
 */
must_check int process_create_init(struct kernel *k);

/* Lets go of process 1 and the numbers; everyone else must have gone. */
void process_destroy_init(struct kernel *k);

/*
 * A child of `parent` without tasks, in its group, with its limits, program and
 * so on.  A reference in *out, which its first task takes over.  0, -EAGAIN,
 * -ENOMEM.
 */
must_check int process_create(struct process *parent, struct process **out);

/* Undoes process_create() of a process that nobody has heard of yet. */
void process_discard(struct process *p);

struct process *process_get(struct process *p);
void process_put(struct process *p);

/* The process whose pid it is, zombies included, or NULL.  Borrowed. */
struct process *process_find(struct kernel *k, int32_t pid);

/* The process group, or NULL.  Borrowed. */
struct pgrp *process_group_find(struct kernel *k, int32_t pgid);

/*
 * Ends every task with this wait status.  Safe to call twice.  If a handler of
 * one of its tasks is running, that happens when it returns.
 */
void process_kill(struct process *p, uint32_t wait_status);

/*
 * May the task look into the process: ptrace(2) has the rules, under "Ptrace
 * access mode checking".  `real`: by its real ids, not those for files.
 */
bool process_may_inspect(const struct task *by, const struct process *p,
                         bool real);

/* Credentials of the process, also of a zombie.  Borrowed. */
const struct cred *process_cred(const struct process *p);

/* The dispositions of the process, or NULL if no task lives.  Borrowed. */
struct sighand *process_sighand(const struct process *p);

/*
 * Tells the parent that a child stopped, went on or ended: `code` is CLD_*.
 */
void process_notify(struct process *p, int code);

/* The parent has waited for a zombie: forgets it. */
void process_reap(struct process *p);

/* Replaces the running program's file, or drops it (NULL).  Takes over `f`. */
void process_set_exe(struct process *p, struct file *f);

/* Replaces the strings.  Takes over a reference; accepts NULL. */
void process_set_strings(struct process *p, struct process_strings *s);
void process_put_strings(struct kernel *k, struct process_strings *s);

/* All tasks of all processes go on where a stop held them. */
void process_continue(struct process *p);

/* Stops: running tasks are made to come in, and no handler runs. */
void process_stop(struct process *p, int sig);

/*
 * Called when the last task has gone: becomes a zombie, children go to the
 * reaper, the parent hears of it.
 */
void process_gone(struct process *p);

/* CPU time used so far, the living included. */
void process_usage(struct process *p, struct usage *out);

/*
 * Adds what the stub says, in arguments 2 to 5 of getrusage(2) and
 * exit_group(2), that the host counted for its cell.  It is for others to look
 * at only: a cell that lies deceives those who ask about it.
 */
void process_usage_told(struct usage *u, const uint64_t arg[6]);

/* As getrusage(2) tells it. */
void process_rusage(const struct usage *u, abi_rusage *out);

/* Adds `more` to `sum`. */
void process_usage_add(struct usage *sum, const struct usage *more);

/* Walks all processes in order of pid: the first with pid > `after`. */
struct process *process_next(struct kernel *k, int32_t after);
