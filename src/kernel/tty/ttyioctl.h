/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ioctl(2) on terminals, from the table in kernel/tty/ttyioctl.def.
 */
#pragma once

#include "kernel/tty/tty.h"

/* `master`: f is the other side.  -ENOTTY for what is not in the table. */
must_check long ttyioctl_run(struct tty *tty, struct file *f, struct task *t,
                             uint32_t cmd, uint64_t arg, bool master);
