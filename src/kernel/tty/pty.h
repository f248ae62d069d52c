/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master side of a pseudo-terminal: /dev/ptmx.
 */
#pragma once

#include "kernel/tty/tty.h"

/* Makes a pair and completes `f` as its master.  0 or a negative errno. */
must_check long pty_open(struct task *t, struct file *f);

/* The terminal, if `f` is the master of one.  Borrowed, or NULL. */
struct tty *pty_tty(struct file *f);
