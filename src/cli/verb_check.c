/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento check`, qvm-check: are these qubes there, do they run, ...?
 */
#include <stdio.h>
#include <string.h>

#include "cli/props.h"
#include "cli/roster.h"
#include "cli/verbs.h"

#define CHECK_NONE 1 /* none of them */
#define CHECK_SOME 3 /* not all of them */

struct check_options {
	bool running, paused, template, networked;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct check_options, __VA_ARGS__)
#include "cli/check.def"
};

static bool has_netvm(struct query *a, const struct roster_qube *q)
{
	autoprops struct props p = {0};
	const struct props_row *netvm;
	struct fault ignored;

	if (props_get(&p, a, q->name, &ignored) < 0)
		return false;
	netvm = props_find(&p, "netvm");
	return netvm && netvm->value[0];
}

static bool fits(const struct check_options *o, struct query *a,
                 const struct roster_qube *q)
{
	return (!o->running || strcmp(q->state, "Running") == 0) &&
	       (!o->paused || strcmp(q->state, "Paused") == 0) &&
	       (!o->template || strcmp(q->class, "TemplateVM") == 0) &&
	       (!o->networked || has_netvm(a, q));
}

/* "work" or "work, mail": those of `r` that fit, `count` of them. */
static void tell(struct frame_call *c, const struct roster *fit,
                 const char *one, const char *several)
{
	if (c->quiet)
		return;
	if (fit->count == 0) {
		(void)printf("None of the qubes %s\n", one);
		return;
	}
	for (size_t i = 0; i < fit->count; i++)
		(void)printf("%s%s", i ? ", " : "", fit->qube[i].name);
	(void)printf(" %s\n", fit->count == 1 ? one : several);
}

static int go(void *options, struct frame_call *c)
{
	const struct check_options *o = options;
	autoquery struct query a = QUERY_NONE;
	autoroster struct roster r = {0};
	autoroster struct roster fit = {0};
	int err = query_init(&a, c);

	if (err == 0)
		err = roster_get(&r, &a, c->fault);
	if (err < 0)
		return err;
	fit.qube = calloc(c->count, sizeof(*fit.qube));
	if (!fit.qube)
		return fault_set(c->fault, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < c->count; i++) {
		const struct roster_qube *q = roster_find(&r, c->words[i]);

		if (q && fits(o, &a, q))
			fit.qube[fit.count++] = *q;
	}
	if (o->running)
		tell(c, &fit, "is running", "are running");
	else if (o->paused)
		tell(c, &fit, "is paused", "are paused");
	else if (o->template)
		tell(c, &fit, "is a template", "are templates");
	else if (o->networked)
		tell(c, &fit, "has a network", "have a network");
	else
		tell(c, &fit, "exists", "exist");
	return fit.count == c->count ? EXIT_SUCCESS
	       : fit.count == 0      ? CHECK_NONE
	                             : CHECK_SOME;
}

int verb_check(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct check_options),
		.min = 1,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}
