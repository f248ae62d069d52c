/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `bento ls` can show of a qube: the columns of columns.def, and every
 * property by its name.
 */
#pragma once

#include "base/span.h"
#include "cli/props.h"
#include "cli/roster.h"

#define COLUMNS_MAX  64u
#define COLUMNS_TEXT 256u

struct columns {
	char name[COLUMNS_MAX][COLUMNS_TEXT]; /* lower case */
	uint32_t count;
};

/*
 * Reads "NAME,STATE,...", or with `format` one of formats.def by its name.
 * -EINVAL when there is none of that name.
 */
must_check int columns_read(struct columns *to, const char *text, bool format,
                            struct fault *f);

/* Properties of all qubes, asked for once; begins zeroed. */
struct columns_bulk {
	struct {
		char name[COLUMNS_TEXT]; /* METHOD+ARGUMENT */
		char *text;              /* "QUBE VALUE" lines */
		char *at; /* in it: where the next qube is likely to be */
	} of[COLUMNS_MAX];
	uint32_t count;
};

void columns_bulk_fini(struct columns_bulk *b);

/*
 * What is known of the qube in hand, asked for when the first column wants
 * it: the caller begins with {.query, .qube, .bulk}.
 */
struct columns_qube {
	struct query *query;
	const struct roster_qube *qube;
	struct columns_bulk *bulk;
};

/*
 * The text of a column; "" where the qube has no such thing.  0; -ENOENT when
 * no qube has; or another negative errno.
 */
must_check int columns_show(struct columns_qube *q, const char *column,
                            char out[static COLUMNS_TEXT], struct fault *f);

/*
 * What the manager's answer about all qubes has behind this one's name, without
 * the end of the line.  0; -ENOENT: nothing; or another negative errno.
 */
must_check int columns_of_all(struct columns_qube *q, const char *method,
                              const char *argument, struct span *out,
                              struct fault *f);

/* Prints the columns and formats there are. */
void columns_print_help(bool formats);
