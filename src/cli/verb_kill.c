/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento kill`, qvm-kill: ends qubes at once.
 */
#include "cli/roster.h"
#include "cli/verbs.h"

struct kill {
	bool all;
	struct option_list exclude;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct kill, __VA_ARGS__)
#define LIST(...) OPTIONS_LIST(struct kill, __VA_ARGS__)
#include "cli/kill.def"
};

static int each(struct query *a, const struct roster_qube *q, void *with,
                struct fault *f)
{
	const struct kill *k = with;

	if (k->all && !roster_is_up(q))
		return 0;
	return query(a, "admin.vm.Kill", NULL, q->name, f);
}

static int go(void *options, struct frame_call *c)
{
	struct kill *k = options;
	const struct roster_job job = {k->all, &k->exclude, each, k, NULL};

	return roster_each(&job, c);
}

int verb_kill(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct kill),
		.min = 0,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}
