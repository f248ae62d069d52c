/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/stat, statm and status: what ps(1) and top(1) live on.
 */
#include "kernel/fs/proc_status.h"

#include <stdio.h>

#include "kernel/fs/device.h"
#include "kernel/fs/proc_cell.h"
#include "kernel/fs/proc_system.h"
#include "kernel/task/cred.h"
#include "kernel/task/maps.h"
#include "kernel/task/session.h"
#include "kernel/task/signal.h"
#include "kernel/tty/tty.h"

#define TICK_NS  10000000ull /* USER_HZ is 100 */
#define PAGE_KIB 4u

/* All that is told about a process, collected once. */
struct facts {
	struct process *process;
	struct task *task; /* NULL: a zombie, or process 1 */
	const struct cred *cred;
	struct usage usage;
	char state;
	const char *name;
	int32_t nice;
	uint64_t pending, shared_pending, blocked, ignored, caught;
	uint64_t size, resident, shared; /* pages */
};

static char state_of(const struct process *p, const struct task *t)
{
	if (p->zombie)
		return 'Z';
	if (p->stopped)
		return 'T';
	if (!t || t->state == TASK_WAITING)
		return t && t->deep ? 'D' : 'S';
	return 'R';
}

static void collect_signals(struct facts *f)
{
	const struct sighand *h = process_sighand(f->process);

	f->shared_pending = f->process->pending.set;
	if (f->task) {
		f->pending = f->task->pending.set;
		f->blocked = atomic_load_explicit(&f->task->slot->sigmask,
		                                  memory_order_relaxed);
	}
	for (int s = 1; h && s <= SIGNAL_MAX; s++) {
		uint64_t handler = h->action[s].handler;

		if (handler == 1)
			f->ignored |= SIGNAL_BIT(s);
		else if (handler != 0)
			f->caught |= SIGNAL_BIT(s);
	}
}

/* The host's word on its memory; nothing where there is nobody to ask. */
static long collect_memory(const struct pseudo_ctx *c, struct facts *f)
{
	struct text host;
	long err;

	text_init(&host, c->kernel);
	err = proc_cell_read(c, PROC_CELL_STATM, &host);
	if (err == 0) {
		text_add_bytes(&host, "", 1);
		if (!host.failed)
			(void)sscanf(host.bytes, "%lu %lu %lu", &f->size,
			             &f->resident, &f->shared);
	}
	text_fini(&host);
	/* The window to us is not the program's. */
	f->size -= MIN(f->size, CHANNEL_SIZE / 4096);
	return err == -ENOENT ? 0 : err;
}

static long collect(const struct pseudo_ctx *c, struct facts *f)
{
	*f = (struct facts){.process = proc_process_of(c)};
	if (!f->process)
		return -ESRCH;
	f->task = proc_process_task(c);
	if (c->tid && !f->task)
		return -ESRCH;
	f->cred = f->task ? f->task->cred : process_cred(f->process);
	process_usage(f->process, &f->usage);
	f->state = state_of(f->process, f->task);
	f->name = f->task ? f->task->comm : f->process->comm;
	f->nice = f->task ? f->task->sched.nice : f->process->sched.nice;
	collect_signals(f);
	return f->task ? collect_memory(c, f) : 0;
}

static int32_t parent_of(const struct process *p)
{
	return p->parent ? p->parent->pid : 0;
}

long proc_status_stat(const struct pseudo_ctx *c, struct text *out)
{
	struct facts f;
	const struct process *p;
	uint64_t stack, heap;
	const struct session *s;
	int32_t foreground = -1;
	uint64_t tty = 0;
	long err = collect(c, &f);

	if (err < 0)
		return err;
	p = f.process;
	s = p->pgrp ? p->pgrp->session : NULL;
	if (s && s->tty) {
		tty = DEVICE_MAKE(TTY_PTS_MAJOR, s->tty->index);
		if (s->tty->foreground)
			foreground = s->tty->foreground->id;
	}
	text_add(out, "%d (%s) %c %d %d %d %d %d ", c->tid ? c->tid : p->pid,
	         f.name, f.state, parent_of(p), p->pgrp ? p->pgrp->id : 0,
	         s ? s->id : 0, (int)tty, foreground);
	text_add(out, "4194304 %llu %llu %llu %llu %llu %llu %llu %llu ",
	         (unsigned long long)f.usage.minflt,
	         (unsigned long long)p->children_usage.minflt,
	         (unsigned long long)f.usage.majflt,
	         (unsigned long long)p->children_usage.majflt,
	         (unsigned long long)(f.usage.utime_ns / TICK_NS),
	         (unsigned long long)(f.usage.stime_ns / TICK_NS),
	         (unsigned long long)(p->children_usage.utime_ns / TICK_NS),
	         (unsigned long long)(p->children_usage.stime_ns / TICK_NS));
	text_add(out, "%d %d %u 0 %llu %llu %llu %llu ", 20 + f.nice, f.nice,
	         p->task_count,
	         (unsigned long long)((p->start_ns -
	                               MIN(p->start_ns, c->kernel->boot_ns)) /
	                              TICK_NS),
	         (unsigned long long)f.size * 4096,
	         (unsigned long long)f.resident,
	         (unsigned long long)p->rlimit[5].cur);
	maps_places(p, &stack, &heap);
	text_add(out, "0 0 %llu 0 0 %llu %llu %llu %llu 0 0 0 %d 0 0 0 0 0 0 ",
	         (unsigned long long)stack,
	         (unsigned long long)(f.pending & 0x7fffffff),
	         (unsigned long long)(f.blocked & 0x7fffffff),
	         (unsigned long long)(f.ignored & 0x7fffffff),
	         (unsigned long long)(f.caught & 0x7fffffff), p->exit_signal);
	text_add(out, "0 0 %llu 0 0 0 0 %u\n", (unsigned long long)heap,
	         p->zombie ? p->status : 0);
	return 0;
}

