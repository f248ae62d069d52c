/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program in a qube that lasts.  The manager gives a connection to the
 * qube's kernel and is out of the way then.
 */
#pragma once

#include "channel/control.h"
#include "cli/environment.h"
#include "cli/query.h"

#define INSIDE_PLAIN            1u  /* no terminal, even on one */
#define INSIDE_VISIBLE          2u  /* filter what is shown on a terminal */
#define INSIDE_VISIBLE_IF_PLAIN 4u  /* the same, if it has no terminal */
#define INSIDE_DETACHED         8u  /* no streams; it goes on without us */
#define INSIDE_ASIDE            16u /* the same, on a terminal nobody shows */

struct inside {
	const char *qube;
	bool start;       /* the qube, if it does not run */
	const char *user; /* of the qube; NULL: its default_user */
	const char *cwd;  /* "": the user's home */
	char *const *command;
	const struct environment *env;
	uint32_t how;
};

/*
 * A control connection to the kernel of a qube, started if `start`.  A descriptor,
 * or a negative errno.  The text of the answer in `a` is its default_user.
 */
must_check int inside_connect(const char *qube, bool start, struct query *a,
                              struct fault *f);

/*
 * The next program run from outside in the qube behind `control`, with a higher
 * number than `after`: a message `listed`.  0 or a negative errno.
 */
must_check int inside_next(int control, uint64_t after, struct control *out,
                           struct fault *f);

/*
 * Stays until the program has ended, unless it is detached: of one aside the
 * number is printed.  Returns the exit status to end with: the program's; or
 * 125 to 127, and `f` says why.
 */
int inside_run(const struct inside *i, struct query *a, struct fault *f);
