/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control connection between a kernel and whoever started it: messages of
 * a fixed form over a SEQPACKET socket.  Each is its number and two values,
 * four bytes each and little-endian, then a text up to the end; at most one
 * descriptor comes with it.  The kinds are in channel/control.def.
 */
#pragma once

#include "base/span.h"

enum control_kind {
#define CONTROL(number, name, from, what) CONTROL_##name = (number),
#include "channel/control.def"
};

enum control_side { CONTROL_KERNEL, CONTROL_OWNER };

#define CONTROL_TEXT_MAX 511u
#define CONTROL_SIZE_MAX (12u + CONTROL_TEXT_MAX)

struct control {
	uint32_t kind; /* enum control_kind */
	uint32_t value[2];
	char text[CONTROL_TEXT_MAX + 1];
};

/*
 * Reads a message that `from` may send.  0, or -EPROTO and *out is left alone.
 * The text ends at the first NUL.
 */
must_check int control_parse(struct span wire, enum control_side from,
                             struct control *out);

/* Writes it into `wire`; returns its size. */
size_t control_format(const struct control *c,
                      uint8_t wire[static CONTROL_SIZE_MAX]);

/*
 * Sends without waiting; `fd` is borrowed, -1 for none.  0 or a negative
 * errno (-EPIPE: the other side has gone).
 */
must_check int control_send(int sock, const struct control *c, int fd);

/*
 * Receives without waiting.  Returns 1 and fills *out and *fd (-1: none came;
 * the caller owns it), 0 when the other side has gone, -EAGAIN when there is
 * nothing, -EPROTO for a message that may not be.
 */
must_check int control_receive(int sock, enum control_side from,
                               struct control *out, int *fd);
