/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of /proc/PID's files, one function for each name in
 * proc_process.def, and what all of /proc/PID needs.
 */
#pragma once

#include "kernel/fs/pseudo.h"
#include "kernel/task/process.h"

#define STATUS(path, mode, name)
#define MEM(path, mode, name)
#define OPENS(path, mode, name)
#define MAPS(path, mode, name)
#define MOUNTS(path, mode, name)
#define NETWORK(path, mode, name)
#define TEXT(path, text)
#define LINK(path, name)
#define NAMESPACE(path, name)
#define NUMBERS(path, mode, name)
#define FILE(path, mode, name) \
	long proc_process_##name(const struct pseudo_ctx *c, struct text *out);
#define KNOB(path, mode, name)                                   \
	long proc_process_##name(const struct pseudo_ctx *c,     \
	                         struct text *out);              \
	long proc_process_set_##name(const struct pseudo_ctx *c, \
	                             struct span text);
#include "kernel/fs/proc_process.def"

/* The process it is about, borrowed, or NULL: it has gone. */
struct process *proc_process_of(const struct pseudo_ctx *c);

/* The task it is about (the first of the process), or NULL: a zombie. */
struct task *proc_process_task(const struct pseudo_ctx *c);

/*
 * May the one who asks look into the process: its memory, its files, its
 * environment?  0, -EACCES, or -ESRCH.
 */
must_check long proc_process_inspect(const struct pseudo_ctx *c);
