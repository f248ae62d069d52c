/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/proc_system.h"

#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kernel/core/timer.h"
#include "kernel/fs/fd.h"
#include "kernel/fs/lock.h"
#include "kernel/fs/world.h"
#include "kernel/task/memory.h"
#include "kernel/task/pid.h"
#include "kernel/task/process.h"

#define SECOND_NS 1000000000ull
#define TICK_NS   10000000ull /* USER_HZ is 100 */

unsigned proc_system_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (unsigned)MAX(CPU_COUNT(&set), 1);
}

long proc_system_consoles(const struct pseudo_ctx *c, struct text *out)
{
	if (c->kernel->console)
		text_add(out, "pts0                 -W- (EC p  )  136:0\n");
	return 0;
}

long proc_system_cpuinfo(const struct pseudo_ctx *c, struct text *out)
{
	const struct world *w = c->kernel->world;

	if (w->cpuinfo)
		text_add_bytes(out, w->cpuinfo, w->cpuinfo_size);
	return 0;
}

long proc_system_devices(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "Character devices:\n  1 mem\n  5 /dev/tty\n"
	              "  5 /dev/console\n  5 /dev/ptmx\n136 pts\n\n"
	              "Block devices:\n");
	return 0;
}

long proc_system_filesystems(const struct pseudo_ctx *c, struct text *out)
{
	static const char *const names[] = {
		"sysfs",  "tmpfs",  "proc",   "devtmpfs", "sockfs",
		"pipefs", "devpts", "mqueue", "overlay",  "hostfs",
	};

	(void)c;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		text_add(out, "nodev\t%s\n", names[i]);
	return 0;
}

/* Tasks that run or could, and all of them. */
static void count_tasks(struct kernel *k, unsigned *running, unsigned *all,
                        unsigned *blocked)
{
	*running = *all = *blocked = 0;
	for (struct process *p = process_next(k, 0); p;
	     p = process_next(k, p->pid)) {
		list_for_each (at, &p->tasks) {
			struct task *t = list_entry(at, struct task,
			                            in_process);

			(*all)++;
			if (t->state != TASK_WAITING)
				(*running)++;
			else if (t->deep)
				(*blocked)++;
		}
	}
}

long proc_system_loadavg(const struct pseudo_ctx *c, struct text *out)
{
	unsigned running, all, blocked;

	count_tasks(c->kernel, &running, &all, &blocked);
	text_add(out, "0.00 0.00 0.00 %u/%u %d\n", running, all,
	         c->kernel->pids->last);
	return 0;
}

/* Locks are found through the open files that hold them. */
static void add_locks(struct text *out, const struct inode *i, unsigned *number)
{
	struct lock_info l;

	for (size_t n = 0; lock_info(i, n, &l); n++) {
		text_add(out, "%u: %s  ADVISORY  %s %d %02x:%02x:%llu %llu ",
		         ++*number, l.kind, l.exclusive ? "WRITE" : "READ ",
		         l.pid, (unsigned)(i->sb->dev >> 8),
		         (unsigned)(i->sb->dev & 0xff),
		         (unsigned long long)i->ino,
		         (unsigned long long)l.first);
		if (l.last >= (uint64_t)INT64_MAX)
			text_add(out, "EOF\n");
		else
			text_add(out, "%llu\n", (unsigned long long)l.last);
	}
}

/* Has an earlier descriptor or process shown this inode? */
static bool seen_before(struct kernel *k, const struct process *p, int32_t fd,
                        const struct inode *i)
{
	for (struct process *q = process_next(k, 0); q;
	     q = process_next(k, q->pid)) {
		int32_t at = -1;

		if (!q->leader || !q->leader->fds)
			continue;
		while ((at = fd_next(q->leader->fds, at + 1)) >= 0) {
			struct file *f = fd_peek(q->leader->fds, at);

			if (q == p && at == fd)
				return false;
			if (f && f->inode == i)
				return true;
		}
	}
	return false;
}

long proc_system_locks(const struct pseudo_ctx *c, struct text *out)
{
	unsigned number = 0;

	for (struct process *p = process_next(c->kernel, 0); p;
	     p = process_next(c->kernel, p->pid)) {
		int32_t fd = -1;

		if (!p->leader || !p->leader->fds)
			continue;
		while ((fd = fd_next(p->leader->fds, fd + 1)) >= 0) {
			struct file *f = fd_peek(p->leader->fds, fd);

			if (f && f->inode && !list_empty(&f->inode->locks) &&
			    !seen_before(c->kernel, p, fd, f->inode))
				add_locks(out, f->inode, &number);
		}
	}
	return 0;
}

