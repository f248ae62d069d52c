/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stub's own requests: one handler op_<name>() each, from the table in
 * channel/ops.def.
 */
#pragma once

#include "channel/ops.h"
#include "kernel/task/task.h"

#define OPS_FIRST 0x10000u

#define OP(number, name, what) \
	__attribute__((weak)) long op_##name(struct task *t);
#include "channel/ops.def"

/* Runs the handler of a request with nr >= OPS_FIRST, as syscall_run(). */
long ops_run(struct task *t);

/* The name of an operation, or NULL. */
const char *ops_name(uint32_t nr);
