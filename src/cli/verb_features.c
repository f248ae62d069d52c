/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento features`, qvm-features: what else is noted of a qube.
 */
#include <stdio.h>

#include "base/visible.h"
#include "cli/featureset.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/verbs.h"

struct features_options {
	bool unset;
	bool json;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct features_options, __VA_ARGS__)
#include "cli/features.def"
};

static int each(void *with, const char *name, const char *value)
{
	struct table *t = with;

	table_row(t);
	table_set(t, 0, name);
	table_set(t, 1, value);
	return 0;
}

static int each_json(void *with, const char *name, const char *value)
{
	return json_object_set_new(with, name, json_text(value));
}

static int list(const struct features_options *o, struct query *a,
                struct frame_call *c)
{
	struct table t = {.columns = 2};
	json_t *object = o->json ? json_object() : NULL;
	int err = featureset_each(a, c->words[0], o->json ? each_json : each,
	                          o->json ? (void *)object : &t, c->fault);

	if (err < 0) {
		json_decref(object);
	} else if (o->json) {
		err = json_print(object);
	} else {
		err = table_print(&t, TABLE_COLUMNS, false, stdout);
		if (err < 0)
			err = fault_set(c->fault, err, "out of memory");
	}
	table_fini(&t);
	return err;
}

/* As qvm-features: what is not there is exit status 1, and not a word. */
static int get(struct query *a, struct frame_call *c)
{
	int err = query(a, "admin.vm.feature.Get", c->words[1], c->words[0],
	                c->fault);

	if (err < 0 && query_refused(a, "QubesFeatureNotFoundError"))
		return EXIT_FAILURE;
	if (err < 0)
		return err;
	if (isatty(STDOUT_FILENO))
		visible_line((char *)(uintptr_t)query_text(a));
	(void)puts(query_text(a));
	return EXIT_SUCCESS;
}

static int go(void *options, struct frame_call *c)
{
	const struct features_options *o = options;
	autoquery struct query a = QUERY_NONE;
	struct client_call set = {
		.method = "admin.vm.feature.Set",
		.argument = c->words[1],
		.target = c->words[0],
	};
	int err = query_init(&a, c);

	if (err < 0)
		return err;
	if (o->unset && c->count != 2)
		return frame_usage(c, "--unset: which feature?");
	if (o->unset)
		return query(&a, "admin.vm.feature.Remove", c->words[1],
		             c->words[0], c->fault);
	if (c->count == 1)
		return list(o, &a, c);
	if (c->count == 2)
		return get(&a, c);
	set.payload = span_str(c->words[2]);
	return query_with(&a, &set, c->fault);
}

int verb_features(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct features_options),
		.min = 1,
		.max = 3,
		.go = go,
	};

	return frame_run(&frame, argv);
}
