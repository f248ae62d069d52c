/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qfile-agent: sends files over standard output and reads from standard input
 * whether they have arrived.  It is what qvm-copy and qvm-move have a call's
 * streams connected to.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/visible.h"
#include "filecopy/copysend.h"
#include "guest/main.h"

#define SHOW_EVERY_MS 100u

enum { MOVE = 256, NO_LINKS, QUIET };

static const struct option options[] = {
	{"move", no_argument, NULL, MOVE},
	{"ignore-symlinks", no_argument, NULL, NO_LINKS},
	{"without-progress", no_argument, NULL, QUIET},
	{NULL, 0, NULL, 0},
};

/* The line on the terminal: "sent 3/10 KB". */
struct shown {
	uint64_t all;
	uint64_t last_ms; /* 0: nothing yet */
	uint64_t begun_ms;
	bool quiet;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void show(void *ctx, uint64_t bytes)
{
	struct shown *s = ctx;
	uint64_t now = now_ms();

	if (s->quiet || now - MAX(s->last_ms, s->begun_ms) < SHOW_EVERY_MS)
		return;
	s->last_ms = now;
	(void)fprintf(stderr, "\rsent %" PRIu64 "/%" PRIu64 " KB\033[K",
	              bytes / 1024, s->all / 1024);
}

static void skipped(void *ctx, const char *path, const char *why)
{
	char name[256];

	(void)ctx;
	(void)snprintf(name, sizeof(name), "%s", path);
	visible_line(name);
	(void)fprintf(stderr, "%s is left out: %s\n", name, why);
}

static int send_files(char *const files[], bool move, bool no_links,
                      struct shown *s)
{
	autobuffer struct buffer sent = {0};
	const struct copysend_job job = {
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.files = files,
		.no_links = no_links,
		.sent = move ? &sent : NULL,
		.progress = show,
		.skipped = skipped,
		.ctx = s,
	};
	struct fault f = {""};
	int err;

	if (!s->quiet)
		s->all = copysend_measure(files);
	s->begun_ms = now_ms();
	err = copysend(&job, &f);
	if (s->last_ms)
		(void)fputs("\r\033[K", stderr);
	if (err == 0 && move)
		err = copysend_remove(buffer_span(&sent), &f);
	if (err < 0)
		(void)fprintf(stderr, "%s\n", f.text);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int sendfiles_main(int argc, char *argv[])
{
	struct shown s = {.quiet = !isatty(STDERR_FILENO)};
	bool move = false, no_links = false, ok = true;
	int c;

	optind = 0; /* whoever called us may have read options before */
	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		move = move || c == MOVE;
		no_links = no_links || c == NO_LINKS;
		s.quiet = s.quiet || c == QUIET;
		ok = ok && c != '?';
	}
	if (!ok || optind >= argc) {
		(void)fputs("usage: qfile-agent [--move] [--ignore-symlinks] "
		            "[--without-progress] FILE...\n",
		            stderr);
		return EXIT_FAILURE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	return send_files(argv + optind, move, no_links, &s);
}
