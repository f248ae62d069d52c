/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento copy`: files from the user's session into a qube.
 */
#include <signal.h>
#include <stdio.h>

#include "base/visible.h"
#include "cli/haul.h"
#include "cli/judge.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "filecopy/copysend.h"

struct copy_options {
	const char *to;
	bool no_links, all_names, move;
};

static const struct option_row rows[] = {
#define TEXT(...) OPTIONS_TEXT(struct copy_options, __VA_ARGS__)
#define FLAG(...) OPTIONS_FLAG(struct copy_options, __VA_ARGS__)
#include "cli/copy.def"
};

struct shown {
	const struct frame_call *call;
	struct progress line;
	uint64_t all;
};

static void show(void *ctx, uint64_t bytes)
{
	struct shown *s = ctx;

	progress_show(&s->line, bytes, s->all);
}

static void skipped(void *ctx, const char *path, const char *why)
{
	const struct shown *s = ctx;
	char name[256];

	(void)snprintf(name, sizeof(name), "%s", path);
	visible_line(name);
	frame_warn(s->call, "%s is left out: %s", name, why);
}

static int send_files(const struct copy_options *o, struct frame_call *c,
                      const char *qube, int streams[CALLMSG_STREAMS])
{
	struct shown s = {.call = c};
	autobuffer struct buffer sent = {0};
	const struct copysend_job job = {
		.in = streams[CALLMSG_OUT],
		.out = streams[CALLMSG_IN],
		.files = c->words,
		.no_links = o->no_links,
		.sent = o->move ? &sent : NULL,
		.progress = show,
		.skipped = skipped,
		.ctx = &s,
	};
	int err;

	(void)signal(SIGPIPE, SIG_IGN);
	progress_begin(&s.line, c->quiet ? NULL : "copying to", qube);
	if (s.line.doing)
		s.all = copysend_measure(c->words);
	err = copysend(&job, c->fault);
	progress_end(&s.line);
	if (err == 0 && o->move)
		err = copysend_remove(buffer_span(&sent), c->fault);
	return err;
}

static int go(void *options, struct frame_call *c)
{
	const struct copy_options *o = options;
	const char *service = o->all_names ? "qubes.Filecopy+allow-all-names"
	                                   : "qubes.Filecopy+";
	autoquery struct query q = QUERY_NONE;
	int streams[CALLMSG_STREAMS];
	char target[JUDGE_NAME_MAX + 1];
	struct dial dial = {.service = service};
	const struct judge j = {
		.source = "dom0",
		.target = o->to ? o->to : "@default",
		.service = service,
		.chosen = o->to != NULL,
	};
	int err = query_init(&q, c);

	if (err == 0)
		err = judge(&q, &j, target, c->fault);
	if (err == 0)
		dial_to(&dial, target);
	if (err == 0)
		err = dial_open(&dial, &q, streams, c->fault);
	if (err < 0)
		return err;
	err = send_files(o, c, dial.qube, streams);
	/* What became of the service says more. */
	if (err == -ECONNRESET &&
	    haul_end(streams, dial.qube, "qubes.Filecopy", c->fault) < 0)
		return err;
	callmsg_close(streams);
	return err;
}

int verb_copy(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct copy_options),
		.min = 1,
		.max = FRAME_ANY,
		.go = go,
	};

	return frame_run(&frame, argv);
}
