/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers: one space for tasks, processes, process groups and sessions, as on
 * Linux.  They grow and wrap; a number is free when nothing of the four bears
 * it.  An entry borrows what it names: who goes away takes itself out first.
 */
#pragma once

#include "kernel/core/kernel.h"

struct pgrp;
struct process;
struct session;
struct task;

#define PID_MAX   32768 /* the first number never given out */
#define PID_AGAIN 300   /* where numbers go on after a wrap */

struct pid_entry {
	struct task *task;
	struct process *process;
	struct pgrp *pgrp;
	struct session *session;
};

struct pids {
	struct pid_entry *entry; /* of PID_MAX */
	int32_t last;            /* given out most recently */
	int32_t top;             /* the highest ever given out */
};

/* An empty space; the first number given out is 1.  0 or -ENOMEM. */
must_check int pid_create(struct pids **out);
void pid_destroy(struct pids *ps);

/* The next free number, or -EAGAIN.  It is taken by filling its entry. */
must_check int32_t pid_next(struct pids *ps);

/* The entry of a number, or NULL when there cannot be one. */
struct pid_entry *pid_entry(const struct kernel *k, int32_t id);
