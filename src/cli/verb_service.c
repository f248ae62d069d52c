/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento service`, qvm-service: services that a qube shall start.
 */
#include <stdio.h>
#include <string.h>

#include "admin/request.h"
#include "cli/featureset.h"
#include "cli/table.h"
#include "cli/verbs.h"

struct service_options {
	bool list, enable, disable, unset;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct service_options, __VA_ARGS__)
#include "cli/service.def"
};

/* A service is a feature of this name; the value is "1", or "" for off. */
#define PREFIX "service."

static int each(void *with, const char *name, const char *value)
{
	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	table_row(with);
	table_set(with, 0, name + strlen(PREFIX));
	table_set(with, 1, value[0] ? "on" : "off");
	return 0;
}

static int list(struct query *a, struct frame_call *c)
{
	struct table t = {.columns = 2};
	int err = featureset_each(a, c->words[0], each, &t, c->fault);

	if (err == 0)
		err = table_print(&t, TABLE_COLUMNS, false, stdout);
	table_fini(&t);
	return err;
}

static const struct {
	const char *word;
	bool on;
} words[] = {
	{"on", true},   {"yes", true}, {"true", true},   {"1", true},
	{"off", false}, {"no", false}, {"false", false}, {"0", false},
};

/* 1 or 0; -1 for nothing said, -EINVAL for nonsense. */
static int wanted(const struct service_options *o, struct frame_call *c)
{
	if (o->enable || o->disable)
		return o->enable;
	if (c->count < 3)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].word, c->words[2]) == 0)
			return words[i].on;
	return frame_usage(c, "what is \"%s\"? on or off", c->words[2]);
}

static int get(struct query *a, const char *feature, struct frame_call *c)
{
	int err = query(a, "admin.vm.feature.Get", feature, c->words[0],
	                c->fault);

	if (err < 0 && query_refused(a, "QubesFeatureNotFoundError"))
		return EXIT_FAILURE;
	if (err < 0)
		return err;
	(void)puts(query_text(a)[0] ? "on" : "off");
	return EXIT_SUCCESS;
}

static int go(void *options, struct frame_call *c)
{
	const struct service_options *o = options;
	autoquery struct query a = QUERY_NONE;
	char feature[REQUEST_WORD_MAX + 1];
	struct client_call set = {
		.method = "admin.vm.feature.Set",
		.argument = feature,
		.target = c->words[0],
	};
	int on, err = query_init(&a, c);

	if (err < 0)
		return err;
	if (o->list + o->enable + o->disable + o->unset > 1)
		return frame_usage(c, "list, enable, disable or unset? one of "
		                      "them");
	if (o->list || c->count == 1)
		return list(&a, c);
	(void)snprintf(feature, sizeof(feature), PREFIX "%s", c->words[1]);
	if (o->unset)
		return query(&a, "admin.vm.feature.Remove", feature,
		             c->words[0], c->fault);
	on = wanted(o, c);
	if (on == -1)
		return get(&a, feature, c);
	if (on < 0)
		return on;
	set.payload = span_str(on ? "1" : "");
	return query_with(&a, &set, c->fault);
}

int verb_service(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct service_options),
		.min = 1,
		.max = 3,
		.go = go,
	};

	return frame_run(&frame, argv);
}
