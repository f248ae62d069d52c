/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helper threads for host calls that may block.  A helper sees the work's
 * buffers only, never kernel state; `done` runs on the kernel's thread.
 */
#pragma once

#include "base/list.h"
#include "kernel/core/loop.h"

struct work {
	struct list link;
	enum { WORK_TODO, WORK_RUNNING, WORK_FINISHED } state; /* work.c's */
	void (*run)(struct work *w);  /* on a helper thread */
	void (*done)(struct work *w); /* on the kernel's thread; may free w */
};

struct workers;

/* Threads start with the first work.  Returns 0 or a negative errno. */
must_check int work_create(struct loop *l, struct workers **out);

/* Waits for what runs and drops what does not run yet. */
void work_destroy(struct workers *ws);

/* Queues `w`.  Returns 0, or -EAGAIN when no thread could be started. */
must_check int work_submit(struct workers *ws, struct work *w);

/*
 * What was submitted, and not yet done: waits until its run() is over, or calls
 * it if no helper has begun.  Its done() is not called.
 */
void work_finish(struct workers *ws, struct work *w);
