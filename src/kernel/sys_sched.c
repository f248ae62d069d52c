/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduling.  Threads are the host's to schedule: what is asked for is
 * checked and remembered, and that is all.
 */
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#include "kernel/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/process.h"
#include "kernel/task/session.h"

#define MASK_SIZE       128u /* 1024 CPUs, more than any host here has */
#define SLICE_NS        100000000
#define RT_MAX          99
#define POLICY_BATCH    3
#define POLICY_IDLE     5
#define POLICY_DEADLINE 6

#define ATTR_SIZE 48u /* struct sched_attr, first version */

struct attr {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
};

static struct task *find(struct task *t, int32_t tid)
{
	return tid == 0 ? t : task_find(t->kernel, tid);
}

/*
 * How the task is scheduled, to look at: also that of a zombie, and of process
 * 1, which has no task.  NULL: no such task.
 */
static const struct task_sched *look(struct task *t, int32_t tid)
{
	const struct task *of = find(t, tid);
	const struct process *p = of ? NULL : process_find(t->kernel, tid);

	if (of)
		return &of->sched;
	return p && !p->reaped ? &p->sched : NULL;
}

/* May `t` change how `to` is scheduled? */
static bool may_change(const struct task *t, const struct task *to)
{
	return t->cred->euid == to->cred->euid ||
	       t->cred->euid == to->cred->uid ||
	       cred_capable(t->cred, CRED_CAP_SYS_NICE);
}

/* CPUs. */

/* Those of the host that we may use. */
static size_t host_cpus(uint8_t mask[MASK_SIZE])
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		CPU_SET(0, &set);
	memcpy(mask, &set, MASK_SIZE);
	for (size_t i = MASK_SIZE; i > 8; i -= 8) {
		for (size_t j = i - 8; j < i; j++)
			if (mask[j])
				return i;
	}
	return 8;
}

long sys_sched_getaffinity(struct task *t,
                           const struct args_sched_getaffinity *a)
{
	const struct task_sched *of = look(t, a->pid);
	uint8_t mask[MASK_SIZE];
	size_t size = host_cpus(mask);

	if (a->size < size || (a->size & 7))
		return -EINVAL;
	if (!of)
		return -ESRCH;
	if (of->affinity != 0) {
		for (size_t i = 0; i < 8; i++)
			mask[i] &= (uint8_t)(of->affinity >> 8 * i);
		memset(mask + 8, 0, MASK_SIZE - 8);
	}
	if (user_write(t, a->mask, mask, size) < 0)
		return -EFAULT;
	return (long)size;
}

long sys_sched_setaffinity(struct task *t,
                           const struct args_sched_setaffinity *a)
{
	struct task *of = find(t, a->pid);
	uint8_t mask[MASK_SIZE] = {0};
	uint8_t host[MASK_SIZE];
	uint64_t wanted = 0;
	bool any = false;

	if (user_read(t, a->mask, mask, MIN(a->size, MASK_SIZE)) < 0)
		return -EFAULT;
	if (!of)
		return -ESRCH;
	if (!may_change(t, of))
		return -EPERM;
	(void)host_cpus(host);
	for (size_t i = 0; i < MASK_SIZE; i++) {
		any |= (mask[i] & host[i]) != 0;
		if (i < 8)
			wanted |= (uint64_t)(mask[i] & host[i]) << 8 * i;
	}
	if (!any)
		return -EINVAL;
	of->sched.affinity = wanted;
	return 0;
}

long sys_getcpu(struct task *t, const struct args_getcpu *a)
{
	static const uint32_t zero;

	if (a->cpu.raw && user_write(t, a->cpu, &zero, sizeof(zero)) < 0)
		return -EFAULT;
	if (a->node.raw && user_write(t, a->node, &zero, sizeof(zero)) < 0)
		return -EFAULT;
	return 0;
}

/* Policies. */

