/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento label`: the colours qubes can have.
 */
#include <stdio.h>
#include <string.h>

#include "cli/json.h"
#include "cli/query.h"
#include "cli/table.h"
#include "cli/verbs.h"

struct label_options {
	bool json;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct label_options, __VA_ARGS__)
#include "cli/label.def"
};

static int list(const struct label_options *o, struct query *a, struct fault *f)
{
	struct table t = {.columns = 2};
	json_t *object = o->json ? json_object() : NULL;
	int err = query(a, "admin.label.List", NULL, NULL, f);
	autofree char *names = err < 0 ? NULL : strdup(query_text(a));
	char *rest = NULL;

	for (char *name = names ? strtok_r(names, "\n", &rest) : NULL;
	     name && err == 0; name = strtok_r(NULL, "\n", &rest)) {
		err = query(a, "admin.label.Get", name, NULL, f);
		table_row(&t);
		table_set(&t, 0, name);
		table_set(&t, 1, query_text(a));
		if (o->json)
			(void)json_object_set_new(object, name,
			                          json_text(query_text(a)));
	}
	if (err < 0)
		json_decref(object);
	else if (o->json)
		err = json_print(object);
	else
		err = table_print(&t, TABLE_COLUMNS, false, stdout);
	table_fini(&t);
	return err;
}

static int create(struct query *a, struct frame_call *c)
{
	struct client_call call = {
		.method = "admin.label.Create",
		.argument = c->words[1],
	};

	if (c->count != 3)
		return frame_usage(c, "usage: create LABEL 0xRRGGBB");
	call.payload = span_str(c->words[2]);
	return query_with(a, &call, c->fault);
}

static int go(void *options, struct frame_call *c)
{
	const char *word = c->count > 0 ? c->words[0] : "list";
	autoquery struct query a = QUERY_NONE;
	int err = query_init(&a, c);

	if (err < 0)
		return err;
	if (strcmp(word, "list") == 0 && c->count <= 1)
		return list(options, &a, c->fault);
	if (strcmp(word, "create") == 0)
		return create(&a, c);
	if (c->count != 2)
		return frame_usage(c,
		                   "what is \"%s\"? list, get LABEL, create "
		                   "LABEL 0xRRGGBB or remove LABEL",
		                   word);
	if (strcmp(word, "remove") == 0)
		return query(&a, "admin.label.Remove", c->words[1], NULL,
		             c->fault);
	if (strcmp(word, "get") != 0)
		return frame_usage(c,
		                   "what is \"%s\"? list, get, create or "
		                   "remove",
		                   word);
	err = query(&a, "admin.label.Get", c->words[1], NULL, c->fault);
	if (err == 0)
		(void)puts(query_text(&a));
	return err;
}

int verb_label(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct label_options),
		.min = 0,
		.max = 3,
		.go = go,
	};

	return frame_run(&frame, argv);
}
