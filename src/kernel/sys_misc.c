/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine and its limits.
 */
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "kernel/core/limits.h"
#include "kernel/syscall.h"
#include "kernel/task/cells.h"
#include "kernel/task/clock.h"
#include "kernel/task/cred.h"
#include "kernel/task/itimer.h"
#include "kernel/task/memory.h"
#include "kernel/task/process.h"

#define RANDOM_MAX   33554431ull /* bytes of one call, as random(4) says */
#define RANDOM_FLAGS 7u          /* GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE */
#define PERSONA_ASK  0xffffffffu
#define LOG_CLOSE    0
#define LOG_BUFFER   10
#define NAME_ROOM    64u

long sys_uname(struct task *t, const struct args_uname *a)
{
	abi_utsname u = {
		.sysname = "Linux",
		.release = "6.12.0",
		.version = "#1 SMP PREEMPT_DYNAMIC Bento",
		.machine = "x86_64",
	};

	memcpy(u.nodename, t->kernel->hostname, sizeof(u.nodename));
	memcpy(u.domainname, t->kernel->domainname, sizeof(u.domainname));
	return user_write(t, a->name, &u, sizeof(u));
}

static long set_host_name(struct task *t, uaddr_t from, uint64_t size,
                          char to[65])
{
	char name[NAME_ROOM + 1] = {0};

	if (!cred_capable(t->cred, CRED_CAP_SYS_ADMIN))
		return -EPERM;
	if (size > NAME_ROOM)
		return -EINVAL;
	if (user_read(t, from, name, size) < 0)
		return -EFAULT;
	memcpy(to, name, sizeof(name));
	return 0;
}

long sys_sethostname(struct task *t, const struct args_sethostname *a)
{
	return set_host_name(t, a->name, a->size, t->kernel->hostname);
}

long sys_setdomainname(struct task *t, const struct args_setdomainname *a)
{
	return set_host_name(t, a->name, a->size, t->kernel->domainname);
}

long sys_sysinfo(struct task *t, const struct args_sysinfo *a)
{
	struct kernel *k = t->kernel;
	const struct limits *l = &k->limits;
	uint64_t all = MAX(l->total, l->memory);
	abi_sysinfo info = {
		.uptime = (int64_t)((timer_now() - k->boot_ns) /
	                            CLOCK_SECOND_NS),
		.totalram = all,
		.freeram = all - MIN(all, memory_used(k)),
		.procs = (uint16_t)MIN(l->tasks_used, UINT16_MAX),
		.mem_unit = 1,
	};

	return user_write(t, a->info, &info, sizeof(info));
}

/* There is no log of the kernel to be read inside. */
long sys_syslog(struct task *t, const struct args_syslog *a)
{
	if (a->type < LOG_CLOSE || a->type > LOG_BUFFER)
		return -EINVAL;
	if (!cred_capable(t->cred, CAP_SYSLOG))
		return -EPERM;
	return a->type == LOG_BUFFER ? 4096 : 0;
}

long sys_personality(struct task *t, const struct args_personality *a)
{
	uint32_t old = t->process->personality;

	if (a->persona != PERSONA_ASK)
		t->process->personality = a->persona;
	return old;
}

long sys_getrandom(struct task *t, const struct args_getrandom *a)
{
	uint8_t *via = t->kernel->scratch;
	uint64_t size = MIN(a->size, RANDOM_MAX);
	uint64_t done = 0;

	if (a->flags & ~RANDOM_FLAGS || (a->flags & 6) == 6)
		return -EINVAL;
	while (done < size) {
		size_t n = MIN(size - done, SCRATCH_SIZE);
		ssize_t got = getrandom(via, n, 0);

		if (got <= 0)
			return -EAGAIN;
		if (user_write(t, uaddr_add(a->buf, done), via, (size_t)got) <
		    0)
			return -EFAULT;
		done += (uint64_t)got;
	}
	return (long)done;
}

