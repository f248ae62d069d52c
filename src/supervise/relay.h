/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries bytes from one descriptor to another: between a terminal of the
 * user and a stream of the qube.
 */
#pragma once

#include <poll.h>

#include "base/base.h"

#define RELAY_ROOM  16384u
#define RELAY_LEAVE 0x1d /* Ctrl-] */

struct relay {
	int from;     /* -1: ended; borrowed */
	int to;       /* -1: nobody takes it any more; borrowed */
	bool lines;   /* ends of lines become \r\n */
	bool visible; /* what base/visible.h forbids becomes '_' */
	bool leaves;  /* RELAY_LEAVE, typed, ends it; it did */
	bool left;
	size_t start, size; /* bytes of `data` not yet written */
	uint8_t data[RELAY_ROOM];
};

/* Neither descriptor may block, or they are terminals poll() is right about. */
void relay_init(struct relay *r, int from, int to);

/* Fills two entries for poll(2): what is waited for, fd -1 for nothing. */
void relay_want(const struct relay *r, struct pollfd want[2]);

/* Moves what can be moved now. */
void relay_move(struct relay *r, const struct pollfd ready[2]);

/* Nothing will move any more. */
static inline bool relay_ended(const struct relay *r)
{
	return (r->from < 0 && r->size == 0) || r->to < 0;
}
