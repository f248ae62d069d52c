/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line on the terminal for what takes longer than a second: a bar where it
 * is known how much there is to do, else how long it has taken.  Where
 * standard error is no terminal, nothing.
 */
#pragma once

#include "base/base.h"

struct progress {
	const char *doing; /* NULL: nothing is shown; borrowed */
	const char *what;  /* or NULL; borrowed */
	uint64_t begun_ms;
	uint64_t shown_ms; /* 0: nothing yet */
};

void progress_begin(struct progress *p, const char *doing, const char *what);

/* How far it is; of 0 in all: nobody knows. */
void progress_show(struct progress *p, uint64_t done, uint64_t all);

/* For how many ms may one wait before progress_show() has something to show? */
int progress_patience(const struct progress *p);

/* Takes the line away. */
void progress_end(struct progress *p);