static bool is_rt(uint32_t policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static long check_policy(uint32_t policy, uint32_t priority)
{
	if (is_rt(policy))
		return priority >= 1 && priority <= RT_MAX ? 0 : -EINVAL;
	if (policy != SCHED_OTHER && policy != POLICY_BATCH &&
	    policy != POLICY_IDLE)
		return -EINVAL;
	return priority == 0 ? 0 : -EINVAL;
}

static long set_policy(struct task *t, int32_t tid, uint32_t policy,
                       uint32_t priority)
{
	struct task *of = find(t, tid);
	long err = check_policy(policy, priority);

	if (err < 0)
		return err;
	if (!of)
		return -ESRCH;
	if (!may_change(t, of))
		return -EPERM;
	if (is_rt(policy) && !cred_capable(t->cred, CRED_CAP_SYS_NICE) &&
	    priority > of->process->rlimit[RLIMIT_RTPRIO].cur)
		return -EPERM;
	of->sched.policy = policy;
	of->sched.rt_priority = priority;
	return 0;
}

long sys_sched_setscheduler(struct task *t,
                            const struct args_sched_setscheduler *a)
{
	uint32_t policy = (uint32_t)a->policy & ~(uint32_t)SCHED_RESET_ON_FORK;
	uint32_t priority;

	if (a->pid < 0 || a->policy < 0 || a->param.raw == 0)
		return -EINVAL;
	if (user_read(t, a->param, &priority, sizeof(priority)) < 0)
		return -EFAULT;
	return set_policy(t, a->pid, policy, priority);
}

long sys_sched_getscheduler(struct task *t,
                            const struct args_sched_getscheduler *a)
{
	const struct task_sched *of = look(t, a->pid);

	if (a->pid < 0)
		return -EINVAL;
	return of ? (long)of->policy : -ESRCH;
}

long sys_sched_setparam(struct task *t, const struct args_sched_setparam *a)
{
	const struct task *of = find(t, a->pid);
	uint32_t priority;

	if (a->pid < 0 || a->param.raw == 0)
		return -EINVAL;
	if (user_read(t, a->param, &priority, sizeof(priority)) < 0)
		return -EFAULT;
	return of ? set_policy(t, a->pid, of->sched.policy, priority) : -ESRCH;
}

long sys_sched_getparam(struct task *t, const struct args_sched_getparam *a)
{
	const struct task_sched *of = look(t, a->pid);

	if (a->pid < 0 || a->param.raw == 0)
		return -EINVAL;
	if (!of)
		return -ESRCH;
	return user_write(t, a->param, &of->rt_priority,
	                  sizeof(of->rt_priority));
}

static bool known(int32_t policy)
{
	return policy >= 0 && policy <= POLICY_DEADLINE && policy != 4;
}

long sys_sched_get_priority_max(struct task *t,
                                const struct args_sched_get_priority_max *a)
{
	(void)t;
	if (!known(a->policy))
		return -EINVAL;
	return is_rt((uint32_t)a->policy) ? RT_MAX : 0;
}

long sys_sched_get_priority_min(struct task *t,
                                const struct args_sched_get_priority_min *a)
{
	(void)t;
	if (!known(a->policy))
		return -EINVAL;
	return is_rt((uint32_t)a->policy);
}

long sys_sched_rr_get_interval(struct task *t,
                               const struct args_sched_rr_get_interval *a)
{
	const struct task_sched *of = look(t, a->pid);
	abi_timespec ts = {0, SLICE_NS};

	if (a->pid < 0)
		return -EINVAL;
	if (!of)
		return -ESRCH;
	if (of->policy == SCHED_FIFO)
		ts.nsec = 0;
	return user_write(t, a->interval, &ts, sizeof(ts));
}

long sys_sched_getattr(struct task *t, const struct args_sched_getattr *a)
{
	const struct task_sched *of = look(t, a->pid);
	struct attr attr = {.size = ATTR_SIZE};

	if (a->pid < 0 || a->flags != 0 || a->size < ATTR_SIZE ||
	    a->size > 4096 || a->attr.raw == 0)
		return -EINVAL;
	if (!of)
		return -ESRCH;
	attr.policy = of->policy;
	attr.priority = of->rt_priority;
	attr.nice = is_rt(of->policy) ? 0 : of->nice;
	return user_write(t, a->attr, &attr, sizeof(attr));
}

static long set_nice(struct task *t, struct task *of, int32_t nice)
{
	uint64_t lowest = of->process->rlimit[RLIMIT_NICE].cur;

	if (!may_change(t, of))
		return -EPERM;
	if (nice < of->sched.nice && (uint64_t)(20 - nice) > lowest &&
	    !cred_capable(t->cred, CRED_CAP_SYS_NICE))
		return -EACCES;
	of->sched.nice = nice;
	return 0;
}

long sys_sched_setattr(struct task *t, const struct args_sched_setattr *a)
{
	struct attr attr = {0};
	struct task *of = find(t, a->pid);
	uint32_t size;
	long err;

	if (a->pid < 0 || a->flags != 0 || a->attr.raw == 0)
		return -EINVAL;
	if (user_read(t, a->attr, &size, sizeof(size)) < 0)
		return -EFAULT;
	if (size != 0 && size < ATTR_SIZE)
		return -E2BIG;
	if (user_read(t, a->attr, &attr, ATTR_SIZE) < 0)
		return -EFAULT;
	err = set_policy(t, a->pid, attr.policy, attr.priority);
	if (err < 0 || is_rt(attr.policy))
		return err;
	return set_nice(t, of, MAX(MIN(attr.nice, 19), -20));
}

/* Nice values: of one, a group, or a user. */

struct whom {
	struct task *t;
	int32_t which;
	uint32_t who;
	struct pgrp *group;
};

static long whom_init(struct whom *w, struct task *t, int32_t which,
                      int32_t who)
{
	*w = (struct whom){t, which, (uint32_t)who, NULL};
	switch (which) {
	case PRIO_PROCESS:
		if (who == 0)
			w->who = (uint32_t)t->tid;
		return 0;
	case PRIO_PGRP:
		w->group = who ? process_group_find(t->kernel, who)
		               : t->process->pgrp;
		return w->group ? 0 : -ESRCH;
	case PRIO_USER:
		if (who == 0)
			w->who = t->cred->uid;
		return 0;
	default:
		return -EINVAL;
	}
}

static bool matches(const struct whom *w, const struct task *t)
{
	switch (w->which) {
	case PRIO_PROCESS:
		return t->tid == (int32_t)w->who;
	case PRIO_PGRP:
		return t->process->pgrp == w->group;
	default:
		return t->cred->uid == w->who;
	}
}

/* The next task that is meant, in order of their numbers. */
static struct task *whom_next(const struct whom *w, int32_t after)
{
	struct process *p = NULL;
	struct task *best = NULL;

	while ((p = process_next(w->t->kernel, p ? p->pid : 0))) {
		list_for_each (at, &p->tasks) {
			struct task *t = list_entry(at, struct task,
			                            in_process);

			if (t->tid > after && matches(w, t) &&
			    (!best || t->tid < best->tid))
				best = t;
		}
	}
	return best;
}

long sys_getpriority(struct task *t, const struct args_getpriority *a)
{
	struct whom w;
	struct task *of = NULL;
	long best = -ESRCH;
	long err = whom_init(&w, t, a->which, a->who);

	if (err < 0)
		return err;
	if (a->which == PRIO_PROCESS) {
		const struct task_sched *one = look(t, (int32_t)w.who);

		return one ? 20 - one->nice : -ESRCH;
	}
	while ((of = whom_next(&w, of ? of->tid : 0)))
		best = MAX(best, 20 - of->sched.nice);
	return best;
}

long sys_setpriority(struct task *t, const struct args_setpriority *a)
{
	int32_t nice = MAX(MIN(a->nice, 19), -20);
	struct whom w;
	struct task *of = NULL;
	long result = -ESRCH;
	long err = whom_init(&w, t, a->which, a->who);

	if (err < 0)
		return err;
	while ((of = whom_next(&w, of ? of->tid : 0))) {
		err = set_nice(t, of, nice);
		if (err < 0)
			result = err;
		else if (result == -ESRCH)
			result = 0;
	}
	return result;
}

/* Priorities of input and output: none, and nothing to remember. */

long sys_ioprio_get(struct task *t, const struct args_ioprio_get *a)
{
	(void)t;
	return a->which >= 1 && a->which <= 3 ? 0 : -EINVAL;
}

long sys_ioprio_set(struct task *t, const struct args_ioprio_set *a)
{
	int32_t class = a->prio >> 13;

	(void)t;
	if (a->which < 1 || a->which > 3 || class < 0 || class > 3)
		return -EINVAL;
	if (class == 1 && !cred_capable(t->cred, CRED_CAP_SYS_ADMIN))
		return -EPERM;
	return 0;
}
