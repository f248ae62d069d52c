/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento unpause`, qvm-unpause: lets paused qubes go on.
 */
#include <string.h>

#include "cli/roster.h"
#include "cli/verbs.h"

struct unpause {
	bool all;
	struct option_list exclude;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct unpause, __VA_ARGS__)
#define LIST(...) OPTIONS_LIST(struct unpause, __VA_ARGS__)
#include "cli/unpause.def"
};

static int each(struct query *a, const struct roster_qube *q, void *with,
                struct fault *f)
{
	const struct unpause *u = with;
	bool suspended = strcmp(q->state, "Suspended") == 0;

	if (u->all && !suspended && strcmp(q->state, "Paused") != 0)
		return 0;
	return query(a, suspended ? "admin.vm.Resume" : "admin.vm.Unpause",
	             NULL, q->name, f);
}

static int go(void *options, struct frame_call *c)
{
	struct unpause *u = options;
	const struct roster_job job = {u->all, &u->exclude, each, u, NULL};

	return roster_each(&job, c);
}

int verb_unpause(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct unpause),
		.min = 0,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}
