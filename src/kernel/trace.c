/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is written when a call is answered, whole: what it was asked and what
 * came of it.  Calls that are never answered (exit, a successful exec) are
 * told when they arrive.
 */
#include "kernel/trace.h"

#include <linux/fcntl.h>
#include <stdio.h>
#include <string.h>

#include "kernel/ops.h"
#include "kernel/syscall.h"
#include "kernel/task/process.h"
#include "kernel/tracetext.h"

#define CALLS 512u /* numbers of system calls end below */

struct trace {
	int fd; /* borrowed */
	uint8_t wanted[CALLS / 8];
	uint8_t told[CALLS / 8]; /* as unsupported */
};

enum param_kind {
	END,
	VALUE,
	FLAGS,
	BYTES_IN,
	BYTES_OUT,
	RECORD,
	RECORD_OUT,
	PATH,
	ADDRESS,
};

struct param {
	enum param_kind kind;
	const char *type;
	const char *name;
	const char *len; /* the argument that says how much */
};

#define VAL(type, name)         {VALUE, #type, #name, NULL},
#define FLAGS(name, mask)       {FLAGS, "uint", #name, NULL},
#define IN(name, len)           {BYTES_IN, "", #name, #len},
#define OUT(name, len)          {BYTES_OUT, "", #name, #len},
#define INS(name, type, count)  {RECORD, #type, #name, #count},
#define OUTS(name, type, count) {RECORD_OUT, #type, #name, #count},
#define IOS(name, type, count)  {RECORD, #type, #name, #count},
#define INREC(name, type)       {RECORD, #type, #name, NULL},
#define OUTREC(name, type)      {RECORD_OUT, #type, #name, NULL},
#define IOREC(name, type)       {RECORD, #type, #name, NULL},
#define PATH(name)              {PATH, "", #name, NULL},
#define ADDR(name)              {ADDRESS, "", #name, NULL},
#define NONE
#define SYSCALL(nr, name, where, args) \
	static const struct param params_##name[] = {args{END, 0, 0, 0}};
#include "channel/syscalls.def"

#define SYSCALL(nr, name, where, args) [nr] = params_##name,
static const struct param *const params[] = {
#include "channel/syscalls.def"
};

static bool has(const uint8_t set[static CALLS / 8], uint32_t nr)
{
	return nr < CALLS && set[nr / 8] & 1u << nr % 8;
}

static void add(uint8_t set[static CALLS / 8], uint32_t nr)
{
	set[nr / 8] = (uint8_t)(set[nr / 8] | 1u << nr % 8);
}

/* The number of the call with that name, or CALLS. */
static uint32_t number(const char *name, size_t len)
{
	uint32_t nr = 0;

	while (nr < CALLS) {
		const char *n = syscall_name(nr);

		if (n && strlen(n) == len && memcmp(n, name, len) == 0)
			break;
		nr++;
	}
	return nr;
}

static int choose(struct trace *tr, const char *calls)
{
	if (!calls) {
		memset(tr->wanted, 0xff, sizeof(tr->wanted));
		return 0;
	}
	while (*calls) {
		size_t len = strcspn(calls, ",");
		uint32_t nr = number(calls, len);

		if (nr == CALLS)
			return -EINVAL;
		add(tr->wanted, nr);
		calls += len;
		calls += *calls == ',';
	}
	return 0;
}

int trace_start(struct kernel *k, int fd, const char *calls)
{
	struct trace *tr = calloc(1, sizeof(*tr));
	int err;

	if (!tr)
		return -ENOMEM;
	tr->fd = fd;
	err = choose(tr, calls);
	if (err < 0) {
		free(tr);
		return err;
	}
	k->trace = tr;
	return 0;
}

void trace_stop(struct kernel *k)
{
	free(k->trace);
	k->trace = NULL;
}

/* ---- one line ---- */

static uint64_t length(const struct param *all, const struct task *t,
                       const char *name)
{
	for (unsigned i = 0; name && all[i].kind != END; i++)
		if (strcmp(all[i].name, name) == 0)
			return t->req.arg[i];
	return 1;
}

static void show_value(struct tracetext *x, const char *call,
                       const struct param *p, uint64_t v)
{
	if (tracetext_named(x, call, p->name, v))
		return;
	if (strcmp(p->type, "mode") == 0)
		tracetext_add(x, "0%o", (uint32_t)v);
	else if (strcmp(p->type, "fd") == 0 && (int32_t)v == AT_FDCWD)
		tracetext_add(x, "AT_FDCWD");
	else if (strcmp(p->type, "fd") == 0 || strcmp(p->type, "int") == 0)
		tracetext_add(x, "%d", (int32_t)v);
	else if (strcmp(p->type, "uint") == 0)
		tracetext_add(x, "%u", (uint32_t)v);
	else if (strcmp(p->type, "off") == 0)
		tracetext_add(x, "%lld", (long long)v);
	else
		tracetext_add(x, v > 0xffff ? "0x%llx" : "%llu",
		              (unsigned long long)v);
}

static void show_records(struct tracetext *x, struct task *t,
                         const struct param *p, uaddr_t at, uint64_t count)
{
	/* Of several, the first speaks for all. */
	if (count == 0) {
		tracetext_add(x, "[]");
		return;
	}
	tracetext_record(x, t, p->type, at);
	if (p->len && count > 1)
		tracetext_add(x, "[%llu]", (unsigned long long)count);
}

