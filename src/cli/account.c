/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/account.h"

#include <string.h>

static const struct account accounts[] = {
	{"user", "/home/user"},
	{"root", "/root"},
};

const struct account *account_find(const char *name)
{
	if (!name)
		return &accounts[0];
	for (size_t i = 0; i < ARRAY_LEN(accounts); i++)
		if (strcmp(accounts[i].name, name) == 0)
			return &accounts[i];
	return NULL;
}

int account_environment(struct environment *env, const struct account *who,
                        struct fault *f)
{
	const char *term = getenv("TERM");
	const char *lang = getenv("LANG");
	const char *const pairs[][2] = {
		{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
	                 "/sbin:/bin"},
		{"HOME", who->home},
		{"USER", who->name},
		{"LOGNAME", who->name},
		{"SHELL", "/bin/sh"},
		{"TERM", term ? term : "dumb"},
		{"LANG", lang ? lang : "C.UTF-8"},
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_LEN(pairs) && err == 0; i++)
		err = environment_set(env, pairs[i][0], pairs[i][1], f);
	return err;
}
