/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento`: one program with verbs.
 */
#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"

static const struct {
	const char *name;
	const char *arguments;
	const char *what;
	int (*run)(char *const argv[]);
} verbs[] = {
#define VERB(name, arguments, what) {#name, arguments, what, name##_verb},
#include "cli/verbs.def"
};

static void usage(FILE *to)
{
	(void)fprintf(to, "usage:\n");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		(void)fprintf(to, "  bento %s %s\n      %s\n", verbs[i].name,
		              verbs[i].arguments, verbs[i].what);
	(void)fprintf(to, "  bento VERB --help\n"
	                  "      say more about one of them\n");
}

int main(int argc, char *argv[])
{
	if (argc < 2) {
		usage(stderr);
		return VERBS_OURS;
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argv + 1);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)puts("bento " BENTO_VERSION);
		return EXIT_SUCCESS;
	}
	(void)fprintf(stderr, "bento: no such verb: %s\n", argv[1]);
	usage(stderr);
	return VERBS_OURS;
}
