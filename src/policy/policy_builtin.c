/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_builtin.h"

#define FILE(name, lines) {name, lines},
#define LINE(text)        text "\n"
static const struct {
	const char *name;
	const char *text;
} files[] = {
#include "policy/policy_builtin.def"
};

const char *policy_builtin_name(size_t i)
{
	return i < ARRAY_LEN(files) ? files[i].name : NULL;
}

struct span policy_builtin_text(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (strcmp(files[i].name, name) == 0)
			return span_str(files[i].text);
	return (struct span){NULL, 0};
}
