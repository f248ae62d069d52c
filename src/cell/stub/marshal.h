/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying a guest's call to the kernel: what the table of system calls says
 * is read goes along in the data window, what is written comes back through
 * it.
 *
 * What does not fit, or cannot be read, is simply not staged.  The kernel then
 * reaches for it in the cell's memory, and finds out about bad addresses.
 */
#pragma once

#include "cell/stub/area.h"

/* What an argument is. */
enum marshal_kind {
	MARSHAL_NUM = 0,
	MARSHAL_IN = 1,
	MARSHAL_OUT = 2,
	MARSHAL_PATH = 4,
};

/* One argument: its size is `unit`, times the value of argument `count`. */
struct marshal_arg {
	uint8_t kind;
	uint8_t count; /* MARSHAL_ONE: a single record */
	uint16_t unit;
};

#define MARSHAL_ONE 0xff

struct marshal_row {
	struct marshal_arg arg[6];
};

/* Made from channel/syscalls.def by tools/gen_stages.c. */
#pragma GCC visibility push(hidden)
extern const struct marshal_row marshal_table[];
extern const uint32_t marshal_count;
#pragma GCC visibility pop

/* Calls the kernel.  Returns the result, which may be a restart code. */
long marshal_call(struct area *a, uint64_t nr, const uint64_t arg[6]);
