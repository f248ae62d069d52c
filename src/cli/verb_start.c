/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento start`, qvm-start: starts qubes.
 */
#include "cli/roster.h"
#include "cli/verbs.h"

struct start_options {
	bool all;
	struct option_list exclude;
	bool skip;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct start_options, __VA_ARGS__)
#define LIST(...) OPTIONS_LIST(struct start_options, __VA_ARGS__)
#include "cli/start.def"
};

static int each(struct query *a, const struct roster_qube *q, void *with,
                struct fault *f)
{
	const struct start_options *s = with;

	if (roster_is_up(q))
		return s->skip || s->all ? 0
		                         : fault_set(f, -EALREADY,
		                                     "it runs already "
		                                     "(--skip-if-running makes "
		                                     "that no failure)");
	return query(a, "admin.vm.Start", NULL, q->name, f);
}

static int go(void *options, struct frame_call *c)
{
	struct start_options *s = options;
	const struct roster_job job = {s->all, &s->exclude, each, s,
	                               "starting"};

	return roster_each(&job, c);
}

int verb_start(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct start_options),
		.min = 0,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}
