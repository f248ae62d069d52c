/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the command line.  Each gets its own name as argv[0] and what
 * follows, and returns the exit status of the whole.
 */
#pragma once

#include "base/base.h"

#define VERB(name, arguments, what) int name##_verb(char *const argv[]);
#include "cli/verbs.def"

/* Exit statuses beside the program's own and 128 plus a signal. */
#define VERBS_OURS           125 /* our own failure */
#define VERBS_NOT_EXECUTABLE 126
#define VERBS_NOT_FOUND      127
