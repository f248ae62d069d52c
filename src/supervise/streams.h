/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's three streams, and what of the host stands behind them.
 *
 * If both input and output are a terminal, the program gets a terminal of the
 * qube, shown on ours.  Otherwise each stream is handed over as it is, but for
 * those that are a terminal: bytes are carried for them, so that the qube
 * never holds a terminal of the user.
 */
#pragma once

#include "base/fault.h"
#include "channel/job.h"
#include "supervise/relay.h"
#include "supervise/terminal.h"

#define STREAMS_RELAYS 4
#define STREAMS_TELL   3 /* beside 0 to 2: where the trace goes */

struct streams {
	struct terminal terminal; /* raw while the qube's is shown on it */
	bool console;             /* the program has a terminal */
	bool attached;            /* streams_attach() */
	int console_fd;           /* our end of it, or -1 */
	int console_theirs;       /* the kernel's end, or -1 */
	int theirs[4];            /* for the kernel; -1: none */
	int ours[4];              /* our ends of carried streams, or -1 */
	struct relay relay[STREAMS_RELAYS];
	uint32_t relay_count;
};

/* Nothing is open; streams_close() may be called from now on. */
void streams_init(struct streams *s);

/*
 * To be called before anything is opened: descriptors 0 to 2 that are closed
 * are taken, so that nothing of ours gets these numbers.
 */
void streams_reserve(void);

#define STREAMS_TRACED  1u /* a trace goes where errors go */
#define STREAMS_PLAIN   2u /* no terminal of the qube */
#define STREAMS_VISIBLE 4u /* what is shown on a terminal is filtered */

/*
 * Looks at descriptors 0 to 2; fills j->stream and the window size.  `how` is
 * of the flags above.
 */
must_check int streams_open(struct streams *s, struct job *j, uint32_t how,
                            struct fault *f);

/*
 * For a program that runs already, under a terminal of its own if `terminal`:
 * our input and output show it, whatever they are, and the key RELAY_LEAVE
 * leaves it.
 */
must_check int streams_attach(struct streams *s, bool terminal, uint16_t *rows,
                              uint16_t *columns, struct fault *f);

/* Was that key typed? */
bool streams_left_by_key(const struct streams *s);

/* The kernel has its ends: closes ours of them, makes the terminal raw. */
must_check int streams_begin(struct streams *s, struct fault *f);

/* Puts the terminal back and closes everything. */
void streams_close(struct streams *s);

/* No more input: the program's end will not be waited for by it. */
void streams_stop_input(struct streams *s);

/* Has all output been carried? */
bool streams_done(const struct streams *s);

/*
 * Is there output that has come and was not carried yet?  That of a terminal
 * comes until the kernel has closed it.
 */
bool streams_left(const struct streams *s);
