/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento clone`, qvm-clone: a qube like another.
 */
#include "cli/query.h"
#include "cli/verbs.h"

struct clone_options {
	const char *class;
	const char *label;
};

static const struct option_row rows[] = {
#define TEXT(...) OPTIONS_TEXT(struct clone_options, __VA_ARGS__)
#include "cli/clone.def"
};

static int go(void *options, struct frame_call *c)
{
	const struct clone_options *o = options;
	autoquery struct query a = QUERY_NONE;
	autobuffer struct buffer payload = {0};
	struct client_call call = {
		.method = "bento.Clone",
		.target = c->words[0],
	};
	int err = query_init(&a, c);

	if (err < 0)
		return err;
	buffer_printf(&payload, "name=%s", c->words[1]);
	if (o->class)
		buffer_printf(&payload, " class=%s", o->class);
	if (o->label)
		buffer_printf(&payload, " label=%s", o->label);
	if (payload.bad)
		return fault_set(c->fault, -ENOMEM, "out of memory");
	call.payload = buffer_span(&payload);
	a.doing = "cloning";
	a.measure = "bento.volume.Progress";
	return query_with(&a, &call, c->fault);
}

int verb_clone(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct clone_options),
		.min = 2,
		.max = 2,
		.go = go,
	};

	return frame_run(&frame, argv);
}
