/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers that are files, timerfd_create(2).
 *
 * As Linux does it, a periodic timer fires once and then stands still until
 * somebody reads: what it missed is counted from the clock.  A timer nobody
 * reads therefore costs nothing.
 */
#pragma once

#include "channel/abi.h"
#include "kernel/fs/file.h"

/* `clock` is one timerfd_create(2) knows.  0 and a reference, or -ENOMEM. */
must_check int timerfd_open(struct task *t, int32_t clock, uint32_t flags,
                            struct file **out);

bool timerfd_is(const struct file *f);

/* `flags`: TFD_TIMER_*.  `value` is valid; *old (may be NULL) what it was. */
must_check long timerfd_set(struct file *f, uint32_t flags,
                            const abi_itimerspec *value, abi_itimerspec *old);

void timerfd_get(struct file *f, abi_itimerspec *out);
