/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qvm-copy and qvm-move, which have the user asked for the target; and
 * qvm-copy-to-vm and qvm-move-to-vm, whose first word it is.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/guestpump.h"
#include "guest/main.h"

enum { QUIET = 256, NO_LINKS, ALL_NAMES, HELP };

static const struct option options[] = {
	{"without-progress", no_argument, NULL, QUIET},
	{"ignore-symlinks", no_argument, NULL, NO_LINKS},
	{"allow-all-names", no_argument, NULL, ALL_NAMES},
	{"help", no_argument, NULL, HELP},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: qvm-copy|qvm-move [OPTION...] FILE...\n"
	"       qvm-copy-to-vm|qvm-move-to-vm [OPTION...] QUBE FILE...\n"
	"Files arrive in ~/QubesIncoming there; none is overwritten.  Which qube\n"
	"it is to be is asked for, unless policy says it.\n"
	"  --without-progress  show no progress\n"
	"  --ignore-symlinks   leave symbolic links out\n"
	"  --allow-all-names   also names with characters that could deceive\n";

struct wish {
	struct guestpump pump;
	bool move;
	bool quiet;
	bool no_links;
	bool all_names;
	bool help;
};

static bool read_option(int c, struct wish *w)
{
	switch (c) {
	case QUIET:
		w->quiet = true;
		return true;
	case NO_LINKS:
		w->no_links = true;
		return true;
	case ALL_NAMES:
		w->all_names = true;
		return true;
	case HELP:
		w->help = true;
		return true;
	default:
		return false;
	}
}

/* What sendfiles_main() is called with. */
static char **words_for(const struct wish *w, char *files[])
{
	static char program[] = "qfile-agent", move[] = "--move",
		    quiet[] = "--without-progress",
		    no_links[] = "--ignore-symlinks", end[] = "--";
	size_t count = 0, at = 0;
	char **words;

	while (files[count])
		count++;
	words = calloc(count + 6, sizeof(*words));
	if (!words)
		return NULL;
	words[at++] = program;
	if (w->move)
		words[at++] = move;
	if (w->quiet)
		words[at++] = quiet;
	if (w->no_links)
		words[at++] = no_links;
	words[at++] = end;
	memcpy(words + at, files, count * sizeof(*words));
	return words;
}

/* Before anybody is asked for what cannot be. */
static bool are_there(char *const files[], const char *name)
{
	struct stat st;

	for (; *files; files++) {
		if (lstat(*files, &st) == 0)
			continue;
		(void)fprintf(stderr, "%s: %s: %s\n", name, *files,
		              strerror(errno));
		return false;
	}
	return true;
}

int copyvm_main(int argc, char *argv[])
{
	const char *name = main_name(argv[0]);
	bool named = strstr(name, "-to-vm") != NULL;
	struct wish w = {.move = strncmp(name, "qvm-move", 8) == 0};
	bool ok = true;
	int c, status;

	while (ok && (c = getopt_long(argc, argv, "+", options, NULL)) != -1)
		ok = read_option(c, &w);
	if (ok && w.help)
		return fputs(help, stdout) < 0;
	if (!ok || argc - optind < (named ? 2 : 1)) {
		(void)fputs(help, stderr);
		return AGENT_EXIT_PROBLEM;
	}
	if (!are_there(argv + optind + (named ? 1 : 0), name))
		return AGENT_EXIT_PROBLEM;
	w.pump.ask.target = named ? argv[optind++] : "";
	w.pump.ask.service = w.all_names ? "qubes.Filecopy+allow-all-names"
	                                 : "qubes.Filecopy";
	w.pump.local = sendfiles_main;
	w.pump.words = words_for(&w, argv + optind);
	if (!w.pump.words) {
		perror(name);
		return AGENT_EXIT_PROBLEM;
	}
	status = guestpump(&w.pump, name);
	free(w.pump.words);
	return status;
}
