/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento ps`: which programs were started in a qube from outside.
 */
#include <stdio.h>
#include <string.h>

#include "cli/inside.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/verbs.h"

struct ps_options {
	bool raw_data, json;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct ps_options, __VA_ARGS__)
#include "cli/ps.def"
};

/* One program, for people and for machines. */
struct row {
	uint64_t number, seconds;
	char account[CONTROL_TEXT_MAX + 1];
	const char *state, *terminal, *command;
};

static void read_row(const struct control *c, struct row *r)
{
	size_t len = strcspn(c->text, " ");

	*r = (struct row){
		.number = c->value[1],
		.seconds = c->value[3] / 1000000000,
		.state = c->value[2] & CONTROL_LISTED_STOPPED  ? "stopped"
	                 : c->value[2] & CONTROL_LISTED_CLIENT ? "attended"
	                                                       : "alone",
		.terminal = c->value[2] & CONTROL_LISTED_TERMINAL ? "yes"
	                                                          : "no",
		.command = c->text + len + (c->text[len] == ' '),
	};
	memcpy(r->account, c->text, len);
	r->account[len] = '\0';
}

static void say_time(uint64_t seconds, char out[static 32])
{
	if (seconds < 86400)
		(void)snprintf(out, 32, "%02u:%02u:%02u",
		               (unsigned)(seconds / 3600),
		               (unsigned)(seconds / 60 % 60),
		               (unsigned)(seconds % 60));
	else
		(void)snprintf(out, 32, "%llud",
		               (unsigned long long)seconds / 86400);
}

static void add_to_table(struct table *t, const struct row *r)
{
	char number[32], since[32];

	(void)snprintf(number, sizeof(number), "%llu",
	               (unsigned long long)r->number);
	say_time(r->seconds, since);
	table_row(t);
	table_set(t, 0, number);
	table_set(t, 1, r->account);
	table_set(t, 2, r->state);
	table_set(t, 3, r->terminal);
	table_set(t, 4, since);
	table_set(t, 5, r->command);
}

static int add_to_json(json_t *list, const struct row *r)
{
	return json_array_append_new(
		list, json_pack("{s:I, s:s, s:s, s:b, s:I, s:s}", "number",
	                        (json_int_t)r->number, "account", r->account,
	                        "state", r->state, "terminal",
	                        strcmp(r->terminal, "yes") == 0, "seconds",
	                        (json_int_t)r->seconds, "command", r->command));
}

/* Fills both forms.  A large frame: not on its caller's, too. */
__attribute__((noinline)) static int collect(int control, struct table *t,
                                             json_t *list, struct fault *f)
{
	struct control c = {0};
	struct row r;
	int err;

	do {
		err = inside_next(control, c.value[1], &c, f);
		if (err < 0 || c.value[1] == 0)
			return err;
		read_row(&c, &r);
		add_to_table(t, &r);
	} while (add_to_json(list, &r) == 0);
	return fault_set(f, -ENOMEM, "out of memory");
}

static int show(const struct ps_options *o, struct table *t, json_t *list)
{
	if (o->json)
		return json_print(json_incref(list));
	return table_print(t, o->raw_data ? TABLE_RAW : TABLE_COLUMNS,
	                   !o->raw_data, stdout);
}

static int go(void *options, struct frame_call *c)
{
	static const char *const heading[] = {"NUMBER",   "ACCOUNT", "STATE",
	                                      "TERMINAL", "TIME",    "COMMAND"};
	const struct ps_options *o = options;
	autoquery struct query q = QUERY_NONE;
	struct table t = {.columns = ARRAY_LEN(heading)};
	autoclose int control = -1;
	json_t *list = json_array();
	int err = query_init(&q, c);

	if (!o->raw_data)
		table_row(&t);
	for (uint32_t i = 0; i < ARRAY_LEN(heading) && !o->raw_data; i++)
		table_set(&t, i, heading[i]);
	if (err == 0)
		control = inside_connect(c->words[0], false, &q, c->fault);
	if (control < 0)
		err = -ENOTCONN;
	else
		err = collect(control, &t, list, c->fault);
	if (err == 0)
		err = show(o, &t, list);
	json_decref(list);
	table_fini(&t);
	return err;
}

int verb_ps(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct ps_options),
		.min = 1,
		.max = 1,
		.go = go,
	};

	return frame_run(&frame, argv);
}
