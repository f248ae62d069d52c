/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that wait no longer than a given time.  The first run of the handler
 * sets the deadline; runs after that keep it, whatever they pass.
 */
#pragma once

#include "channel/abi.h"
#include "kernel/task/task.h"

/* 0, or -EINVAL for what is no time span. */
must_check int timeout_check(const abi_timespec *ts);

/*
 * Sets the deadline `ts` from now (NULL: none), or `ms` (negative: none).
 * False when the time is zero: the call only looks.
 */
bool timeout_start(struct task *t, const abi_timespec *ts);
bool timeout_start_ms(struct task *t, int32_t ms);

/* What is left until the deadline, or zero. */
abi_timespec timeout_left(const struct task *t);

/*
 * The end of a run that found nothing: 0 when the time is over or the call
 * may not wait, else what task_sleep() returns.
 */
must_check long timeout_sleep(struct task *t, bool may_wait);
