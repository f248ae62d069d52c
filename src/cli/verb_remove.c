/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento remove`, qvm-remove: qubes, and all that is in them, for good.
 */
#include <stdio.h>

#include "cli/roster.h"
#include "cli/verbs.h"

struct remove_options {
	bool all;
	struct option_list exclude;
	bool force;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct remove_options, __VA_ARGS__)
#define LIST(...) OPTIONS_LIST(struct remove_options, __VA_ARGS__)
#include "cli/remove.def"
};

/* Shows what will go and asks.  True for a yes. */
static bool sure(const struct roster *r)
{
	char answer[16] = "";

	(void)fprintf(stderr,
	              "This removes for good, with all that is in %s:\n",
	              r->count == 1 ? "it" : "them");
	for (size_t i = 0; i < r->count; i++)
		(void)fprintf(stderr, "  %s\n", r->qube[i].name);
	(void)fputs("Are you sure? [y/N] ", stderr);
	return fgets(answer, sizeof(answer), stdin) &&
	       (answer[0] == 'y' || answer[0] == 'Y');
}

static int ask_first(const struct remove_options *o, struct frame_call *c)
{
	autoquery struct query a = QUERY_NONE;
	autoroster struct roster r = {0};
	int err;

	if (o->force || (c->count == 0 && !o->all))
		return 0;
	err = query_init(&a, c);
	if (err == 0)
		err = roster_get(&r, &a, c->fault);
	if (err == 0)
		err = roster_pick(&r, c, o->all, &o->exclude);
	if (err < 0)
		return err;
	if (r.count > 0 && !sure(&r))
		return fault_set(c->fault, -ECANCELED, "nothing was removed");
	return 0;
}

static int each(struct query *a, const struct roster_qube *q, void *with,
                struct fault *f)
{
	(void)with;
	return query(a, "admin.vm.Remove", NULL, q->name, f);
}

static int go(void *options, struct frame_call *c)
{
	struct remove_options *o = options;
	const struct roster_job job = {o->all, &o->exclude, each, o,
	                               "removing"};
	int err = ask_first(o, c);

	return err < 0 ? err : roster_each(&job, c);
}

int verb_remove(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct remove_options),
		.min = 0,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}
