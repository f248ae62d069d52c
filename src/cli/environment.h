/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of a program in a qube: a clean one, and what was asked for.
 */
#pragma once

#include "base/fault.h"
#include "channel/wire.h"

#define ENVIRONMENT_MAX 1024u

struct environment {
	char *entry[ENVIRONMENT_MAX]; /* "NAME=VALUE", owned */
	uint32_t count;
};

void environment_fini(struct environment *e);

/* Sets or replaces NAME=VALUE.  0, or -EINVAL, -E2BIG, -ENOMEM and why. */
must_check int environment_set(struct environment *e, const char *name,
                               const char *value, struct fault *f);

/*
 * Sets the variables of a clean environment; TERM and LANG are ours.  Those of
 * the account are added in the qube.
 */
must_check int environment_begin(struct environment *e, struct fault *f);

/*
 * NAME=VALUE, or NAME: as it is in our own environment; if it is not there, it
 * is not there inside either.
 */
must_check int environment_ask(struct environment *e, const char *what,
                               struct fault *f);

/* The strings one behind the other; the caller frees l->packed.at. */
must_check int environment_pack(char *const entry[], uint32_t count,
                                struct wire_list *l);
