/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "cli/nearest.h"

/* The words of a command line on their way to the rows. */
struct scan {
	const struct option_row *rows;
	size_t count;
	void *to;
	char *const *argv;
	int at; /* of the word that is read */
	struct fault *fault;
};

/* "--no could be --no-shell, --no-start" */
static int ambiguous(const struct scan *s, const char *text, size_t len)
{
	char names[160] = "";
	size_t at = 0;

	for (size_t i = 0; i < s->count; i++)
		if (strncmp(s->rows[i].name, text, len) == 0 &&
		    at < sizeof(names))
			at += (size_t)snprintf(names + at, sizeof(names) - at,
			                       "%s--%s", at ? ", " : "",
			                       s->rows[i].name);
	return fault_set(s->fault, -EINVAL, "which option is --%.*s? %s",
	                 (int)len, text, names);
}

/* "no such option: --lable; did you mean --label?" */
static int unknown(const struct scan *s, const char *text, size_t len)
{
	char name[NEAREST_MAX + 1] = "";
	struct nearest n = {.to = name};

	(void)snprintf(name, sizeof(name), "%.*s", (int)len, text);
	for (size_t i = 0; i < s->count && len > 0; i++)
		nearest_see(&n, s->rows[i].name);
	return fault_set(s->fault, -EINVAL, "no such option: --%.*s; %s%s%s",
	                 (int)len, text,
	                 n.best ? "did you mean --" : "--help names them",
	                 n.best ? n.best : "", n.best ? "?" : "");
}

/*
 * The row of "name" or "name=value", and the value.  A name may be cut short as
 * long as it can mean one option only.
 */
static int find(const struct scan *s, const char *text, const char **value,
                const struct option_row **out)
{
	size_t len = strcspn(text, "=");
	size_t like = 0;

	*value = text[len] ? text + len + 1 : NULL;
	for (size_t i = 0; i < s->count; i++) {
		const struct option_row *row = &s->rows[i];

		if (len == 0 || strncmp(row->name, text, len) != 0)
			continue;
		*out = row;
		if (!row->name[len])
			return 0;
		like++;
	}
	if (like == 0)
		return unknown(s, text, len);
	return like > 1 ? ambiguous(s, text, len) : 0;
}

static const struct option_row *find_letter(const struct scan *s, char letter)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->rows[i].letter == letter)
			return &s->rows[i];
	return NULL;
}

static bool takes_value(const struct option_row *row)
{
	return row->need == OPTION_VALUE || row->need == OPTION_TEXT ||
	       row->need == OPTION_LIST || row->need == OPTION_MANY;
}

/* Not "-" alone, which is a word, and not "--", which ends them. */
static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] && strcmp(word, "--") != 0;
}

static int add(struct option_list *l, const char *value, struct fault *f)
{
	if (l->count == ARRAY_LEN(l->item))
		return fault_set(f, -E2BIG, "too many values, the last is %s",
		                 value);
	l->item[l->count++] = value;
	return 0;
}

static int store(struct scan *s, const struct option_row *row,
                 const char *value)
{
	void *place = (char *)s->to + row->at;

	if (row->set)
		return row->set(s->to, value, s->fault);
	if (row->need == OPTION_FLAG)
		*(bool *)place = true;
	else if (row->need == OPTION_TEXT)
		*(const char **)place = value;
	else
		return add(place, value, s->fault);
	return 0;
}

/* The words behind the first value of an option that takes several. */
static int store_more(struct scan *s, const struct option_row *row)
{
	while (s->argv[s->at + 1] && s->argv[s->at + 1][0] != '-') {
		int err = store(s, row, s->argv[++s->at]);

		if (err < 0)
			return err;
	}
	return 0;
}

/* The row is known, and so is a value that was in the same word. */
static int take(struct scan *s, const struct option_row *row, const char *value)
{
	bool apart = false;
	int err;

	if (takes_value(row) && !value) {
		value = s->argv[s->at + 1];
		if (!value)
			return fault_set(s->fault, -EINVAL,
			                 "--%s needs a value: %s", row->name,
			                 row->value);
		s->at++;
		apart = true;
	}
	err = store(s, row, value);
	if (err == 0 && row->need == OPTION_MANY && apart)
		err = store_more(s, row);
	return err;
}

