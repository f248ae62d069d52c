/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento prefs`, qvm-prefs: the properties of a qube.
 */
#include "cli/properties.h"
#include "cli/verbs.h"

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct properties, __VA_ARGS__)
#include "cli/prefs.def"
};

static int go(void *options, struct frame_call *c)
{
	return properties_go(options, c, c->words[0], c->words + 1,
	                     c->count - 1);
}

int verb_prefs(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct properties),
		.min = 1,
		.max = 3,
		.go = go,
	};

	return frame_run(&frame, argv);
}
