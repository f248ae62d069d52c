/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call from its beginning to its end: asks for it, then connects the streams
 * to our own standard input and output, or to a program or a function of ours,
 * which reads what the service writes, and the other way round.
 *
 * Each direction is a thread that reads and writes, so that none waits for
 * another.
 */
#pragma once

#include "guest/guestcall.h"

/* May text of the other qube reach our terminal as it is? */
enum guestpump_filter {
	GUESTPUMP_ON_TERMINAL, /* only filtered, if it is a terminal */
	GUESTPUMP_FILTER,
	GUESTPUMP_RAW,
};

struct guestpump {
	struct guestcall_ask ask;
	const char *prefix; /* sent before all else, or NULL */
	enum guestpump_filter out;
	enum guestpump_filter errors;
	bool both_on_stdin; /* standard input is a socket, for both ways */

	/*
	 * The local side, or both NULL. A program's words; or a function, whose
	 * result is its exit status, with these words. It has the streams as
	 * standard input and output, and ours as SAVED_FD_0 and SAVED_FD_1 in
	 * its environment.
	 */
	char **words;
	int (*local)(int argc, char *argv[]);
};

/*
 * Does it all, and says on standard error what went wrong under that name.
 * Returns our exit status: that of the service; that of `local` if the service
 * ended well and `local` did not; or AGENT_EXIT_REFUSED, AGENT_EXIT_PROBLEM.
 */
int guestpump(const struct guestpump *p, const char *name);
