/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento ls`, qvm-ls: which qubes there are.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/columns.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/verbs.h"

struct ls {
	const char *format;
	const char *fields;
	const char *sort;
	bool disk, network;
	bool raw_data, raw_list, json, tree;
	bool reverse, ignore_case, all;
	bool running, halted, paused, transient, pending;
	const char *internal, *service;
	bool help_columns, help_formats;
	struct option_list exclude, classes, labels, templates, netvms;
	struct option_list tags, no_tags, features, prefs;
	struct columns columns;
	bool found[COLUMNS_MAX]; /* a qube has this column */
	struct columns_bulk bulk;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct ls, __VA_ARGS__)
#define TEXT(...) OPTIONS_TEXT(struct ls, __VA_ARGS__)
#define LIST(...) OPTIONS_LIST(struct ls, __VA_ARGS__)
#define MANY(...) OPTIONS_MANY(struct ls, __VA_ARGS__)
#include "cli/ls.def"
};

static bool in_list(const struct option_list *l, const char *text)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->item[i], text) == 0)
			return true;
	return false;
}

static bool state_wanted(const struct ls *o, const char *state)
{
	if (!o->running && !o->halted && !o->paused && !o->transient)
		return true;
	return (o->running && strcmp(state, "Running") == 0) ||
	       (o->halted && strcmp(state, "Halted") == 0) ||
	       (o->paused && strcmp(state, "Paused") == 0) ||
	       (o->transient && strcmp(state, "Transient") == 0);
}

/* Is the column one of the values, if any were asked for?  1, 0 or an error. */
static int wanted(struct columns_qube *q, const struct option_list *values,
                  const char *column, struct fault *f)
{
	char text[COLUMNS_TEXT];
	int err;

	if (values->count == 0)
		return 1;
	err = columns_show(q, column, text, f);
	if (err < 0 && err != -ENOENT)
		return err;
	return err == 0 && in_list(values, text);
}

/* Splits "NAME=VALUE"; a value that is missing is "". */
static const char *split(const char *pair, char name[static COLUMNS_TEXT])
{
	size_t len = strcspn(pair, "=");

	(void)snprintf(name, COLUMNS_TEXT, "%.*s", (int)MIN(len, 128), pair);
	return pair[len] ? pair + len + 1 : "";
}

static int has_prefs(struct columns_qube *q, const struct ls *o,
                     struct fault *f)
{
	char name[COLUMNS_TEXT];
	char text[COLUMNS_TEXT];

	for (size_t i = 0; i < o->prefs.count; i++) {
		const char *value = split(o->prefs.item[i], name);
		int err = columns_show(q, name, text, f);

		if (err == -ENOENT)
			return 0;
		if (err < 0)
			return err;
		if (strcmp(text, props_meant(name, value)) != 0)
			return 0;
	}
	return 1;
}

/*
 * What a feature of the qube is, behind its escapes; "" if it has none.  0 or a
 * negative errno.
 */
static int feature_of(struct columns_qube *q, const char *name,
                      struct buffer *out, struct fault *f)
{
	struct span line = {NULL, 0};
	int err = columns_of_all(q, "bento.Feature", name, &line, f);

	if (err < 0 && err != -ENOENT)
		return err;
	buffer_clear(out);
	buffer_put(out, line.at, line.size);
	buffer_text0(out, "");
	if (out->bad)
		return fault_set(f, -ENOMEM, "out of memory");
	props_unescape((char *)out->at);
	return 0;
}

static int has_features(struct columns_qube *q, const struct ls *o,
                        struct fault *f)
{
	autobuffer struct buffer got = {0};
	char name[COLUMNS_TEXT];

	for (size_t i = 0; i < o->features.count; i++) {
		const char *value = split(o->features.item[i], name);
		int err = feature_of(q, name, &got, f);

		if (err < 0)
			return err;
		if (strcmp((char *)got.at, value) != 0)
			return 0;
	}
	return 1;
}

/* Is it as `wish` says, y or n, if that says anything? */
static int has_mark(struct columns_qube *q, const char *feature,
                    const char *wish, struct fault *f)
{
	autobuffer struct buffer got = {0};
	int err = wish ? feature_of(q, feature, &got, f) : 0;

	if (!wish || err < 0)
		return wish ? err : 1;
	return (got.at[0] != '\0') == (wish[0] == 'y');
}

static bool in_tags(const struct option_list *l, struct span tag)
{
	for (size_t i = 0; i < l->count; i++)
		if (span_is(tag, l->item[i]))
			return true;
	return false;
}

static int has_tags(struct columns_qube *q, const struct ls *o, struct fault *f)
{
	bool any = o->tags.count == 0;
	struct span rest;
	int err;

	if (any && o->no_tags.count == 0)
		return 1;
	err = columns_of_all(q, "bento.Tags", NULL, &rest, f);
	if (err < 0)
		return err == -ENOENT ? any : err;
	while (rest.size > 0) {
		struct span tag = {rest.at, 0};

		while (tag.size < rest.size && tag.at[tag.size] != ',')
			tag.size++;
		rest = span_from(rest, tag.size + 1);
		if (in_tags(&o->no_tags, tag))
			return 0;
		any = any || in_tags(&o->tags, tag);
	}
	return any;
}

/* The filters that ask for features, and tags. */
static int marked(struct columns_qube *q, const struct ls *o, struct fault *f)
{
	int yes = has_features(q, o, f);

	if (yes == 1)
		yes = has_mark(q, "internal", o->internal, f);
	if (yes == 1)
		yes = has_mark(q, "servicevm", o->service, f);
	if (yes == 1)
		yes = has_mark(q, "updates-available", o->pending ? "y" : NULL,
		               f);
	if (yes == 1)
		yes = has_tags(q, o, f);
	return yes;
}

/* Is this qube to be shown?  1, 0, or an error. */
static int passes(struct columns_qube *q, const struct ls *o, struct fault *f)
{
	int yes = 1;

	if (in_list(&o->exclude, q->qube->name) ||
	    !state_wanted(o, q->qube->state))
		return 0;
	yes = wanted(q, &o->classes, "class", f);
	if (yes == 1)
		yes = wanted(q, &o->labels, "label", f);
	if (yes == 1)
		yes = wanted(q, &o->templates, "template", f);
	if (yes == 1)
		yes = wanted(q, &o->netvms, "netvm", f);
	if (yes == 1)
		yes = has_prefs(q, o, f);
	if (yes == 1)
		yes = marked(q, o, f);
	return yes;
}

struct branch {
	struct roster_qube qube;
	char *path;
};

/* The names of the netvms above a qube, and its own: "net/firewall/work". */
static int path_of(struct query *a, const struct roster *r,
                   struct columns_bulk *bulk, struct branch *b, struct fault *f)
{
	const struct roster_qube *q = &b->qube;
	autofree char *whole = strdup(q->name);

	for (size_t deep = 0; q && whole && deep < r->count; deep++) {
		struct columns_qube at = {.query = a, .qube = q, .bulk = bulk};
		char netvm[COLUMNS_TEXT];
		char *longer;
		int err = columns_show(&at, "netvm", netvm, f);

		if (err < 0 && err != -ENOENT)
			return err;
		q = err == 0 && netvm[0] ? roster_find(r, netvm) : NULL;
		if (!q)
			break;
		if (asprintf(&longer, "%s/%s", netvm, whole) < 0)
			longer = NULL;
		free(whole);
		whole = longer;
	}
	if (!whole)
		return fault_set(f, -ENOMEM, "out of memory");
	b->path = take_ptr(&whole);
	return 0;
}

static int compare_paths(const void *left, const void *right)
{
	const struct branch *l = left;
	const struct branch *r = right;

	return strcmp(l->path, r->path);
}

/* Puts every qube behind its netvm; depth[] says below how many it is. */
static int order_tree(struct query *a, struct roster *r,
                      struct columns_bulk *bulk, int depth[], struct fault *f)
{
	autofree struct branch *all = calloc(r->count + 1, sizeof(*all));
	int err = all ? 0 : fault_set(f, -ENOMEM, "out of memory");

	for (size_t i = 0; i < r->count && err == 0; i++) {
		all[i].qube = r->qube[i];
		err = path_of(a, r, bulk, &all[i], f);
	}
	if (err == 0)
		qsort(all, r->count, sizeof(*all), compare_paths);
	for (size_t i = 0; i < r->count && all; i++) {
		if (err == 0)
			r->qube[i] = all[i].qube;
		for (const char *at = all[i].path; at && *at; at++)
			depth[i] += *at == '/';
		free(all[i].path);
	}
	return err;
}

/* One row; with --tree the name is moved to the right. */
static int fill(struct table *t, struct columns_qube *q, struct ls *o,
                int depth, struct fault *f)
{
	char text[COLUMNS_TEXT];
	char indented[2 * COLUMNS_TEXT];

	table_row(t);
	for (uint32_t i = 0; i < o->columns.count; i++) {
		int err = columns_show(q, o->columns.name[i], text, f);

		if (err == -ENOENT)
			continue;
		if (err < 0)
			return err;
		o->found[i] = true;
		if (depth > 0 && i == 0) {
			(void)snprintf(indented, sizeof(indented), "%*s\\_ %s",
			               3 * MIN(depth, 32) - 2, "", text);
			table_set(t, i, indented);
		} else if (text[0]) {
			table_set(t, i, text);
		}
	}
	return 0;
}

static void heading(struct table *t, const struct ls *o)
{
	char text[COLUMNS_TEXT];

	table_row(t);
	for (uint32_t i = 0; i < o->columns.count; i++) {
		(void)snprintf(text, sizeof(text), "%s", o->columns.name[i]);
		for (char *at = text; *at; at++)
			*at = (char)toupper((unsigned char)*at);
		table_set(t, i, text);
	}
}

/* A list of objects; what a qube has not is null. */
static int print_json(const struct table *t, const struct ls *o)
{
	json_t *list = json_array();

	for (uint32_t row = 1; row < t->rows; row++) {
		json_t *object = json_object();

		for (uint32_t i = 0; i < o->columns.count; i++) {
			const char *text = table_at(t, row, i);

			(void)json_object_set_new(object, o->columns.name[i],
			                          strcmp(text, "-") == 0
			                                  ? json_null()
			                                  : json_text(text));
		}
		(void)json_array_append_new(list, object);
	}
	return json_print(list);
}

static int print(struct table *t, struct ls *o, struct fault *f)
{
	uint32_t column = o->columns.count;
	int err;

	for (uint32_t i = 0; i < o->columns.count && o->sort; i++)
		if (strcasecmp(o->columns.name[i], o->sort) == 0)
			column = i;
	if (o->sort && column == o->columns.count)
		return fault_set(f, -EINVAL,
		                 "--sort %s: it is none of the columns shown",
		                 o->sort);
	if (o->sort || o->reverse)
		table_sort(t, 1, o->sort ? column : 0, o->reverse,
		           o->ignore_case);
	if (o->json)
		return print_json(t, o);
	err = table_print(
		t, o->raw_data || o->raw_list ? TABLE_RAW : TABLE_COLUMNS, true,
		stdout);
	return err < 0 ? fault_set(f, err, "out of memory") : EXIT_SUCCESS;
}

/* A column that was asked for and none of them has is a mistake. */
static int know_columns(const struct ls *o, const struct table *t,
                        struct fault *f)
{
	for (uint32_t i = 0; i < o->columns.count && t->rows > 1; i++)
		if (o->fields && !o->found[i])
			return fault_set(f, -EINVAL,
			                 "no column named '%s'; those there "
			                 "are: bento ls --help-columns",
			                 o->columns.name[i]);
	return 0;
}

__attribute__((noinline)) /* a large frame: not on its caller's, too */
static int
add_all(struct table *t, struct ls *o, struct query *a, struct roster *r,
        struct fault *f)
{
	autofree int *depth = calloc(r->count + 1, sizeof(*depth));
	int err = depth ? 0 : fault_set(f, -ENOMEM, "out of memory");

	if (err == 0 && o->tree)
		err = order_tree(a, r, &o->bulk, depth, f);
	for (size_t i = 0; i < r->count && err >= 0; i++) {
		struct columns_qube q = {
			.query = a, .qube = &r->qube[i], .bulk = &o->bulk};

		err = passes(&q, o, f);
		if (err > 0)
			err = fill(t, &q, o, depth[i], f);
	}
	return MIN(err, 0);
}

/* "yes", "y", "true" and "1" are yes; what says neither is a mistake. */
static int read_wish(const char **wish, const char *option,
                     struct frame_call *c)
{
	static const char *const yes[] = {"y", "yes", "true", "1"};
	static const char *const no[] = {"n", "no", "false", "0"};

	if (!*wish)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		bool is_yes = strcasecmp(*wish, yes[i]) == 0;

		if (!is_yes && strcasecmp(*wish, no[i]) != 0)
			continue;
		*wish = is_yes ? "y" : "n";
		return 0;
	}
	return frame_usage(c, "--%s is y or n, not \"%s\"", option, *wish);
}

static int choose(struct ls *o, struct frame_call *c)
{
	int err = read_wish(&o->internal, "internal", c);

	if (err == 0)
		err = read_wish(&o->service, "servicevm", c);
	if (err < 0)
		return err;
	if (o->raw_list)
		err = columns_read(&o->columns, "name", false, c->fault);
	else if (o->fields)
		err = columns_read(&o->columns, o->fields, false, c->fault);
	else
		err = columns_read(&o->columns,
		                   o->format    ? o->format
		                   : o->disk    ? "disk"
		                   : o->network ? "network"
		                                : "simple",
		                   true, c->fault);
	c->usage = err < 0;
	return err;
}

static int go(void *options, struct frame_call *c)
{
	struct ls *o = options;
	autoquery struct query a = QUERY_NONE;
	autoroster struct roster r = {0};
	struct table t = {0};
	int err;

	if (o->help_columns || o->help_formats) {
		columns_print_help(o->help_formats);
		return EXIT_SUCCESS;
	}
	err = choose(o, c);
	if (err == 0)
		err = query_init(&a, c);
	if (err == 0)
		err = roster_get(&r, &a, c->fault);
	if (err == 0 && c->count > 0)
		err = roster_pick(&r, c, false, NULL);
	if (err < 0)
		return err;
	t.columns = o->columns.count;
	heading(&t, o);
	err = add_all(&t, o, &a, &r, c->fault);
	if (err == 0)
		err = know_columns(o, &t, c->fault);
	if (err == 0)
		err = print(&t, o, c->fault);
	table_fini(&t);
	columns_bulk_fini(&o->bulk);
	return err;
}

int verb_ls(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct ls),
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}
