/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of a qube or of the whole installation, as the manager tells them:
 * one a line, "NAME default=True|False type=TYPE VALUE".
 */
#pragma once

#include "cli/query.h"

struct props_row {
	const char *name;
	const char *type;  /* "str", "bool", "int", "vm", "label" */
	const char *value; /* "" of a vm: none */
	bool is_default;
};

struct props {
	struct props_row *row; /* in the manager's order */
	size_t count;
	char *text; /* in which they lie */
};

/*
 * All properties of `target`, NULL: the global ones.  0 or a negative errno;
 * call props_fini() in every case.
 */
must_check int props_get(struct props *p, struct query *a, const char *target,
                         struct fault *f);

void props_fini(struct props *p);

#define autoprops __attribute__((cleanup(props_fini)))

/* By name, in which '-' is '_'; or NULL. */
const struct props_row *props_find(const struct props *p, const char *name);

/*
 * One property, by the answer to property.Get in a->answer: "default=True
 * type=TYPE VALUE".  The row lies in there.  0 or -EPROTO.
 */
must_check int props_one(const struct query *a, struct props_row *out,
                         struct fault *f);

/* Line ends in a value came as two characters: makes them one again. */
void props_unescape(char *value);

/* The value as people write it: "None" of a vm that is not set. */
const char *props_shown(const struct props_row *r);

/* What to send for a value: "none" of a qube is "". */
const char *props_meant(const char *name, const char *value);
