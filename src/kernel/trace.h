/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace: what the program called, with what, and what we answered, one
 * line a call in the manner of strace.  Decoding comes from the same table as
 * dispatch.
 */
#pragma once

#include "channel/slot.h"
#include "kernel/core/kernel.h"
#include "kernel/task/task.h"

/*
 * Traces to `fd`, which is borrowed.  `calls`: names separated by commas, or
 * NULL for all.  0, -EINVAL for an unknown name, -ENOMEM.
 */
must_check int trace_start(struct kernel *k, int fd, const char *calls);
void trace_stop(struct kernel *k);

/* A call was taken from its slot. */
void trace_enter(struct task *t);

/* It is answered.  Unsupported calls are told once under --verbose. */
void trace_answer(struct task *t, long result, enum slot_action action);
