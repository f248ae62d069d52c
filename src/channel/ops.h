/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of the stub's own requests, and the records they carry.
 */
#pragma once

#include <stdint.h>

enum op {
#define OP(number, name, what) OP_##name = (number),
#include "channel/ops.def"
};

/* Results of OP_object and OP_lease: the key, and what comes with it. */
#define OP_KEY_SENT     0x80000000u
#define OP_KEY_WRITABLE 0x40000000u
#define OP_KEY_PART     0x20000000u /* arg[0], arg[1]: from where, how much */
#define OP_KEY_MASK     0x0000ffffu

/* Results that never reach the guest: the call was cut short by a signal. */
enum {
	RES_RESTARTSYS = 512,    /* again if SA_RESTART or no handler ran */
	RES_RESTARTNOINTR = 513, /* again always */
	RES_RESTARTNOHAND = 514, /* again only if no handler ran */
	RES_RESTARTBLOCK = 516,  /* as NOHAND, but again as restart_syscall */
};

/* Answer of OP_signal in the data window: how to run one handler. */
struct sigorder {
	uint64_t handler;  /* guest address */
	uint64_t flags;    /* SA_* */
	uint64_t restorer; /* guest address */
	uint64_t add_mask; /* block these while the handler runs */
	uint64_t old_mask; /* this goes to uc_sigmask of the frame */
	uint8_t info[128]; /* siginfo_t */
};