/* No filters inside a qube: as in a Linux without CONFIG_SECCOMP. */
long sys_seccomp(struct task *t, const struct args_seccomp *a)
{
	(void)t, (void)a;
	return -ENOSYS;
}

/* Memory is never swapped by our doing: to lock it changes nothing. */

long sys_mlock(struct task *t, const struct args_mlock *a)
{
	(void)t, (void)a;
	return 0;
}

long sys_mlock2(struct task *t, const struct args_mlock2 *a)
{
	(void)t;
	return a->flags > 1 ? -EINVAL : 0;
}

long sys_munlock(struct task *t, const struct args_munlock *a)
{
	(void)t, (void)a;
	return 0;
}

long sys_mlockall(struct task *t, const struct args_mlockall *a)
{
	(void)t;
	return a->flags == 0 || (a->flags & ~7) || a->flags == 4 ? -EINVAL : 0;
}

long sys_munlockall(struct task *t, const struct args_munlockall *a)
{
	(void)t, (void)a;
	return 0;
}

/* Usage and limits. */

long sys_getrusage(struct task *t, const struct args_getrusage *a)
{
	struct usage u;
	abi_rusage r;

	switch (a->who) {
	case RUSAGE_SELF: /* the stub knows RUSAGE_THREAD */
		process_usage(t->process, &u);
		process_usage_told(&u, t->req.arg);
		break;
	case RUSAGE_CHILDREN:
		u = t->process->children_usage;
		break;
	default:
		return -EINVAL;
	}
	process_rusage(&u, &r);
	return user_write(t, a->usage, &r, sizeof(r));
}

static long set_limit(struct task *t, struct process *p, uint32_t resource,
                      const abi_rlimit *new)
{
	abi_rlimit *now = &p->rlimit[resource];

	if (new->cur > new->max)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && new->max > LIMIT_FDS)
		return -EPERM;
	if (new->max > now->max &&
	    !cred_capable(t->cred, CRED_CAP_SYS_RESOURCE))
		return -EPERM;
	*now = *new;
	if (resource == RLIMIT_FSIZE) /* how far a cell may write */
		cells_recall_leases(t->kernel);
	return resource == RLIMIT_CPU ? itimer_watch_limit(p) : 0;
}

static bool may_limit(const struct task *t, const struct process *p)
{
	const struct cred *c = t->cred;
	const struct cred *to = process_cred(p);

	if (p == t->process || cred_capable(c, CRED_CAP_SYS_RESOURCE))
		return true;
	return c->uid == to->uid && c->uid == to->euid && c->uid == to->suid &&
	       c->gid == to->gid && c->gid == to->egid && c->gid == to->sgid;
}

long sys_prlimit64(struct task *t, const struct args_prlimit64 *a)
{
	struct process *p = a->pid ? process_find(t->kernel, a->pid)
	                           : t->process;
	abi_rlimit old, new;

	if (a->resource >= PROCESS_RLIMITS)
		return -EINVAL;
	if (a->new.raw && user_read(t, a->new, &new, sizeof(new)) < 0)
		return -EFAULT;
	if (!p)
		return -ESRCH;
	if (!may_limit(t, p))
		return -EPERM;
	old = p->rlimit[a->resource];
	if (a->new.raw) {
		long err = set_limit(t, p, a->resource, &new);

		if (err < 0)
			return err;
	}
	if (a->old.raw && user_write(t, a->old, &old, sizeof(old)) < 0)
		return -EFAULT;
	return 0;
}

long sys_getrlimit(struct task *t, const struct args_getrlimit *a)
{
	if (a->resource >= PROCESS_RLIMITS)
		return -EINVAL;
	return user_write(t, a->limit, &t->process->rlimit[a->resource],
	                  sizeof(abi_rlimit));
}

long sys_setrlimit(struct task *t, const struct args_setrlimit *a)
{
	abi_rlimit new;

	if (a->resource >= PROCESS_RLIMITS)
		return -EINVAL;
	if (user_read(t, a->limit, &new, sizeof(new)) < 0)
		return -EFAULT;
	return set_limit(t, t->process, a->resource, &new);
}
