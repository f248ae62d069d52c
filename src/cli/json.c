/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/json.h"

#include <stdio.h>
#include <string.h>

#include "base/visible.h"

json_t *json_text(const char *text)
{
	json_t *value = json_string(text);
	autofree char *copy = NULL;

	if (value)
		return value;
	copy = strdup(text);
	if (!copy)
		return NULL;
	visible_filter(copy, strlen(copy));
	return json_string(copy);
}

int json_print(json_t *value)
{
	int err = value ? json_dumpf(value, stdout, JSON_INDENT(2)) : -1;

	(void)fputc('\n', stdout);
	json_decref(value);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
