/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

/* The row of "name" or "name=value", and the value. */
static const struct option_row *find(const struct option_row *rows,
                                     size_t count, const char *text,
                                     const char **value)
{
	size_t len = strcspn(text, "=");

	*value = text[len] ? text + len + 1 : NULL;
	for (size_t i = 0; i < count; i++)
		if (strlen(rows[i].name) == len &&
		    memcmp(rows[i].name, text, len) == 0)
			return &rows[i];
	return NULL;
}

int options_read(const struct option_row *rows, size_t count, void *to,
                 char *const argv[], struct fault *f)
{
	int i = 1;

	for (; argv[i] && argv[i][0] == '-' && argv[i][1]; i++) {
		const struct option_row *row;
		const char *value = NULL;
		int err;

		if (strcmp(argv[i], "--") == 0)
			return i + 1;
		row = argv[i][1] == '-' ? find(rows, count, argv[i] + 2, &value)
		                        : NULL;
		if (!row)
			return fault_set(f, -EINVAL, "no such option: %s",
			                 argv[i]);
		if (row->need == OPTION_NONE && value)
			return fault_set(f, -EINVAL, "--%s takes no value",
			                 row->name);
		if (row->need == OPTION_VALUE && !value) {
			value = argv[i + 1];
			if (!value)
				return fault_set(f, -EINVAL,
				                 "--%s needs a value: %s",
				                 row->name, row->value);
			i++;
		}
		err = row->set(to, value, f);
		if (err < 0)
			return err;
	}
	return i;
}

void options_print(const struct option_row *rows, size_t count)
{
	static const char *const join[] = {"", " ", "[="};
	static const char *const end[] = {"", "", "]"};

	for (size_t i = 0; i < count; i++) {
		const struct option_row *r = &rows[i];
		char left[64];

		(void)snprintf(left, sizeof(left), "--%s%s%s%s", r->name,
		               join[r->need], r->value, end[r->need]);
		(void)printf("  %-24s %s\n", left, r->help);
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
