/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control connection of a kernel: messages of a fixed form over a SEQPACKET
 * socket.  Each is its number in four bytes and six values of eight bytes,
 * little-endian, then a text up to the end; descriptors may come with it.  The
 * kinds are in channel/control.def.
 *
 * The first connection is that of the owner, who started the kernel: when it
 * ends, so does the qube.  More are taken on the listening socket of a qube
 * that lasts; when one of these ends, the programs it had run are hung up, but
 * for those that are to stay (CONTROL_RUN_STAYS).
 */
#pragma once

#include "base/span.h"

enum control_kind {
#define CONTROL(number, name, from, what) CONTROL_##name = (number),
#include "channel/control.def"
};

enum control_side { CONTROL_KERNEL, CONTROL_CLIENT };

/* In `flags` of `run`. */
#define CONTROL_RUN_STAYS    1u /* it goes on when its client has gone */
#define CONTROL_RUN_TERMINAL 2u /* it is hung up with its terminal only */

/* In `flags` of `listed`. */
#define CONTROL_LISTED_TERMINAL 1u /* it has one of its own */
#define CONTROL_LISTED_CLIENT   2u /* somebody waits for its end */
#define CONTROL_LISTED_STOPPED  4u /* by a signal */

#define CONTROL_VALUES   6u
#define CONTROL_TEXT_MAX 511u
#define CONTROL_SIZE_MAX (4u + 8u * CONTROL_VALUES + CONTROL_TEXT_MAX)
#define CONTROL_FDS_MAX  8u

struct control {
	uint32_t kind; /* enum control_kind */
	uint64_t value[CONTROL_VALUES];
	char text[CONTROL_TEXT_MAX + 1];
};

/* Descriptors that came with a message; the receiver's. */
struct control_fds {
	int fd[CONTROL_FDS_MAX];
	uint32_t count;
	/*
	 * More came than there was room for in our table of descriptors, or
	 * here.  Those that fitted are closed.
	 */
	bool lost;
};

/*
 * Reads a message that `from` may send.  0, or -EPROTO and *out is left alone.
 * The text ends at the first NUL; what in it is not printable ASCII becomes a
 * question mark, since it may reach somebody's terminal.
 */
must_check int control_parse(struct span wire, enum control_side from,
                             struct control *out);

/* Writes it into `wire`; returns its size. */
size_t control_format(const struct control *c,
                      uint8_t wire[static CONTROL_SIZE_MAX]);

/*
 * Sends without waiting, with `count` borrowed descriptors.  0 or a negative
 * errno (-EPIPE: the other side has gone).
 */
must_check int control_send(int sock, const struct control *c, const int *fds,
                            uint32_t count);

/*
 * The same for a process that is not confined and has a usual limit of descriptors,
 * which is raised meanwhile (base/rights.h).
 */
must_check int control_send_raised(int sock, const struct control *c,
                                   const int *fds, uint32_t count);

/*
 * Receives without waiting.  Returns 1 and fills *out and *fds, 0 when the
 * other side has gone, -EAGAIN when there is nothing, -EPROTO for a message
 * that may not be.
 */
must_check int control_receive(int sock, enum control_side from,
                               struct control *out, struct control_fds *fds);

/* Takes descriptor `i` out: -1 if there is none. */
must_check int control_take(struct control_fds *fds, uint32_t i);

/* Closes those not taken. */
void control_close(struct control_fds *fds);
