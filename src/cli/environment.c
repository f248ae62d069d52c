/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/environment.h"

#include <stdio.h>

void environment_fini(struct environment *e)
{
	for (uint32_t i = 0; i < e->count; i++)
		free(e->entry[i]);
	e->count = 0;
}

/* Where NAME is, or e->count. */
static uint32_t find(const struct environment *e, const char *name)
{
	size_t len = strlen(name);
	uint32_t i = 0;

	while (i < e->count && (strncmp(e->entry[i], name, len) != 0 ||
	                        e->entry[i][len] != '='))
		i++;
	return i;
}

int environment_set(struct environment *e, const char *name, const char *value,
                    struct fault *f)
{
	uint32_t i = find(e, name);
	char *entry;

	if (!name[0] || strchr(name, '='))
		return fault_set(f, -EINVAL, "not a variable: \"%s\"", name);
	if (i == ENVIRONMENT_MAX)
		return fault_set(f, -E2BIG, "more than %u variables",
		                 ENVIRONMENT_MAX);
	if (asprintf(&entry, "%s=%s", name, value) < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	if (i < e->count)
		free(e->entry[i]);
	else
		e->count++;
	e->entry[i] = entry;
	return 0;
}

int environment_begin(struct environment *e, struct fault *f)
{
	const char *term = getenv("TERM");
	const char *lang = getenv("LANG");
	const char *const pairs[][2] = {
		{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
	                 "/sbin:/bin"},
		{"TERM", term ? term : "dumb"},
		{"LANG", lang ? lang : "C.UTF-8"},
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_LEN(pairs) && err == 0; i++)
		err = environment_set(e, pairs[i][0], pairs[i][1], f);
	return err;
}

int environment_ask(struct environment *e, const char *what, struct fault *f)
{
	autofree char *name = strdup(what);
	char *equals, *value;
	uint32_t i;

	if (!name)
		return fault_set(f, -ENOMEM, "out of memory");
	equals = strchr(name, '=');
	if (equals) {
		*equals = '\0';
		return environment_set(e, name, equals + 1, f);
	}
	value = getenv(name);
	if (value)
		return environment_set(e, name, value, f);
	i = find(e, name);
	if (i < e->count) {
		free(e->entry[i]);
		e->entry[i] = e->entry[--e->count];
	}
	return 0;
}

int environment_pack(char *const entry[], uint32_t count, struct wire_list *l)
{
	size_t size = 0, at = 0;
	uint8_t *packed;

	for (uint32_t i = 0; i < count; i++)
		if (!size_add(size, strlen(entry[i]) + 1, &size))
			return -ENOMEM;
	packed = malloc(size + 1);
	if (!packed)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		size_t len = strlen(entry[i]) + 1;

		memcpy(packed + at, entry[i], len);
		at += len;
	}
	*l = (struct wire_list){count, {packed, size}};
	return 0;
}
