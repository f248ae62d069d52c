/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/etc_hidden.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define DEEPEST 4 /* components of the longest pattern */

#define HIDDEN(pattern, why) pattern,
static const char *const hidden[] = {
#include "kernel/fs/etc_hidden.def"
};

bool etc_hidden_path(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
		const char *p = hidden[i];

		if (*p != '*' && *p != *path)
			continue; /* most of them, cheaply */
		if (fnmatch(p, path, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

bool etc_hidden_below(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		if (strncmp(hidden[i], path, len) == 0 && hidden[i][len] == '/')
			return true;
	return false;
}

bool etc_hidden(const struct hostnode *dir, const char *name)
{
	const struct hostnode *above[DEEPEST];
	unsigned count = 0;
	char path[1280];
	size_t used = 0;

	if (!dir->fs->options.etc)
		return false;
	for (; dir->parent; dir = dir->parent) {
		if (count == DEEPEST)
			return false;
		above[count++] = dir;
	}
	while (count > 0)
		used += (size_t)snprintf(path + used, sizeof(path) - used,
		                         "%s/", above[--count]->name);
	(void)snprintf(path + used, sizeof(path) - used, "%s", name);
	return etc_hidden_path(path);
}
