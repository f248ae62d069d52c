/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento pause`, qvm-pause: stops all that runs in qubes, until unpause.
 */
#include <string.h>

#include "cli/roster.h"
#include "cli/verbs.h"

struct pause {
	bool all;
	struct option_list exclude;
	bool suspend;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct pause, __VA_ARGS__)
#define LIST(...) OPTIONS_LIST(struct pause, __VA_ARGS__)
#include "cli/pause.def"
};

static int each(struct query *a, const struct roster_qube *q, void *with,
                struct fault *f)
{
	const struct pause *p = with;

	if (p->all && strcmp(q->state, "Running") != 0)
		return 0;
	return query(a, p->suspend ? "admin.vm.Suspend" : "admin.vm.Pause",
	             NULL, q->name, f);
}

static int go(void *options, struct frame_call *c)
{
	struct pause *p = options;
	const struct roster_job job = {p->all, &p->exclude, each, p, NULL};

	return roster_each(&job, c);
}

int verb_pause(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct pause),
		.min = 0,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}
