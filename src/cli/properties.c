/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/properties.h"

#include <stdio.h>
#include <string.h>

#include "base/visible.h"
#include "cli/json.h"
#include "cli/table.h"

#define NAME_MAX_LEN 63u

struct act {
	struct query *query;
	const char *target;
	char name[NAME_MAX_LEN + 1];
	struct fault *fault;
};

/* admin.property.* for the installation, admin.vm.property.* for a qube. */
static int call(struct act *a, const char *what, const char *payload)
{
	char method[64];
	const struct client_call call = {
		.method = method,
		.argument = a->name,
		.target = a->target,
		.payload = span_str(payload),
	};

	(void)snprintf(method, sizeof(method), "admin.%sproperty.%s",
	               a->target ? "vm." : "", what);
	return query_with(a->query, &call, a->fault);
}

static int print_one(struct act *a)
{
	struct props_row r;
	int err = call(a, "Get", "");

	if (err == 0)
		err = props_one(a->query, &r, a->fault);
	if (err < 0)
		return err;
	if (isatty(STDOUT_FILENO))
		visible_filter((char *)(uintptr_t)r.value, strlen(r.value));
	/* As qvm-prefs: a qube that is none is nothing. */
	if (r.value[0] || strcmp(r.type, "vm") != 0)
		(void)puts(r.value);
	return EXIT_SUCCESS;
}

static int print_help(struct act *a)
{
	autoprops struct props all = {0};
	int err = props_get(&all, a->query, a->target, a->fault);

	for (size_t i = 0; i < all.count && err == 0; i++) {
		(void)snprintf(a->name, sizeof(a->name), "%s", all.row[i].name);
		err = call(a, "Help", "");
		if (err == 0)
			(void)printf("%s\n    %s\n", a->name,
			             query_text(a->query));
	}
	return err;
}

static int print_json(const struct props *all)
{
	json_t *object = json_object();

	for (size_t i = 0; i < all->count; i++) {
		const struct props_row *r = &all->row[i];
		const char *shown = props_shown(r);

		(void)json_object_set_new(
			object, r->name,
			json_pack("{s:o, s:b, s:s}", "value",
		                  shown == r->value ? json_text(r->value)
		                                    : json_null(),
		                  "default", r->is_default, "type", r->type));
	}
	return json_print(object);
}

/* As qvm-prefs: the name, D for a default, the value. */
static int print_all(struct act *a, const struct properties *o)
{
	autoprops struct props all = {0};
	struct table t = {.columns = 3};
	int err = props_get(&all, a->query, a->target, a->fault);

	if (err < 0)
		return err;
	if (o->json)
		return print_json(&all);
	for (size_t i = 0; i < all.count; i++) {
		const struct props_row *r = &all.row[i];

		if (r->is_default && o->hide_default)
			continue;
		table_row(&t);
		table_set(&t, 0, r->name);
		table_set(&t, 1, r->is_default ? "D" : "-");
		table_set(&t, 2, props_shown(r));
	}
	table_sort(&t, 0, 0, false, false);
	err = table_print(&t, TABLE_COLUMNS, false, stdout);
	table_fini(&t);
	return err < 0 ? fault_set(a->fault, err, "out of memory") : 0;
}

static int take_name(struct act *a, struct frame_call *c, const char *word)
{
	if (strlen(word) > NAME_MAX_LEN)
		return frame_usage(c, "no property has a name that long");
	(void)snprintf(a->name, sizeof(a->name), "%s", word);
	for (char *at = a->name; *at; at++)
		if (*at == '-')
			*at = '_';
	return 0;
}

int properties_go(const struct properties *o, struct frame_call *c,
                  const char *target, char *const words[], uint32_t count)
{
	autoquery struct query q = QUERY_NONE;
	struct act a = {.query = &q, .target = target, .fault = c->fault};
	int err;

	if (o->get + o->set + o->unset > 1)
		return frame_usage(c, "get, set or unset? one of them");
	if ((o->unset && count != 1) || (o->set && count != 2) ||
	    (o->get && count > 1))
		return frame_usage(c, "usage: NAME and VALUE to set, NAME to "
		                      "unset or get");
	err = query_init(&q, c);
	if (err < 0)
		return err;
	if (o->help_properties)
		return print_help(&a);
	if (count == 0)
		return print_all(&a, o);
	err = take_name(&a, c, words[0]);
	if (err < 0)
		return err;
	if (o->unset)
		return call(&a, "Reset", "");
	if (count == 2)
		return call(&a, "Set", props_meant(a.name, words[1]));
	return print_one(&a);
}
