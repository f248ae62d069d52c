/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento`: one program with verbs.
 */
#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"

static void usage(FILE *to)
{
	const struct verb *v;

	(void)fprintf(to, "usage:\n");
	for (size_t i = 0; (v = verbs_at(i)); i++)
		(void)fprintf(to, "  bento %s %s\n      %s\n", v->name, v->form,
		              v->what);
	(void)fprintf(to, "  bento VERB --help\n"
	                  "      say more about one of them\n");
}

/* The verb that our own name stands for: that of a qvm-* program. */
static const struct verb *by_program(const char *path)
{
	const char *slash = strrchr(path, '/');
	const struct verb *v = verbs_find(slash ? slash + 1 : path);

	return v && strcmp(v->qvm, slash ? slash + 1 : path) == 0 ? v : NULL;
}

int main(int argc, char *argv[])
{
	const struct verb *v = argc > 0 ? by_program(argv[0]) : NULL;
	char *name;

	if (v) {
		name = strrchr(argv[0], '/');
		argv[0] = name ? name + 1 : argv[0];
		return v->run(argv);
	}
	if (argc < 2) {
		usage(stderr);
		return VERBS_OURS;
	}
	v = verbs_find(argv[1]);
	if (v)
		return v->run(argv + 1);
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
