/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line discipline N_TTY: what happens between the two sides of a terminal
 * as termios(3) describes it.
 */
#pragma once

#include "kernel/task/uio.h"
#include "kernel/tty/tty.h"

/*
 * Bytes typed on the other side.  Returns how many were taken; less than
 * `size` only when the program must read first.
 */
size_t ldisc_input(struct tty *t, const uint8_t *data, size_t size);

/*
 * A program reads; it has been checked that it may.  Returns bytes (0: end of
 * file), -EFAULT, or -EAGAIN when there is nothing to be had yet; then
 * *until_ns is when to look again by itself (0: only when woken).
 */
must_check long ldisc_read(struct tty *t, struct uio *u, uint64_t *until_ns);

/* A program writes.  Bytes taken, -EFAULT, or -EAGAIN when there is no room. */
must_check long ldisc_write(struct tty *t, struct uio *u);

/* Could it read now?  And how much (FIONREAD)? */
bool ldisc_readable(const struct tty *t);
uint32_t ldisc_count(const struct tty *t);

/* Could it write now? */
bool ldisc_writable(const struct tty *t);

/* New settings, of which it may believe every bit. */
void ldisc_set(struct tty *t, const struct termios2 *set);

/* tcflush(3) as the program sees it: TCIFLUSH, TCOFLUSH, TCIOFLUSH. */
void ldisc_flush(struct tty *t, int which);

/* tcflow(3) and VSTOP/VSTART. */
void ldisc_stop(struct tty *t);
void ldisc_start(struct tty *t);
