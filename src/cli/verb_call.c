/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento call`: calls a service of a qube, from the user's own session.
 */
#include <string.h>

#include "cli/dial.h"
#include "cli/verbs.h"

struct call_options {
	const char *user;
	const char *base; /* of --dispvm, or NULL */
	bool disp, no_start, no_filter;
};

static int set_disp(void *to, const char *value, struct fault *f)
{
	struct call_options *o = to;

	(void)f;
	o->disp = true;
	o->base = value;
	return 0;
}

static const struct option_row rows[] = {
#define OPTION    OPTIONS_OPTION
#define FLAG(...) OPTIONS_FLAG(struct call_options, __VA_ARGS__)
#define TEXT(...) OPTIONS_TEXT(struct call_options, __VA_ARGS__)
#define LIST(...) OPTIONS_LIST(struct call_options, __VA_ARGS__)
#include "cli/call.def"
};

static int go(void *options, struct frame_call *c)
{
	const struct call_options *o = options;
	uint32_t first = o->disp ? 0 : 1;
	autoquery struct query q = QUERY_NONE;
	struct dial d = {
		.qube = o->disp ? o->base : c->words[0],
		.disposable = o->disp,
		.user = o->user,
		.no_start = o->no_start,
	};
	int streams[CALLMSG_STREAMS];
	char **command;
	int status;

	if (c->count <= first)
		return frame_usage(c, "call what? %s [OPTION...] QUBE SERVICE",
		                   c->prefix);
	d.service = c->words[first];
	if (query_init(&q, c) < 0 || dial_open(&d, &q, streams, c->fault) < 0) {
		frame_warn(c, "%s", c->fault->text);
		return VERBS_OURS;
	}
	query_fini(&q);
	q = (struct query)QUERY_NONE;
	command = c->words + first + 1;
	if (*command && strcmp(*command, "--") == 0)
		command++;
	if (*command) {
		status = dial_command(streams, command, c->fault);
		if (c->fault->text[0])
			frame_warn(c, "%s", c->fault->text);
		return status;
	}
	status = dial_carry(streams, o->no_filter ? 0 : DIAL_VISIBLE);
	if (status == CALLMSG_EXIT_NO_SERVICE)
		frame_warn(c, "status 127: most likely there is no service %s",
		           d.service);
	return status;
}

int verb_call(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct call_options),
		.min = 1,
		.max = FRAME_ANY,
		.most = 2,
		.go = go,
	};

	return frame_run(&frame, argv);
}
