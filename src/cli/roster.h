/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The qubes that the manager has, and which of them a command is about.
 */
#pragma once

#include "cli/query.h"

struct roster_qube {
	const char *name;
	const char *class; /* "AppVM" */
	const char *state; /* "Running", "Halted", "Paused", ... */
	const char *uuid;  /* or "" */
};

struct roster {
	struct roster_qube *qube; /* in the manager's order */
	size_t count;
	char *text; /* in which they lie */
};

/* Asks for them.  0 or a negative errno; call roster_fini() in every case. */
must_check int roster_get(struct roster *r, struct query *a, struct fault *f);

void roster_fini(struct roster *r);

#define autoroster __attribute__((cleanup(roster_fini)))

/* By name or "uuid:...", or NULL. */
const struct roster_qube *roster_find(const struct roster *r, const char *name);

/*
 * Keeps those that were asked for: the words, in their order; or with `all`
 * each but dom0 and those excluded.  -EINVAL when neither or both were given,
 * -EREMOTEIO for a name that is not there.
 */
must_check int roster_pick(struct roster *r, const struct frame_call *c,
                           bool all, const struct option_list *exclude);

/* Is it switched on, paused or not? */
bool roster_is_up(const struct roster_qube *q);

/* The fault of a name that is not there, with what may have been meant. */
must_check int roster_missing(const struct roster *r, const char *name,
                              struct fault *f);

/*
 * Calls `each` for the qubes a command is about, as roster_pick() finds them.
 * One that fails does not stop the others: its fault is said, and the result is
 * FRAME_FAILED; or 0; or the negative errno of not having found them.
 */
struct roster_job {
	bool all;
	const struct option_list *exclude;
	int (*each)(struct query *a, const struct roster_qube *q, void *with,
	            struct fault *f);
	void *with;
	const char *doing; /* "starting" */
};

must_check int roster_each(const struct roster_job *job, struct frame_call *c);
