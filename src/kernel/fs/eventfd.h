/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event counters, eventfd(2).
 */
#pragma once

#include "kernel/fs/file.h"

/*
 * A counter that starts at `count`; with `semaphore` each read takes one.
 * `flags`: O_NONBLOCK.  0 and a reference, or -ENOMEM.
 */
must_check int eventfd_open(struct task *t, uint64_t count, bool semaphore,
                            uint32_t flags, struct file **out);
