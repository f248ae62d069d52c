/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The qube's console: a terminal whose other side is a stream of the host, on
 * whose far end someone's real terminal stands.
 */
#pragma once

#include "kernel/core/kernel.h"

struct console;
struct tty;

/* Takes over `fd`, a non-blocking stream.  Sets k->console.  0 or negative. */
must_check int console_create(struct kernel *k, int fd, uint16_t rows,
                              uint16_t columns);
void console_destroy(struct kernel *k);

struct tty *console_tty(struct console *c);
void console_resize(struct console *c, uint16_t rows, uint16_t columns);

/*
 * Before the end: writes what is left of the output, for a while if the other
 * side does not take it.
 */
void console_drain(struct kernel *k);
