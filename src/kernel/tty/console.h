/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A terminal whose other side is a stream of the host, on whose far end
 * someone's real terminal stands: that of a program run with one.  The oldest
 * there is is the qube's /dev/console.
 */
#pragma once

#include "kernel/core/kernel.h"

struct console;
struct tty;

/* Takes over `fd`, a non-blocking stream socket.  0 and *out, or negative. */
must_check int console_create(struct kernel *k, int fd, uint16_t rows,
                              uint16_t columns, struct console **out);

/* Hangs up what still has the terminal open.  Accepts NULL. */
void console_destroy(struct console *c);

struct tty *console_tty(struct console *c);
void console_resize(struct console *c, uint16_t rows, uint16_t columns);

/*
 * It is not hung up when who shows it goes: it waits for another then, and what
 * is written to it meanwhile is dropped but for its end.
 */
void console_stay(struct console *c);

/*
 * Another shows it from now on, on the far end of `fd` (taken over), beginning
 * with the end of what was shown so far; and it stays.  0 or a negative errno.
 */
must_check int console_attach(struct console *c, int fd, uint16_t rows,
                              uint16_t columns);

/* Who shows it has gone: hangs up, or waits for another. */
void console_leave(struct console *c);

/*
 * Before the end: calls `drained`, which may destroy it, when all output was
 * taken, or the other side has not taken it for a while.  Never before this
 * returns.
 */
void console_drain(struct console *c, void (*drained)(void *who), void *who);
