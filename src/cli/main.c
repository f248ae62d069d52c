/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento`: one program with verbs.
 */
#include <stdio.h>
#include <string.h>

#include "cli/nearest.h"
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

/* "no such verb: crate; did you mean create?" */
static void wrong_verb(const char *word)
{
	struct nearest n = {.to = word};
	const struct verb *v;

	for (size_t i = 0; (v = verbs_at(i)); i++)
		nearest_see(&n, v->name);
	(void)fprintf(stderr, "bento: no such verb: %s; %s%s\n", word,
	              n.best ? "did you mean bento " : "see bento help",
	              n.best ? n.best : "");
}

/* "help", or "help VERB", which is "VERB --help". */
static int help(char *argv[])
{
	char option[] = "--help";
	const struct verb *v = argv[2] ? verbs_find(argv[2]) : NULL;
	char *const words[] = {argv[2], option, NULL};

	if (v)
		return v->run(words);
	if (argv[2]) {
		wrong_verb(argv[2]);
		return VERBS_OURS;
	}
	usage(stdout);
	return EXIT_SUCCESS;
}

/* The verb that a program's name stands for: that of a qvm-* program. */
static const struct verb *by_program(const char *name)
{
	const struct verb *v = verbs_find(name);

	return v && strcmp(v->qvm, name) == 0 ? v : NULL;
}

int main(int argc, char *argv[])
{
	const struct verb *v;
	char *slash;

	if (argc < 1)
		return VERBS_OURS;
	slash = strrchr(argv[0], '/');
	argv[0] = slash ? slash + 1 : argv[0];
	v = by_program(argv[0]);
	if (v)
		return v->run(argv);
	if (strncmp(argv[0], "qvm-", 4) == 0) {
		(void)fprintf(stderr,
		              "%s: there is no such command here; see bento "
		              "help\n",
		              argv[0]);
		return VERBS_OURS;
	}
	if (argc < 2) {
		usage(stderr);
		return VERBS_OURS;
	}
	v = verbs_find(argv[1]);
	if (v)
		return v->run(argv + 1);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return help(argv);
	if (strcmp(argv[1], "--version") == 0) {
		(void)puts("bento " BENTO_VERSION);
		return EXIT_SUCCESS;
	}
	wrong_verb(argv[1]);
	return VERBS_OURS;
}
