/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/proc_process.h"

#include <stdio.h>
#include <string.h>

#include "kernel/fs/fd.h"
#include "kernel/task/cred.h"
#include "kernel/task/signal.h"

struct process *proc_process_of(const struct pseudo_ctx *c)
{
	return process_find(c->kernel, c->pid);
}

struct task *proc_process_task(const struct pseudo_ctx *c)
{
	struct process *p = proc_process_of(c);
	struct task *t;

	if (!p)
		return NULL;
	if (c->tid) {
		t = task_find(c->kernel, c->tid);
		return t && t->process == p ? t : NULL;
	}
	if (p->leader)
		return p->leader;
	if (list_empty(&p->tasks))
		return NULL;
	return list_first(&p->tasks, struct task, in_process);
}

long proc_process_inspect(const struct pseudo_ctx *c)
{
	const struct process *p = proc_process_of(c);

	if (!p)
		return -ESRCH;
	return !c->task || process_may_inspect(c->task, p, false) ? 0 : -EACCES;
}

long proc_process_empty(const struct pseudo_ctx *c, struct text *out)
{
	(void)out;
	return proc_process_inspect(c);
}

long proc_process_autogroup(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "/autogroup-1 nice 0\n");
	return 0;
}

/* Accepted and without effect. */
static long ignore(struct span text)
{
	(void)text;
	return 0;
}

long proc_process_set_autogroup(const struct pseudo_ctx *c, struct span text)
{
	(void)c;
	return ignore(text);
}

long proc_process_cgroup(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "0::/\n");
	return 0;
}

long proc_process_cmdline(const struct pseudo_ctx *c, struct text *out)
{
	const struct process *p = proc_process_of(c);

	if (!p)
		return -ESRCH;
	text_add_bytes(out, p->cmdline, p->cmdline ? p->cmdline_size : 0);
	return 0;
}

long proc_process_environ(const struct pseudo_ctx *c, struct text *out)
{
	const struct process *p = proc_process_of(c);
	long err = proc_process_inspect(c);

	if (err < 0)
		return err;
	text_add_bytes(out, p->environ, p->environ ? p->environ_size : 0);
	return 0;
}

long proc_process_comm(const struct pseudo_ctx *c, struct text *out)
{
	const struct process *p = proc_process_of(c);
	const struct task *t = proc_process_task(c);

	if (!p)
		return -ESRCH;
	text_add(out, "%s\n", t ? t->comm : p->comm);
	return 0;
}

long proc_process_set_comm(const struct pseudo_ctx *c, struct span text)
{
	struct task *t = proc_process_task(c);
	size_t size = MIN(text.size, sizeof(t->comm) - 1);

	if (!t)
		return -ESRCH;
	if (c->task && c->task->process != t->process)
		return -EINVAL;
	memcpy(t->comm, text.at, size);
	memset(t->comm + size, 0, sizeof(t->comm) - size);
	if (size > 0 && t->comm[size - 1] == '\n')
		t->comm[size - 1] = '\0';
	return 0;
}

long proc_process_coredump_filter(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "00000033\n");
	return 0;
}

long proc_process_set_coredump_filter(const struct pseudo_ctx *c,
                                      struct span text)
{
	(void)c;
	return ignore(text);
}

long proc_process_cpuset(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "/\n");
	return 0;
}

long proc_process_id_map(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "%10u %10u %10u\n", 0, 0, 4294967295u);
	return 0;
}

long proc_process_set_id_map(const struct pseudo_ctx *c, struct span text)
{
	(void)c, (void)text;
	return -EPERM;
}

long proc_process_setgroups(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "allow\n");
	return 0;
}

long proc_process_set_setgroups(const struct pseudo_ctx *c, struct span text)
{
	(void)c, (void)text;
	return -EPERM;
}

long proc_process_io(const struct pseudo_ctx *c, struct text *out)
{
	const struct process *p = proc_process_of(c);
	long err = proc_process_inspect(c);

	if (err < 0)
		return err;
	text_add(out,
	         "rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\n"
	         "read_bytes: 0\nwrite_bytes: 0\n"
	         "cancelled_write_bytes: 0\n",
	         (unsigned long long)p->io.rchar,
	         (unsigned long long)p->io.wchar,
	         (unsigned long long)p->io.syscr,
	         (unsigned long long)p->io.syscw);
	return 0;
}

long proc_process_loginuid(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "4294967295");
	return 0;
}

long proc_process_set_loginuid(const struct pseudo_ctx *c, struct span text)
{
	(void)c;
	return ignore(text);
}

long proc_process_sessionid(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "4294967295");
	return 0;
}

static long parse(struct span text, int32_t *out)
{
	char number[16];
	char *end;
	long v;

	if (text.size == 0 || text.size >= sizeof(number))
		return -EINVAL;
	memcpy(number, text.at, text.size);
	number[text.size] = '\0';
	v = strtol(number, &end, 10);
	while (*end == '\n' || *end == ' ')
		end++;
	if (end == number || *end != '\0' || v < INT32_MIN || v > INT32_MAX)
		return -EINVAL;
	*out = (int32_t)v;
	return 0;
}