long proc_system_meminfo(const struct pseudo_ctx *c, struct text *out)
{
	const struct limits *l = &c->kernel->limits;
	uint64_t all = MAX(l->total, l->memory) / 1024;
	/* What is the kernel's own is files, most of it. */
	uint64_t files = l->memory_used / 1024;
	uint64_t used = memory_used(c->kernel) / 1024;
	uint64_t anon = used - MIN(used, files);
	uint64_t left = all - MIN(all, used);
	const struct {
		const char *name;
		uint64_t kib;
	} rows[] = {
		{"MemTotal", all},
		{"MemFree", left},
		{"MemAvailable", left},
		{"Buffers", 0},
		{"Cached", files},
		{"SwapCached", 0},
		{"Active", used},
		{"Inactive", 0},
		{"Active(anon)", used},
		{"Inactive(anon)", 0},
		{"Active(file)", 0},
		{"Inactive(file)", 0},
		{"Unevictable", 0},
		{"Mlocked", 0},
		{"SwapTotal", 0},
		{"SwapFree", 0},
		{"Dirty", 0},
		{"Writeback", 0},
		{"AnonPages", anon},
		{"Mapped", 0},
		{"Shmem", files},
		{"KReclaimable", 0},
		{"Slab", 0},
		{"SReclaimable", 0},
		{"SUnreclaim", 0},
		{"KernelStack", 0},
		{"PageTables", 0},
		{"NFS_Unstable", 0},
		{"Bounce", 0},
		{"WritebackTmp", 0},
		{"CommitLimit", all},
		{"Committed_AS", used},
		{"VmallocTotal", 34359738367},
		{"VmallocUsed", 0},
		{"VmallocChunk", 0},
		{"Percpu", 0},
		{"AnonHugePages", 0},
		{"ShmemHugePages", 0},
		{"ShmemPmdMapped", 0},
		{"FileHugePages", 0},
		{"FilePmdMapped", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		text_add(out, "%s:%*llu kB\n", rows[i].name,
		         (int)(23 - __builtin_strlen(rows[i].name)),
		         (unsigned long long)rows[i].kib);
	text_add(out, "HugePages_Total:       0\nHugePages_Free:        0\n"
	              "HugePages_Rsvd:        0\nHugePages_Surp:        0\n"
	              "Hugepagesize:       2048 kB\n"
	              "Hugetlb:               0 kB\n"
	              "DirectMap4k:           0 kB\n");
	return 0;
}

long proc_system_partitions(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "major minor  #blocks  name\n\n");
	return 0;
}

static uint64_t up_ns(const struct kernel *k)
{
	return timer_now() - k->boot_ns;
}

/* CPU time of everything that lives, and idle time of all CPUs. */
static void cpu_times(struct kernel *k, uint64_t *user, uint64_t *sys,
                      uint64_t *idle)
{
	uint64_t all = up_ns(k) * proc_system_cpus();

	*user = *sys = 0;
	for (struct process *p = process_next(k, 0); p;
	     p = process_next(k, p->pid)) {
		struct usage u;

		process_usage(p, &u);
		*user += u.utime_ns;
		*sys += u.stime_ns;
	}
	*idle = all - MIN(all, *user + *sys);
}

static void add_cpu(struct text *out, const char *name, uint64_t user,
                    uint64_t sys, uint64_t idle)
{
	text_add(out, "%s %llu 0 %llu %llu 0 0 0 0 0 0\n", name,
	         (unsigned long long)(user / TICK_NS),
	         (unsigned long long)(sys / TICK_NS),
	         (unsigned long long)(idle / TICK_NS));
}

long proc_system_stat(const struct pseudo_ctx *c, struct text *out)
{
	unsigned cpus = proc_system_cpus();
	unsigned running, all, blocked;
	uint64_t user, sys, idle;

	cpu_times(c->kernel, &user, &sys, &idle);
	count_tasks(c->kernel, &running, &all, &blocked);
	add_cpu(out, "cpu ", user, sys, idle);
	for (unsigned i = 0; i < cpus; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "cpu%u", i);
		add_cpu(out, name, user / cpus, sys / cpus, idle / cpus);
	}
	text_add(out, "intr 0\nctxt 0\nbtime %llu\nprocesses %d\n",
	         (unsigned long long)c->kernel->world->boot_time,
	         c->kernel->pids->last);
	text_add(out, "procs_running %u\nprocs_blocked %u\n", running, blocked);
	text_add(out, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
	return 0;
}

long proc_system_uptime(const struct pseudo_ctx *c, struct text *out)
{
	uint64_t up = up_ns(c->kernel);
	uint64_t user, sys, idle;

	cpu_times(c->kernel, &user, &sys, &idle);
	text_add(out, "%llu.%02llu %llu.%02llu\n",
	         (unsigned long long)(up / SECOND_NS),
	         (unsigned long long)(up % SECOND_NS / TICK_NS),
	         (unsigned long long)(idle / SECOND_NS),
	         (unsigned long long)(idle % SECOND_NS / TICK_NS));
	return 0;
}

long proc_system_vmstat(const struct pseudo_ctx *c, struct text *out)
{
	const struct limits *l = &c->kernel->limits;
	uint64_t left = l->memory - MIN(l->memory, l->memory_used);

	text_add(out, "nr_free_pages %llu\nnr_shmem %llu\n",
	         (unsigned long long)(left / 4096),
	         (unsigned long long)(l->memory_used / 4096));
	text_add(out, "nr_dirty 0\nnr_writeback 0\npgpgin 0\npgpgout 0\n"
	              "pswpin 0\npswpout 0\npgfault 0\npgmajfault 0\n"
	              "oom_kill 0\n");
	return 0;
}
