/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento events`: what happens to qubes, as it happens.
 */
#include <stdio.h>
#include <string.h>

#include "admin/client.h"
#include "base/visible.h"
#include "cli/frame.h"
#include "cli/json.h"
#include "cli/verbs.h"

struct events_options {
	bool json;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct events_options, __VA_ARGS__)
#include "cli/events.def"
};

/* "work domain-start start_guid=None" */
static void print_text(const struct reply_event *e)
{
	(void)printf("%s %s", e->subject[0] ? e->subject : "-", e->name);
	for (size_t i = 0; i < e->count; i++) {
		autofree char *value = strdup(e->pair[i].value);

		if (value)
			visible_line(value);
		(void)printf(" %s=%s", e->pair[i].key, value ? value : "");
	}
	(void)putchar('\n');
}

static int print_json(const struct reply_event *e)
{
	json_t *values = json_object();
	json_t *object = json_object();
	int err;

	for (size_t i = 0; i < e->count; i++)
		(void)json_object_set_new(values, e->pair[i].key,
		                          json_text(e->pair[i].value));
	(void)json_object_set_new(object, "subject",
	                          e->subject[0] ? json_text(e->subject)
	                                        : json_null());
	(void)json_object_set_new(object, "event", json_text(e->name));
	(void)json_object_set_new(object, "values", values);
	err = json_dumpf(object, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(object);
	return err;
}

static int go(void *options, struct frame_call *c)
{
	const struct events_options *o = options;
	struct client_events e = {.sock = -1};
	struct reply_event event;
	struct paths paths;
	int err = paths_find(&paths, c->fault);

	if (err == 0)
		err = client_watch(&paths, c->count ? c->words[0] : "dom0", &e,
		                   c->fault);
	while (err == 0 && (err = client_next(&e, &event, c->fault)) > 0) {
		err = 0;
		if (o->json)
			err = print_json(&event);
		else
			print_text(&event);
		/* Whoever reads them wants them now. */
		if (fflush(stdout) != 0 || err < 0)
			err = fault_set(c->fault, -EIO, "cannot write");
	}
	client_events_fini(&e);
	return err;
}

int verb_events(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct events_options),
		.min = 0,
		.max = 1,
		.go = go,
	};

	return frame_run(&frame, argv);
}