static long set_oom(const struct pseudo_ctx *c, int32_t v)
{
	struct process *p = proc_process_of(c);

	if (!p)
		return -ESRCH;
	if (v < -1000 || v > 1000)
		return -EINVAL;
	if (c->task && v < (int32_t)p->oom_score_adj &&
	    !cred_capable(c->task->cred, CRED_CAP_SYS_RESOURCE))
		return -EACCES;
	p->oom_score_adj = (uint32_t)v;
	return 0;
}

long proc_process_oom_score_adj(const struct pseudo_ctx *c, struct text *out)
{
	const struct process *p = proc_process_of(c);

	if (!p)
		return -ESRCH;
	text_add(out, "%d\n", (int32_t)p->oom_score_adj);
	return 0;
}

long proc_process_set_oom_score_adj(const struct pseudo_ctx *c,
                                    struct span text)
{
	int32_t v;
	long err = parse(text, &v);

	return err < 0 ? err : set_oom(c, v);
}

long proc_process_oom_adj(const struct pseudo_ctx *c, struct text *out)
{
	const struct process *p = proc_process_of(c);

	if (!p)
		return -ESRCH;
	text_add(out, "%d\n", (int32_t)p->oom_score_adj * 17 / 1000);
	return 0;
}

long proc_process_set_oom_adj(const struct pseudo_ctx *c, struct span text)
{
	int32_t v;
	long err = parse(text, &v);

	if (err < 0)
		return err;
	if (v < -17 || v > 15)
		return -EINVAL;
	return set_oom(c, v == 15 ? 1000 : v * 1000 / 17);
}

long proc_process_oom_score(const struct pseudo_ctx *c, struct text *out)
{
	const struct process *p = proc_process_of(c);

	if (!p)
		return -ESRCH;
	text_add(out, "%d\n", MAX((int32_t)p->oom_score_adj + 666, 0));
	return 0;
}

long proc_process_personality(const struct pseudo_ctx *c, struct text *out)
{
	const struct process *p = proc_process_of(c);
	long err = proc_process_inspect(c);

	if (err < 0)
		return err;
	text_add(out, "%08x\n", p->personality);
	return 0;
}

long proc_process_sched(const struct pseudo_ctx *c, struct text *out)
{
	const struct task *t = proc_process_task(c);

	if (!t)
		return -ESRCH;
	text_add(out, "%s (%d, #threads: %u)\n", t->comm, t->tid,
	         t->process->task_count);
	return 0;
}

long proc_process_schedstat(const struct pseudo_ctx *c, struct text *out)
{
	struct process *p = proc_process_of(c);
	struct usage u;

	if (!p)
		return -ESRCH;
	process_usage(p, &u);
	text_add(out, "%llu 0 0\n",
	         (unsigned long long)(u.utime_ns + u.stime_ns));
	return 0;
}

long proc_process_syscall(const struct pseudo_ctx *c, struct text *out)
{
	const struct task *t = proc_process_task(c);
	long err = proc_process_inspect(c);

	if (err < 0)
		return err;
	if (!t || !t->in_call)
		text_add(out, "running\n");
	else
		text_add(out,
		         "%u 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx"
		         " 0x0 0x0\n",
		         t->req.nr, (unsigned long long)t->req.arg[0],
		         (unsigned long long)t->req.arg[1],
		         (unsigned long long)t->req.arg[2],
		         (unsigned long long)t->req.arg[3],
		         (unsigned long long)t->req.arg[4],
		         (unsigned long long)t->req.arg[5]);
	return 0;
}

long proc_process_timerslack(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "50000\n");
	return 0;
}

long proc_process_wchan(const struct pseudo_ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "0");
	return 0;
}

static void add_limit(struct text *out, uint64_t v)
{
	if (v == UINT64_MAX)
		text_add(out, "%-20s ", "unlimited");
	else
		text_add(out, "%-20llu ", (unsigned long long)v);
}

long proc_process_limits(const struct pseudo_ctx *c, struct text *out)
{
	static const struct {
		const char *name;
		const char *unit;
	} rows[PROCESS_RLIMITS] = {
		{"Max cpu time", "seconds"},
		{"Max file size", "bytes"},
		{"Max data size", "bytes"},
		{"Max stack size", "bytes"},
		{"Max core file size", "bytes"},
		{"Max resident set", "bytes"},
		{"Max processes", "processes"},
		{"Max open files", "files"},
		{"Max locked memory", "bytes"},
		{"Max address space", "bytes"},
		{"Max file locks", "locks"},
		{"Max pending signals", "signals"},
		{"Max msgqueue size", "bytes"},
		{"Max nice priority", ""},
		{"Max realtime priority", ""},
		{"Max realtime timeout", "us"},
	};
	const struct process *p = proc_process_of(c);

	if (!p)
		return -ESRCH;
	text_add(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit",
	         "Hard Limit", "Units");
	for (size_t i = 0; i < PROCESS_RLIMITS; i++) {
		text_add(out, "%-25s ", rows[i].name);
		add_limit(out, p->rlimit[i].cur);
		add_limit(out, p->rlimit[i].max);
		text_add(out, "%-10s\n", rows[i].unit);
	}
	return 0;
}