long proc_status_statm(const struct pseudo_ctx *c, struct text *out)
{
	struct facts f;
	long err = collect(c, &f);

	if (err < 0)
		return err;
	text_add(out, "%lu %lu %lu 1 0 %lu 0\n", f.size, f.resident, f.shared,
	         f.resident - MIN(f.resident, f.shared));
	return 0;
}

static const char *state_name(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'D':
		return "disk sleep";
	case 'T':
		return "stopped";
	case 'Z':
		return "zombie";
	default:
		return "sleeping";
	}
}

static void add_ids(struct text *out, const struct facts *f,
                    const struct pseudo_ctx *c)
{
	static const struct cred nobody;
	const struct cred *cr = f->cred ? f->cred : &nobody;
	const struct process *p = f->process;
	int32_t id = c->tid ? c->tid : p->pid;
	int32_t group = p->pgrp ? p->pgrp->id : 0;

	text_add(out, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\n", p->pid, id,
	         parent_of(p));
	text_add(out, "TracerPid:\t0\nUid:\t%u\t%u\t%u\t%u\n", cr->uid,
	         cr->euid, cr->suid, cr->fsuid);
	text_add(out, "Gid:\t%u\t%u\t%u\t%u\nFDSize:\t64\nGroups:\t", cr->gid,
	         cr->egid, cr->sgid, cr->fsgid);
	for (uint32_t i = 0; i < cr->group_count; i++)
		text_add(out, "%u ", cr->groups[i]);
	text_add(out, "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n",
	         p->pid, id, group,
	         p->pgrp && p->pgrp->session ? p->pgrp->session->id : 0);
	text_add(out, "Kthread:\t0\n");
}

static void add_memory(struct text *out, const struct facts *f)
{
	uint64_t anonymous = f->resident - MIN(f->resident, f->shared);
	const struct {
		const char *name;
		uint64_t pages;
	} rows[] = {
		{"VmPeak", f->size},    {"VmSize", f->size},
		{"VmLck", 0},           {"VmPin", 0},
		{"VmHWM", f->resident}, {"VmRSS", f->resident},
		{"RssAnon", anonymous}, {"RssFile", f->shared},
		{"RssShmem", 0},        {"VmData", anonymous},
		{"VmStk", 33},          {"VmExe", 1},
		{"VmLib", f->shared},   {"VmPTE", 10},
		{"VmSwap", 0},          {"HugetlbPages", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		text_add(out, "%s:\t%8lu kB\n", rows[i].name,
		         rows[i].pages * PAGE_KIB);
	text_add(out, "CoreDumping:\t0\nTHP_enabled:\t1\n"
	              "untag_mask:\t0xffffffffffffffff\n");
}

static void add_rights(struct text *out, const struct facts *f)
{
	static const struct cred nobody;
	const struct cred *cr = f->cred ? f->cred : &nobody;
	const struct {
		const char *name;
		uint64_t set;
	} rows[] = {
		{"SigPnd", f->pending},        {"ShdPnd", f->shared_pending},
		{"SigBlk", f->blocked},        {"SigIgn", f->ignored},
		{"SigCgt", f->caught},         {"CapInh", cr->cap_inheritable},
		{"CapPrm", cr->cap_permitted}, {"CapEff", cr->cap_effective},
		{"CapBnd", cr->cap_bounding},  {"CapAmb", cr->cap_ambient},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		text_add(out, "%s:\t%016llx\n", rows[i].name,
		         (unsigned long long)rows[i].set);
	text_add(out, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n",
	         f->task ? f->task->no_new_privs : 0);
}

/* A line break in a name must not begin a line. */
static void add_name(struct text *out, const char *name)
{
	for (; *name; name++) {
		if (*name == '\n')
			text_add(out, "\\n");
		else if (*name == '\\')
			text_add(out, "\\\\");
		else
			text_add_bytes(out, name, 1);
	}
}

long proc_status_status(const struct pseudo_ctx *c, struct text *out)
{
	unsigned cpus = proc_system_cpus();
	struct facts f;
	long err = collect(c, &f);

	if (err < 0)
		return err;
	text_add(out, "Name:\t");
	add_name(out, f.name);
	text_add(out, "\nUmask:\t%04o\nState:\t%c (%s)\n",
	         f.task && f.task->fs ? f.task->fs->umask : 022, f.state,
	         state_name(f.state));
	add_ids(out, &f, c);
	if (f.task)
		add_memory(out, &f);
	text_add(out, "Threads:\t%u\nSigQ:\t%u/%llu\n", f.process->task_count,
	         f.process->pending.count,
	         (unsigned long long)f.process->rlimit[11].cur);
	add_rights(out, &f);
	text_add(out, "Speculation_Store_Bypass:\tvulnerable\n"
	              "SpeculationIndirectBranch:\talways enabled\n");
	text_add(out, "Cpus_allowed:\t%x\nCpus_allowed_list:\t0-%u\n",
	         cpus >= 32 ? ~0u : (1u << cpus) - 1, cpus - 1);
	text_add(out, "Mems_allowed:\t1\nMems_allowed_list:\t0\n");
	text_add(out,
	         "voluntary_ctxt_switches:\t%llu\n"
	         "nonvoluntary_ctxt_switches:\t%llu\n",
	         (unsigned long long)f.usage.nvcsw,
	         (unsigned long long)f.usage.nivcsw);
	return 0;
}