static void show_param(struct tracetext *x, struct task *t, const char *call,
                       unsigned i, long result)
{
	const struct param *all = params[t->req.nr];
	const struct param *p = &all[i];
	uaddr_t at = {t->req.arg[i]};
	uint64_t count = length(all, t, p->len);

	switch (p->kind) {
	case VALUE:
	case FLAGS:
		show_value(x, call, p, at.raw);
		break;
	case PATH:
		tracetext_path(x, t, at);
		break;
	case BYTES_IN:
		tracetext_bytes(x, t, at, count);
		break;
	case BYTES_OUT:
		if (result >= 0)
			tracetext_bytes(x, t, at, MIN((uint64_t)result, count));
		else
			tracetext_add(x, "0x%llx", (unsigned long long)at.raw);
		break;
	case RECORD:
		show_records(x, t, p, at, count);
		break;
	case RECORD_OUT:
		if (result >= 0 && at.raw)
			show_records(x, t, p, at, count);
		else
			tracetext_add(x, at.raw ? "0x%llx" : "NULL",
			              (unsigned long long)at.raw);
		break;
	case ADDRESS:
	case END:
		tracetext_add(x, at.raw ? "0x%llx" : "NULL",
		              (unsigned long long)at.raw);
		break;
	}
}

static void show_call(struct tracetext *x, struct task *t, long result)
{
	const char *name = syscall_name(t->req.nr);
	const struct param *all = params[t->req.nr];

	tracetext_add(x, "[%d] %s(", t->tid, name);
	for (unsigned i = 0; i < 6 && all[i].kind != END; i++) {
		if (i > 0)
			tracetext_add(x, ", ");
		show_param(x, t, name, i, result);
	}
	tracetext_add(x, ")");
}

/* The calls that reach us as operations of the stub. */
static bool show_op(struct tracetext *x, struct task *t)
{
	switch (t->req.nr) {
	case OP_exec:
		tracetext_add(x, "[%d] execve(", t->tid);
		tracetext_path(x, t, (uaddr_t){t->req.arg[2]});
		tracetext_add(x, ", %u strings, %u variables)",
		              (uint32_t)t->req.arg[4], (uint32_t)t->req.arg[5]);
		return true;
	case OP_fork:
	case OP_thread:
		tracetext_add(x, "[%d] clone(0x%llx)", t->tid,
		              (unsigned long long)t->req.arg[0]);
		return true;
	case OP_vfork:
		tracetext_add(x, "[%d] vfork()", t->tid);
		return true;
	default:
		return false;
	}
}

/* Which call an operation is, for the choice of --trace=CALLS. */
static uint32_t call_number(uint32_t nr)
{
	switch (nr) {
	case OP_exec:
		return number("execve", 6);
	case OP_fork:
	case OP_thread:
		return number("clone", 5);
	case OP_vfork:
		return number("vfork", 5);
	default:
		return nr;
	}
}

static void tell(struct trace *tr, struct tracetext *x)
{
	size_t done = 0;

	x->size = MIN(x->size, sizeof(x->text) - 2);
	x->text[x->size++] = '\n';
	while (done < x->size) {
		ssize_t n = write(tr->fd, x->text + done, x->size - done);

		/* Who does not read misses lines; we do not wait. */
		if (n <= 0 && errno != EINTR)
			return;
		done += n > 0 ? (size_t)n : 0;
	}
}

static bool shown(const struct trace *tr, struct tracetext *x, struct task *t,
                  long result)
{
	if (!has(tr->wanted, call_number(t->req.nr)))
		return false;
	if (t->req.nr >= OPS_FIRST)
		return show_op(x, t);
	if (t->req.nr >= ARRAY_LEN(params) || !params[t->req.nr])
		return false;
	show_call(x, t, result);
	return true;
}

void trace_enter(struct task *t)
{
	struct trace *tr = t->kernel->trace;
	const char *name = syscall_name(t->req.nr);
	struct tracetext x = {.size = 0};

	if (!tr)
		return;
	if (t->req.nr != OP_exec &&
	    (!name ||
	     (strcmp(name, "exit") != 0 && strcmp(name, "exit_group") != 0)))
		return;
	if (shown(tr, &x, t, -1))
		tell(tr, &x);
}

/* Once each, under --verbose. */
static void tell_unsupported(struct task *t, struct trace *tr)
{
	struct tracetext x = {.size = 0};
	const char *name = syscall_name(t->req.nr);

	if (t->req.nr >= CALLS || has(tr->told, t->req.nr))
		return;
	add(tr->told, t->req.nr);
	if (name)
		tracetext_add(&x, "[%d] unsupported: %s", t->tid, name);
	else
		tracetext_add(&x, "[%d] unsupported: call %u", t->tid,
		              t->req.nr);
	tell(tr, &x);
}

void trace_answer(struct task *t, long result, enum slot_action action)
{
	struct trace *tr = t->kernel->trace;
	struct tracetext x = {.size = 0};
	const char *err;

	if (!tr)
		return;
	if (result == -ENOSYS && t->kernel->verbose)
		tell_unsupported(t, tr);
	if (action != SLOT_RETURN || !shown(tr, &x, t, result))
		return;
	err = tracetext_errno(result);
	if (err)
		tracetext_add(&x, " = -1 %s", err);
	else if (result < 0 && result > -4096)
		tracetext_add(&x, " = ? (interrupted)");
	else
		tracetext_add(&x, result > 0xffffffff ? " = 0x%lx" : " = %ld",
		              result);
	tell(tr, &x);
}
