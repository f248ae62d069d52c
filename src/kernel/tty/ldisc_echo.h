/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes to a terminal's other side: output as OPOST changes it, and the
 * echo of what is typed.
 */
#pragma once

#include "kernel/tty/tty.h"

/*
 * One byte of output, changed as c_oflag says, if `reserve` bytes of room stay
 * free behind it.  False: no room, nothing was done.
 */
must_check bool ldisc_echo_post(struct tty *t, uint8_t c, uint32_t reserve);

/* Echoes a typed byte: control characters as ^X if ECHOCTL. */
void ldisc_echo(struct tty *t, uint8_t c);

/* The same without ^X; goes through c_oflag. */
void ldisc_echo_raw(struct tty *t, uint8_t c);

/* `c`, the last of the line, was taken away. */
void ldisc_echo_erase(struct tty *t, uint8_t c);

/* Something else than erasing happens: ECHOPRT's closing slash. */
void ldisc_echo_end(struct tty *t);
