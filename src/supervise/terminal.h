/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's terminal while a qube's terminal is shown on it: raw, and put
 * back as it was.
 */
#pragma once

#include <termios.h>

#include "base/fault.h"

struct terminal {
	int fd; /* borrowed */
	bool raw;
	struct termios saved;
};

/*
 * From the background this stops us until we are in the foreground, as the
 * host does it with everyone.  0 or a negative errno; nothing has changed then.
 */
must_check int terminal_raw(struct terminal *t, int fd, struct fault *f);

/* Raw again, after a stop. */
void terminal_again(struct terminal *t);

/* As it was.  Harmless when it is not raw. */
void terminal_restore(struct terminal *t);

/* Rows and columns; 0 and 0 where they are unknown. */
void terminal_size(int fd, uint16_t *rows, uint16_t *columns);
