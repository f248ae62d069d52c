/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/columns.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MIB (1u << 20)

typedef int show_function(struct columns_qube *q, const char *column, char *out,
                          struct fault *f);

static show_function show_name, show_state, show_class, show_uuid, show_mem,
	show_cputime, show_disk, show_curr, show_max, show_used, show_crypt,
	show_tags, show_property;

static const struct {
	const char *name;
	show_function *show;
	const char *what;
} known[] = {
#define COLUMN(name, function, what) {name, show_##function, what},
#include "cli/columns.def"
};

static const struct {
	const char *name;
	const char *columns;
} formats[] = {
#define FORMAT(name, columns) {name, columns},
#include "cli/formats.def"
};

static int put(char *out, const char *text)
{
	(void)snprintf(out, COLUMNS_TEXT, "%s", text);
	return 0;
}

static int show_name(struct columns_qube *q, const char *column, char *out,
                     struct fault *f)
{
	(void)column, (void)f;
	return put(out, q->qube->name);
}

static int show_state(struct columns_qube *q, const char *column, char *out,
                      struct fault *f)
{
	(void)column, (void)f;
	return put(out, q->qube->state);
}

static int show_class(struct columns_qube *q, const char *column, char *out,
                      struct fault *f)
{
	(void)column, (void)f;
	return put(out, q->qube->class);
}

static int show_uuid(struct columns_qube *q, const char *column, char *out,
                     struct fault *f)
{
	(void)column, (void)f;
	return put(out, q->qube->uuid);
}

/* The number behind "KEY=" at the front of a word or line; or 0. */
static uint64_t number(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = text; (at = strstr(at, key)); at += len)
		if ((at == text || at[-1] == ' ' || at[-1] == '\n') &&
		    at[len] == '=')
			return strtoull(at + len + 1, NULL, 10);
	return 0;
}

/* ---- what is asked for all qubes at once ---- */

/* Asks, once. */
static int ask_all(struct columns_qube *q, const char *method,
                   const char *argument, uint32_t *index, struct fault *f)
{
	struct columns_bulk *b = q->bulk;
	char name[COLUMNS_TEXT];
	int err;

	(void)snprintf(name, sizeof(name), "%s+%s", method,
	               argument ? argument : "");
	for (*index = 0; *index < b->count; ++*index)
		if (strcmp(b->of[*index].name, name) == 0)
			return 0;
	if (b->count == COLUMNS_MAX)
		return fault_set(f, -E2BIG, "too many columns");
	err = query(q->query, method, argument, NULL, f);
	if (err < 0)
		return err;
	b->of[*index].text = strdup(query_text(q->query));
	if (!b->of[*index].text)
		return fault_set(f, -ENOMEM, "out of memory");
	b->of[*index].at = b->of[*index].text;
	(void)put(b->of[*index].name, name);
	b->count++;
	return 0;
}

/* The value in the line of a qube between `from` and `to`, or NULL. */
static char *line_of(char *from, const char *to, const char *qube)
{
	size_t len = strlen(qube);

	while (from < to) {
		size_t size = strcspn(from, "\n");

		if (size > len && strncmp(from, qube, len) == 0 &&
		    from[len] == ' ')
			return from + len + 1;
		from += size + (from[size] == '\n');
	}
	return NULL;
}

int columns_of_all(struct columns_qube *q, const char *method,
                   const char *argument, struct span *out, struct fault *f)
{
	char *value, *text, *end;
	uint32_t i;
	int err = ask_all(q, method, argument, &i, f);

	if (err < 0)
		return err;
	text = q->bulk->of[i].text;
	end = text + strlen(text);
	/* They are in the order in which qubes are listed, mostly. */
	value = line_of(q->bulk->of[i].at, end, q->qube->name);
	if (!value)
		value = line_of(text, end, q->qube->name);
	if (!value)
		return -ENOENT;
	*out = (struct span){(const uint8_t *)value, strcspn(value, "\n")};
	q->bulk->of[i].at = value + out->size;
	q->bulk->of[i].at += q->bulk->of[i].at < end;
	return 0;
}

/* The same, as much of it as a column has room for. */
static int of_all(struct columns_qube *q, const char *method,
                  const char *argument, char *out, struct fault *f)
{
	struct span line;
	int err = columns_of_all(q, method, argument, &line, f);

	if (err == 0)
		(void)snprintf(out, COLUMNS_TEXT, "%.*s", (int)line.size,
		               (const char *)line.at);
	return err;
}

static int current(struct columns_qube *q, const char *key, uint64_t unit,
                   char *out, struct fault *f)
{
	char line[COLUMNS_TEXT];
	int err;

	if (!roster_is_up(q->qube))
		return 0;
	err = of_all(q, "bento.States", NULL, line, f);
	/* It has ended meanwhile. */
	if (err == -ENOENT)
		return 0;
	if (err == 0)
		(void)snprintf(out, COLUMNS_TEXT, "%" PRIu64,
		               number(line, key) / unit);
	return err;
}

static int show_mem(struct columns_qube *q, const char *column, char *out,
                    struct fault *f)
{
	(void)column;
	return current(q, "mem", 1024, out, f);
}

static int show_cputime(struct columns_qube *q, const char *column, char *out,
                        struct fault *f)
{
	(void)column;
	return current(q, "cputime", 1000, out, f);
}

/* The line of all qubes' volumes that is about it. */
static int volumes(struct columns_qube *q, char line[static COLUMNS_TEXT],
                   struct fault *f)
{
	line[0] = 0;
	return of_all(q, "bento.Volumes", NULL, line, f);
}

