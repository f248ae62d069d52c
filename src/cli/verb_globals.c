/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento globals`, qubes-prefs: the properties of the whole installation.
 */
#include "cli/properties.h"
#include "cli/verbs.h"

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct properties, __VA_ARGS__)
#include "cli/globals.def"
};

static int go(void *options, struct frame_call *c)
{
	return properties_go(options, c, NULL, c->words, c->count);
}

int verb_globals(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct properties),
		.min = 0,
		.max = 2,
		.go = go,
	};

	return frame_run(&frame, argv);
}
