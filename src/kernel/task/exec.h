/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve(2): from a name to an image in a cell.
 *
 * Everything that can go wrong for the guest's reasons goes wrong before the
 * line in commit(); what fails after it ends the process.
 */
#pragma once

#include "base/span.h"
#include "kernel/task/task.h"

/* Strings one behind the other, each with its NUL. */
struct exec_list {
	uint32_t count;
	struct span packed;
};

/*
 * Starts the first program of a task from task_spawn(): the first of `names`
 * that exists (those that do not, or may not be executed, are passed over, as
 * a search path wants it).  The lists are copied.  `done` is called with 0
 * once the program is loaded, or with the errno of the most telling failure;
 * perhaps before this returns.  0 or -ENOMEM.
 */
must_check int exec_start(struct task *t, const struct exec_list *names,
                          const struct exec_list *args,
                          const struct exec_list *env,
                          void (*done)(struct task *t, int err));

/* OP_exec: see channel/ops.def. */
long exec_run(struct task *t);

/* The task ends before its first program was loaded. */
void exec_forget(struct task *t);
