/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the command line.  Each gets the name it was called by as
 * argv[0] (its own, or that of a qvm-* program) and what follows, and returns
 * the exit status of the whole.
 */
#pragma once

#include "base/base.h"

#define VERB(name, qvm, form, what) int verb_##name(char *const argv[]);
#include "cli/verbs.def"

/* Exit statuses beside the program's own and 128 plus a signal. */
#define VERBS_OURS           125 /* our own failure */
#define VERBS_NOT_EXECUTABLE 126
#define VERBS_NOT_FOUND      127

struct verb {
	const char *name;
	const char *qvm; /* "" without */
	const char *form;
	const char *what;
	int (*run)(char *const argv[]);
};

/* The verb of this name, be it ours or that of a qvm-* program; or NULL. */
const struct verb *verbs_find(const char *name);

/* The verbs in the table's order; NULL behind the last. */
const struct verb *verbs_at(size_t index);