/* "-pn", "-l red", "-lred". */
static int take_letters(struct scan *s, const char *word)
{
	for (const char *at = word + 1; *at; at++) {
		const struct option_row *row = find_letter(s, *at);
		const char *rest = at[1] ? at + 1 : NULL;
		int err;

		if (!row)
			return fault_set(s->fault, -EINVAL,
			                 "no such option: -%c; --help names "
			                 "them",
			                 *at);
		if (takes_value(row))
			return take(s, row, rest);
		err = take(s, row, NULL);
		if (err < 0)
			return err;
	}
	return 0;
}

static int take_option(struct scan *s)
{
	const char *word = s->argv[s->at];
	const struct option_row *row = NULL;
	const char *value;
	int err;

	if (word[1] != '-')
		return take_letters(s, word);
	err = find(s, word + 2, &value, &row);
	if (err < 0)
		return err;
	if (value && (row->need == OPTION_NONE || row->need == OPTION_FLAG))
		return fault_set(s->fault, -EINVAL, "--%s takes no value",
		                 row->name);
	return take(s, row, value);
}

int options_read(const struct option_row *rows, size_t count, void *to,
                 char *const argv[], struct fault *f)
{
	struct scan s = {rows, count, to, argv, 1, f};

	for (; argv[s.at] && is_option(argv[s.at]); s.at++) {
		int err = take_option(&s);

		if (err < 0)
			return err;
	}
	if (argv[s.at] && strcmp(argv[s.at], "--") == 0)
		s.at++;
	return s.at;
}

int options_sort(const struct option_row *rows, size_t count, void *to,
                 char *const argv[], char *words[], uint32_t most,
                 struct fault *f)
{
	struct scan s = {rows, count, to, argv, 1, f};
	bool ended = false;
	int found = 0;

	for (; argv[s.at]; s.at++) {
		int err = 0;

		ended = ended || (most && (uint32_t)found >= most);
		if (ended || !is_option(argv[s.at])) {
			if (ended || strcmp(argv[s.at], "--") != 0)
				words[found++] = argv[s.at];
			else
				ended = true;
		} else {
			err = take_option(&s);
		}
		if (err < 0)
			return err;
	}
	words[found] = NULL;
	return found;
}

void options_print(const struct option_row *rows, size_t count)
{
	static const char *const join[] = {
		[OPTION_NONE] = "",       [OPTION_VALUE] = " ",
		[OPTION_OPTIONAL] = "[=", [OPTION_FLAG] = "",
		[OPTION_TEXT] = " ",      [OPTION_LIST] = " ",
		[OPTION_MANY] = " "};

	for (size_t i = 0; i < count; i++) {
		const struct option_row *r = &rows[i];
		char letter[] = "-x, ";
		char left[64];

		letter[1] = r->letter;
		(void)snprintf(left, sizeof(left), "%s--%s%s%s%s",
		               r->letter ? letter : "", r->name, join[r->need],
		               r->value,
		               r->need == OPTION_OPTIONAL ? "]"
		               : r->need == OPTION_MANY   ? "..."
		                                          : "");
		(void)printf("  %-26s  %s\n", left, r->help);
	}
}

int options_size(const char *text, uint64_t *out, struct fault *f)
{
	static const char units[] = "kMGT";
	uint64_t n = 0;
	const char *at = text;
	const char *unit;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*at - '0'), &n))
			return fault_set(f, -EINVAL, "too large: %s", text);
	unit = *at ? strchr(units, *at == 'K' ? 'k' : *at) : NULL;
	if (at == text || n == 0 || (*at && (!unit || at[1])))
		return fault_set(f, -EINVAL,
		                 "not a size: %s (such as 512M or 2G)", text);
	for (const char *u = units; unit && u <= unit; u++)
		if (__builtin_mul_overflow(n, 1024u, &n))
			return fault_set(f, -EINVAL, "too large: %s", text);
	*out = n;
	return 0;
}

int options_number(const char *text, uint32_t max, uint32_t *out,
                   struct fault *f)
{
	uint32_t n = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9' && n <= max; at++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint32_t)(*at - '0'), &n))
			n = UINT32_MAX;
	if (at == text || *at || n == 0 || n > max)
		return fault_set(f, -EINVAL, "not a number from 1 to %u: %s",
		                 max, text);
	*out = n;
	return 0;
}
