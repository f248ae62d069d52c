/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's side of a terminal as an open file.
 */
#pragma once

#include "kernel/tty/tty.h"

/* Completes `f`; takes over `o`, with its reference to the terminal. */
void slave_complete(struct file *f, struct tty_open *o);

/* The terminal, if `f` is the program's side of one.  Borrowed, or NULL. */
struct tty *slave_tty(struct file *f);
