/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento pull`: files of a qube into the user's session.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "cli/haul.h"
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

static void show(void *ctx, uint64_t bytes, uint64_t files)
{
	(void)bytes, (void)files;
	progress_show(ctx, 0, 0);
}

/* QUBE:PATH taken apart: the qube's name and the service that sends the path. */
static int take_apart(struct frame_call *c, char **qube, struct buffer *service)
{
	char *colon = strchr(c->words[0], ':');
	char *words[] = {colon ? colon + 1 : NULL, NULL};

	if (!colon || colon == c->words[0] || !colon[1])
		return frame_usage(c,
		                   "which files of which qube? QUBE:PATH, "
		                   "not \"%s\"",
		                   c->words[0]);
	*qube = strndup(c->words[0], (size_t)(colon - c->words[0]));
	buffer_text(service, "bento.Send+");
	vmexec_encode(words, service);
	buffer_text0(service, "");
	if (!*qube || service->bad)
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

static int receive(const struct pull_options *o, struct frame_call *c,
                   const char *qube, const char *service)
{
	autoquery struct query q = QUERY_NONE;
	autoclose int folder = -1;
	int streams[CALLMSG_STREAMS];
	struct progress line;
	const struct dial dial = {.qube = qube, .service = service};
	struct haul h = {
		.streams = streams,
		.all_names = o->all_names,
		.progress = show,
		.ctx = &line,
	};
	uint64_t bytes, files;
	int err = query_init(&q, c);

	if (err == 0)
		err = dial_open(&dial, &q, streams, c->fault);
	if (err < 0)
		return err;
	/* Only now: no folder is made for a qube that is not there. */
	folder = h.folder = open_folder(c, qube);
	if (folder < 0) {
		callmsg_close(streams);
		return folder;
	}
	progress_begin(&line, c->quiet ? NULL : "copying from", qube);
	err = haul_receive(&h, &bytes, &files, c->fault);
	progress_end(&line);
	/* What became of the service says more. */
	if (err == -ECONNRESET &&
	    haul_end(streams, qube, "bento.Send", c->fault) < 0)
		return err;
	callmsg_close(streams);
	if (err == 0)
		frame_say(c, "%" PRIu64 " files, %" PRIu64 " bytes", files,
		          bytes);
	return err;
}

static int go(void *options, struct frame_call *c)
{
	autobuffer struct buffer service = {0};
	autofree char *qube = NULL;
	int err = take_apart(c, &qube, &service);

	return err < 0 ? err : receive(options, c, qube, (char *)service.at);
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
