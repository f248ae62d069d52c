/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process descriptors: files that stand for a process and become readable
 * when it ends.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/task/process.h"

/* A new descriptor of the task's, close-on-exec; flags: O_NONBLOCK. */
must_check long pidfd_open(struct task *t, struct process *p, uint32_t flags);

/* The process behind a file, borrowed, or NULL: it is not a pidfd. */
struct process *pidfd_process(const struct file *f);
