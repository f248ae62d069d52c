/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls: argument structures and prototypes, all from the table in
 * channel/syscalls.def, and the one way in.
 */
#pragma once

#include "channel/abi.h"
#include "kernel/task/task.h"
#include "kernel/task/user.h"

typedef int32_t arg_fd;
typedef int32_t arg_int;
typedef uint32_t arg_uint;
typedef int64_t arg_long;
typedef int64_t arg_off;
typedef uint64_t arg_size;
typedef uint32_t arg_mode;

#define VAL(type, name)         arg_##type name;
#define FLAGS(name, mask)       uint32_t name;
#define IN(name, len)           uaddr_t name;
#define OUT(name, len)          uaddr_t name;
#define INS(name, type, count)  uaddr_t name;
#define OUTS(name, type, count) uaddr_t name;
#define IOS(name, type, count)  uaddr_t name;
#define INREC(name, type)       uaddr_t name;
#define OUTREC(name, type)      uaddr_t name;
#define IOREC(name, type)       uaddr_t name;
#define PATH(name)              uaddr_t name;
#define ADDR(name)              uaddr_t name;
#define NONE                    uint8_t none;
#define SYSCALL(nr, name, where, args)                        \
	struct args_##name {                                  \
		args                                          \
	};                                                    \
	__attribute__((weak)) long sys_##name(struct task *t, \
	                                      const struct args_##name *a);
#include "channel/syscalls.def"

/*
 * Runs the handler of the task's request (t->req).  Returns its result, which
 * may be -EWAIT or -ENOANSWER.
 */
long syscall_run(struct task *t);

/* The name of a call, or NULL. */
const char *syscall_name(uint32_t nr);

/*
 * Takes a request that just arrived, or runs a READY task again, and answers
 * if there is an answer.
 */
void syscall_serve(struct task *t);

/* Answers: publishes result and action, leaves the call behind. */
void syscall_answer(struct task *t, long result, enum slot_action action);
