/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system under /dev/pts (devpts_create() is declared in
 * kernel/fs/world.h), and the terminal devices by number.
 */
#pragma once

#include "kernel/tty/tty.h"

/*
 * Opens a terminal device as device_open() wants it: /dev/tty (5,0),
 * /dev/console (5,1), /dev/ptmx (5,2) and /dev/pts/N (136 and more, N).
 * 0, -ENXIO when there is none (or no controlling terminal), or another
 * negative errno.
 */
must_check long devpts_open_device(struct task *t, uint64_t rdev,
                                   struct file *f);

/* TIOCGPTPEER: a descriptor of the program's side, or a negative errno. */
must_check long devpts_open_peer(struct tty *tty, struct task *t,
                                 uint32_t flags);
