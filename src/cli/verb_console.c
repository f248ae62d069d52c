/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento console`: a shell of root in a qube, on our terminal.
 */
#include "cli/inside.h"
#include "cli/verbs.h"

struct console_options {
	bool no_start;
};

static int set_nothing(void *to, const char *value, struct fault *f)
{
	(void)to, (void)value, (void)f;
	return 0;
}

static const struct option_row rows[] = {
#define OPTION    OPTIONS_OPTION
#define FLAG(...) OPTIONS_FLAG(struct console_options, __VA_ARGS__)
#include "cli/console.def"
};

static int go(void *options, struct frame_call *c)
{
	const struct console_options *o = options;
	autofree struct environment *env = calloc(1, sizeof(*env));
	autoquery struct query q = QUERY_NONE;
	char *shell[] = {(char *)(uintptr_t) "/bin/sh",
	                 (char *)(uintptr_t) "-l", NULL};
	struct inside i = {
		.qube = c->words[0],
		.start = !o->no_start,
		.user = "root",
		.cwd = "",
		.command = shell,
		.env = env,
		.how = INSIDE_VISIBLE_IF_PLAIN,
	};
	int err = env ? query_init(&q, c)
	              : fault_set(c->fault, -ENOMEM, "out of memory");

	if (err == 0)
		err = environment_begin(env, c->fault);
	if (err == 0) {
		err = inside_run(&i, &q, c->fault);
		if (c->fault->text[0])
			frame_warn(c, "%s", c->fault->text);
	}
	if (env)
		environment_fini(env);
	return err;
}

int verb_console(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct console_options),
		.min = 1,
		.max = 1,
		.go = go,
	};

	return frame_run(&frame, argv);
}
