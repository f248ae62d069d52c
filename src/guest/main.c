/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bento-guest: the programs of ours that are in every qube, as one. Which one
 * it is says the name it was called by, or else its first argument.
 */
#include "guest/main.h"

#include <stdio.h>
#include <string.h>

static const struct applet {
	const char *name;
	int (*run)(int argc, char *argv[]);
} applets[] = {
#define APPLET(name, folder, stem) {name, stem##_main},
#include "guest/applets.def"
};

const char *main_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const struct applet *find(const char *path)
{
	const char *name = main_name(path);

	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		if (strcmp(applets[i].name, name) == 0)
			return &applets[i];
	return NULL;
}

int main(int argc, char *argv[])
{
	const struct applet *a = argc > 0 ? find(argv[0]) : NULL;

	if (!a && argc > 1) {
		argc--;
		argv++;
		a = find(argv[0]);
	}
	if (a)
		return a->run(argc, argv);
	(void)fputs("usage: bento-guest NAME [ARGUMENT...]\nNAME is one of:\n",
	            stderr);
	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		(void)fprintf(stderr, "  %s\n", applets[i].name);
	return 125;
}
