/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who exists in a qube, and the environment that a program finds there.
 */
#pragma once

#include "cli/environment.h"

struct account {
	const char *name;
	const char *home;
};

/* By name, NULL: the usual one.  NULL if there is none. */
const struct account *account_find(const char *name);

/* Sets the variables of a clean environment; TERM and LANG are ours. */
must_check int account_environment(struct environment *env,
                                   const struct account *who, struct fault *f);
