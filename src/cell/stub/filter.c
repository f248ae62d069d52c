/* SPDX-License-Identifier: Apache-2.0 */
#include "cell/stub/filter.h"

#include <linux/audit.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "cell/stub/futexes.h"
#include "cell/stub/pages.h"
#include "cell/stub/spawn.h"
#include "channel/layout.h"

#define FILTER_MAP_FLAGS                                                    \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_STACK | \
	 MAP_NORESERVE | MAP_POPULATE | MAP_FIXED_NOREPLACE)
#define FILTER_PROT_FLAGS PROT_GROWSDOWN
#define FILTER_MEMBARRIERS                            \
	(MEMBARRIER_CMD_PRIVATE_EXPEDITED |           \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |  \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)

enum check_kind { C_NONE, C_IS, C_ZERO_HIGH, C_ONLY, C_IN_SET };

struct check {
	uint8_t kind; /* enum check_kind */
	uint8_t arg;
	uint32_t mask;
	uint32_t value;
};

struct row {
	uint16_t nr;
	struct check check[4];
};

#define ANY
#define IS(arg, value)             {C_IS, arg, 0, value},
#define ZERO_HIGH(arg)             {C_ZERO_HIGH, arg, 0, 0},
#define ONLY(arg, mask)            {C_ONLY, arg, (uint32_t)(mask), 0},
#define IN_SET(arg, mask, set)     {C_IN_SET, arg, mask, (uint32_t)(set)},
#define HOST(call, reason, checks) {SYS_##call, {checks}},
static const struct row rows[] = {
#include "cell/stub/seccomp.def"
};

/* Where struct seccomp_data keeps things. */
enum { AT_NR = 0, AT_ARCH = 4, AT_IP_LOW = 8, AT_IP_HIGH = 12, AT_ARGS = 16 };

struct out {
	struct sock_filter *at;
	size_t room;
	size_t count;
};

static void emit(struct out *o, uint16_t code, uint32_t k, size_t yes,
                 size_t no)
{
	if (o->count < o->room)
		o->at[o->count] = (struct sock_filter){
			.code = code,
			.jt = (uint8_t)yes,
			.jf = (uint8_t)no,
			.k = k,
		};
	o->count++;
}

static void load(struct out *o, uint32_t at)
{
	emit(o, BPF_LD | BPF_W | BPF_ABS, at, 0, 0);
}

static void give(struct out *o, uint32_t action)
{
	emit(o, BPF_RET | BPF_K, action, 0, 0);
}

/* Instructions of a check, each of which ends with the test of a jump. */
static size_t check_length(const struct check *c)
{
	switch ((enum check_kind)c->kind) {
	case C_NONE:
		return 0;
	case C_IS:
	case C_ZERO_HIGH:
	case C_ONLY:
		return 2;
	case C_IN_SET:
	default:
		return 7;
	}
}

/* Falls through where the check holds, and jumps `away` behind its end else. */
static void emit_check(struct out *o, const struct check *c, size_t away)
{
	uint32_t low = AT_ARGS + 8u * c->arg;

	switch ((enum check_kind)c->kind) {
	case C_NONE:
		break;
	case C_IS:
		load(o, low);
		emit(o, BPF_JMP | BPF_JEQ | BPF_K, c->value, 0, away);
		break;
	case C_ZERO_HIGH:
		load(o, low + 4);
		emit(o, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, away);
		break;
	case C_ONLY:
		load(o, low);
		emit(o, BPF_JMP | BPF_JSET | BPF_K, ~c->mask, away, 0);
		break;
	case C_IN_SET:
	default:
		load(o, low);
		emit(o, BPF_ALU | BPF_AND | BPF_K, c->mask, 0, 0);
		emit(o, BPF_JMP | BPF_JGE | BPF_K, 32, away + 4, 0);
		emit(o, BPF_MISC | BPF_TAX, 0, 0, 0);
		emit(o, BPF_LD | BPF_IMM, 1, 0, 0);
		emit(o, BPF_ALU | BPF_LSH | BPF_X, 0, 0, 0);
		emit(o, BPF_JMP | BPF_JSET | BPF_K, c->value, 0, away);
		break;
	}
}

static void emit_row(struct out *o, const struct row *r)
{
	size_t left = 1; /* the permission itself */

	for (size_t i = 0; i < ARRAY_LEN(r->check); i++)
		left += check_length(&r->check[i]);
	for (size_t i = 0; i < ARRAY_LEN(r->check); i++) {
		left -= check_length(&r->check[i]);
		emit_check(o, &r->check[i], left);
	}
	give(o, SECCOMP_RET_ALLOW);
}

/* All rows of a call, which follow one another, behind one look at its nr. */
static size_t emit_call(struct out *o, size_t from)
{
	struct out measure = {.room = 0};
	size_t to = from;

	while (to < ARRAY_LEN(rows) && rows[to].nr == rows[from].nr)
		emit_row(&measure, &rows[to++]);
	emit(o, BPF_JMP | BPF_JEQ | BPF_K, rows[from].nr, 0, measure.count + 1);
	for (size_t i = from; i < to; i++)
		emit_row(o, &rows[i]);
	give(o, SECCOMP_RET_KILL_PROCESS);
	return to;
}

int filter_build(struct sock_filter *prog, size_t room, uint64_t lo,
                 uint64_t hi)
{
	struct out o = {.at = prog, .room = room};

	load(&o, AT_IP_HIGH);
	emit(&o, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(lo >> 32), 1, 0);
	give(&o, SECCOMP_RET_TRAP);
	load(&o, AT_IP_LOW);
	emit(&o, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)lo, 1, 0);
	give(&o, SECCOMP_RET_TRAP);
	emit(&o, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)hi, 0, 1);
	give(&o, SECCOMP_RET_TRAP);
	load(&o, AT_ARCH);
	emit(&o, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	give(&o, SECCOMP_RET_KILL_PROCESS);
	load(&o, AT_NR);
	for (size_t i = 0; i < ARRAY_LEN(rows);)
		i = emit_call(&o, i);
	give(&o, SECCOMP_RET_KILL_PROCESS);
	return o.count <= room ? (int)o.count : -E2BIG;
}