/* VOLUME-WHAT= in that line. */
static uint64_t volume_number(const char *line, const char *volume,
                              const char *what)
{
	char key[32];

	(void)snprintf(key, sizeof(key), "%s-%s", volume, what);
	return number(line, key);
}

/* "priv-curr" and "root-curr" are about these. */
static const char *volume_name(const char *column)
{
	return column[0] == 'r' ? "root" : "private";
}

static int show_curr(struct columns_qube *q, const char *column, char *out,
                     struct fault *f)
{
	char line[COLUMNS_TEXT];
	int err = volumes(q, line, f);

	if (err == 0 && volume_number(line, volume_name(column), "size"))
		(void)snprintf(
			out, COLUMNS_TEXT, "%" PRIu64,
			volume_number(line, volume_name(column), "usage") /
				MIB);
	return err;
}

static int show_max(struct columns_qube *q, const char *column, char *out,
                    struct fault *f)
{
	char line[COLUMNS_TEXT];
	int err = volumes(q, line, f);
	uint64_t size = volume_number(line, volume_name(column), "size");

	if (err == 0 && size)
		(void)snprintf(out, COLUMNS_TEXT, "%" PRIu64, size / MIB);
	return err;
}

static int show_used(struct columns_qube *q, const char *column, char *out,
                     struct fault *f)
{
	char line[COLUMNS_TEXT];
	int err = volumes(q, line, f);
	uint64_t size = volume_number(line, volume_name(column), "size");

	if (err == 0 && size >= 100)
		(void)snprintf(
			out, COLUMNS_TEXT, "%" PRIu64 "%%",
			volume_number(line, volume_name(column), "usage") /
				(size / 100));
	return err;
}

static int show_disk(struct columns_qube *q, const char *column, char *out,
                     struct fault *f)
{
	char line[COLUMNS_TEXT];
	int err = volumes(q, line, f);

	(void)column;
	if (err == 0 && strcmp(q->qube->class, "AdminVM") != 0)
		(void)snprintf(out, COLUMNS_TEXT, "%" PRIu64,
		               (volume_number(line, "root", "usage") +
		                volume_number(line, "private", "usage")) /
		                       MIB);
	return err;
}

static int show_crypt(struct columns_qube *q, const char *column, char *out,
                      struct fault *f)
{
	static const char key[] = "private-encryption=";
	char line[COLUMNS_TEXT];
	int err = volumes(q, line, f);
	const char *at = strstr(line, key);

	(void)column;
	if (err == 0 && at)
		(void)snprintf(out, COLUMNS_TEXT, "%.*s",
		               (int)strcspn(at + strlen(key), " "),
		               at + strlen(key));
	return err;
}

static int show_tags(struct columns_qube *q, const char *column, char *out,
                     struct fault *f)
{
	(void)column;
	return of_all(q, "bento.Tags", NULL, out, f);
}

static int show_property(struct columns_qube *q, const char *column, char *out,
                         struct fault *f)
{
	char name[COLUMNS_TEXT];
	int err;

	(void)snprintf(name, sizeof(name), "%s", column);
	for (char *at = name; *at; at++)
		*at = *at == '-' ? '_' : *at;
	err = of_all(q, "bento.Property", name, out, f);
	if (err == 0)
		props_unescape(out);
	return err;
}

int columns_show(struct columns_qube *q, const char *column,
                 char out[static COLUMNS_TEXT], struct fault *f)
{
	out[0] = 0;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(known[i].name, column) == 0)
			return known[i].show(q, column, out, f);
	return show_property(q, column, out, f);
}

void columns_bulk_fini(struct columns_bulk *b)
{
	for (uint32_t i = 0; i < b->count; i++)
		free(b->of[i].text);
	b->count = 0;
}

static int add(struct columns *to, const char *at, size_t len, struct fault *f)
{
	char *name;

	if (to->count == COLUMNS_MAX || len >= COLUMNS_TEXT)
		return fault_set(f, -EINVAL, "too many columns");
	name = to->name[to->count++];
	for (size_t i = 0; i < len; i++)
		name[i] = (char)tolower((unsigned char)at[i]);
	name[len] = 0;
	return 0;
}

int columns_read(struct columns *to, const char *text, bool format,
                 struct fault *f)
{
	const char *list = format ? NULL : text;

	for (size_t i = 0; i < ARRAY_LEN(formats) && format; i++)
		if (strcmp(formats[i].name, text) == 0)
			list = formats[i].columns;
	if (!list)
		return fault_set(f, -EINVAL,
		                 "no format named '%s'; those there are: bento "
		                 "ls --help-formats",
		                 text);
	to->count = 0;
	while (*list) {
		size_t len = strcspn(list, ",");
		int err = len ? add(to, list, len, f) : 0;

		if (err < 0)
			return err;
		list += len + (list[len] == ',');
	}
	if (to->count == 0)
		return fault_set(f, -EINVAL, "no columns");
	return 0;
}

void columns_print_help(bool which_formats)
{
	for (size_t i = 0; i < ARRAY_LEN(formats) && which_formats; i++)
		(void)printf("%-9s %s\n", formats[i].name, formats[i].columns);
	for (size_t i = 0; i < ARRAY_LEN(known) && !which_formats; i++)
		(void)printf("%-10s %s\n", known[i].name, known[i].what);
	if (!which_formats)
		(void)puts("and every property, see bento prefs "
		           "--help-properties");
}
