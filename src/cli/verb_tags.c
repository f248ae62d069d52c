/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento tags`, qvm-tags: the tags of a qube.
 */
#include <stdio.h>
#include <string.h>

#include "cli/json.h"
#include "cli/query.h"
#include "cli/verbs.h"

struct tags_options {
	bool json;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct tags_options, __VA_ARGS__)
#include "cli/tags.def"
};

static int print_tags(const struct tags_options *o, struct query *a)
{
	const char *at = query_text(a);
	json_t *list = o->json ? json_array() : NULL;

	while (*at && o->json) {
		size_t len = strcspn(at, "\n");

		(void)json_array_append_new(list, json_stringn(at, len));
		at += len + (at[len] == '\n');
	}
	if (o->json)
		return json_print(list);
	(void)fputs(at, stdout);
	return EXIT_SUCCESS;
}

/* "1" or "0" becomes the exit status; the tag is printed as qvm-tags does. */
static int has(struct query *a, const char *qube, const char *tag,
               struct fault *f)
{
	int err = query(a, "admin.vm.tag.Get", tag, qube, f);

	if (err < 0)
		return err;
	if (query_text(a)[0] != '1')
		return EXIT_FAILURE;
	(void)puts(tag);
	return EXIT_SUCCESS;
}

static const struct {
	const char *word;
	const char *method; /* NULL: list */
} acts[] = {
	{"list", NULL},
	{"ls", NULL},
	{"l", NULL},
	{"add", "admin.vm.tag.Set"},
	{"a", "admin.vm.tag.Set"},
	{"set", "admin.vm.tag.Set"},
	{"del", "admin.vm.tag.Remove"},
	{"d", "admin.vm.tag.Remove"},
	{"unset", "admin.vm.tag.Remove"},
	{"u", "admin.vm.tag.Remove"},
};

static int change(struct query *a, const char *method, struct frame_call *c)
{
	if (c->count < 3)
		return frame_usage(c, "which tag?");
	for (uint32_t i = 2; i < c->count; i++) {
		int err = query(a, method, c->words[i], c->words[0], c->fault);

		if (err < 0)
			return err;
	}
	return EXIT_SUCCESS;
}

static int list(const struct tags_options *o, struct query *a,
                struct frame_call *c)
{
	int err;

	if (c->count > 3)
		return frame_usage(c, "one tag at most can be looked for");
	if (c->count == 3)
		return has(a, c->words[0], c->words[2], c->fault);
	err = query(a, "admin.vm.tag.List", NULL, c->words[0], c->fault);
	return err < 0 ? err : print_tags(o, a);
}

static int go(void *options, struct frame_call *c)
{
	const struct tags_options *o = options;
	const char *word = c->count > 1 ? c->words[1] : "list";
	autoquery struct query a = QUERY_NONE;
	int err = query_init(&a, c);

	if (err < 0)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		if (strcmp(acts[i].word, word) != 0)
			continue;
		return acts[i].method ? change(&a, acts[i].method, c)
		                      : list(o, &a, c);
	}
	return frame_usage(c, "what is \"%s\"? list, add or del", word);
}

int verb_tags(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct tags_options),
		.min = 1,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}
