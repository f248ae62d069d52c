/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento pull`: files of a qube into the user's session.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "cli/haul.h"
#include "cli/judge.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "filecopy/copyhome.h"
#include "qrexec/vmexec.h"

struct pull_options {
	bool all_names;
};

static const struct option_row rows[] = {
#define FLAG(...) OPTIONS_FLAG(struct pull_options, __VA_ARGS__)
#include "cli/pull.def"
};

#define MEASURE "bento.Measure"
#define SEND    "bento.Send"

struct shown {
	struct progress line;
	uint64_t all; /* bytes; 0: nobody knows */
};

static void show(void *ctx, uint64_t bytes, uint64_t files)
{
	struct shown *s = ctx;

	(void)files;
	progress_show(&s->line, bytes, s->all);
}

/* QUBE:PATH taken apart: the qube's name, and the path as an argument. */
static int take_apart(struct frame_call *c, char **qube, struct buffer *path)
{
	char *colon = strchr(c->words[0], ':');
	char *words[] = {colon ? colon + 1 : NULL, NULL};

	if (!colon || colon == c->words[0] || !colon[1])
		return frame_usage(c,
		                   "which files of which qube? QUBE:PATH, "
		                   "not \"%s\"",
		                   c->words[0]);
	*qube = strndup(c->words[0], (size_t)(colon - c->words[0]));
	vmexec_encode(words, path);
	buffer_text0(path, "");
	if (!*qube || path->bad)
		return fault_set(c->fault, -ENOMEM, "out of memory");
	return 0;
}

static int open_folder(const struct frame_call *c, const char *qube)
{
	int fd;

	if (c->count < 2)
		return copyhome_open(getenv("HOME"), qube, c->fault);
	fd = open(c->words[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(c->fault, "open the folder %s", c->words[1]);
	return fd;
}

/* The decimal number that a qube says; 0 for what is none. */
static uint64_t read_number(int from)
{
	char text[24] = "";
	uint64_t all = 0;
	size_t have = 0;
	ssize_t n = 1;

	while (n > 0 && have < sizeof(text) - 1) {
		n = read(from, text + have, sizeof(text) - 1 - have);
		have += n > 0 ? (size_t)n : 0;
	}
	for (const char *at = text; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(all, 10u, &all) ||
		    __builtin_add_overflow(all, (uint64_t)(*at - '0'), &all))
			return 0;
	return all;
}

/*
 * How much there will be, for the line that is shown.  What the qube says is
 * believed no further than that.
 */
__attribute__((noinline)) /* a large frame: not on its caller's, too */
static uint64_t
measure(struct query *q, const struct dial *to, const char *path)
{
	autobuffer struct buffer service = {0};
	struct dial d = *to;
	int streams[CALLMSG_STREAMS];
	struct fault ignored;
	uint64_t all;

	buffer_printf(&service, "%s+%s", MEASURE, path);
	if (service.bad)
		return 0;
	d.service = (char *)service.at;
	if (dial_open(&d, q, streams, &ignored) < 0)
		return 0;
	all = read_number(streams[CALLMSG_OUT]);
	callmsg_close(streams);
	return all;
}

static int receive(const struct pull_options *o, struct frame_call *c,
                   struct query *q, struct dial *d, const char *path)
{
	autoclose int folder = -1;
	int streams[CALLMSG_STREAMS];
	struct shown s = {.all = 0};
	struct haul h = {
		.streams = streams,
		.all_names = o->all_names,
		.progress = show,
		.ctx = &s,
	};
	uint64_t bytes, files;
	int err;

	progress_begin(&s.line, c->quiet ? NULL : "copying from", d->qube);
	if (s.line.doing)
		s.all = measure(q, d, path);
	err = dial_open(d, q, streams, c->fault);
	if (err < 0)
		return err;
	/* Only now: no folder is made for a qube that is not there. */
	folder = h.folder = open_folder(c, d->qube);
	if (folder < 0) {
		callmsg_close(streams);
		return folder;
	}
	err = haul_receive(&h, &bytes, &files, c->fault);
	progress_end(&s.line);
	/* What became of the service says more. */
	if (err == -ECONNRESET &&
	    haul_end(streams, d->qube, SEND, c->fault) < 0)
		return err;
	callmsg_close(streams);
	if (err == 0)
		frame_say(c, "%" PRIu64 " files, %" PRIu64 " bytes", files,
		          bytes);
	return err;
}

static int go(void *options, struct frame_call *c)
{
	autobuffer struct buffer path = {0};
	autobuffer struct buffer service = {0};
	autoquery struct query q = QUERY_NONE;
	autofree char *qube = NULL;
	char target[JUDGE_NAME_MAX + 1];
	struct judge j = {.source = "dom0"};
	struct dial d = {.qube = NULL};
	int err = take_apart(c, &qube, &path);

	if (err < 0)
		return err;
	buffer_printf(&service, "%s+%s", SEND, (char *)path.at);
	if (service.bad)
		return fault_set(c->fault, -ENOMEM, "out of memory");
	d.service = j.service = (char *)service.at;
	j.target = qube;
	err = query_init(&q, c);
	if (err == 0)
		err = judge(&q, &j, target, c->fault);
	if (err < 0)
		return err;
	dial_to(&d, target);
	return receive(options, c, &q, &d, (char *)path.at);
}

int verb_pull(char *const argv[])
{
	static const struct frame frame = {
		.rows = rows,
		.count = ARRAY_LEN(rows),
		.size = sizeof(struct pull_options),
		.min = 1,
		.max = 2,
		.go = go,
	};

	return frame_run(&frame, argv);
}
