/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program in a qube that lasts.  The manager gives a connection to the
 * qube's kernel and is out of the way then.
 */
#pragma once

#include "cli/environment.h"
#include "cli/query.h"

#define INSIDE_PLAIN            1u /* no terminal, even on one */
#define INSIDE_VISIBLE          2u /* filter what is shown on a terminal */
#define INSIDE_VISIBLE_IF_PLAIN 4u /* the same, if it has no terminal */
#define INSIDE_DETACHED         8u /* no streams; it goes on without us */

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
 * Stays until the program has ended, unless it is detached.  Returns the exit
 * status to end with: the program's; or 125 to 127, and `f` says why.
 */
int inside_run(const struct inside *i, struct query *a, struct fault *f);
