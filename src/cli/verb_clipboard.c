/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bento clipboard`: a text of one qube into another, once, at the user's word.
 *
 * The text is fetched by the service bento.ClipboardGet and given by
 * bento.ClipboardSet, both as calls of the user's; whether it may go from the one
 * qube to the other the policy says, for qubes.ClipboardPaste.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/clipboard.h"
#include "cli/haul.h"
#include "cli/judge.h"
#include "cli/verbs.h"

struct act {
	struct frame_call *call;
	struct query *query;
	const char *qube;
	int folder;
};

static int open_call(struct act *a, const char *service,
                     int streams[CALLMSG_STREAMS])
{
	const struct dial d = {.qube = a->qube, .service = service};

	(void)signal(SIGPIPE, SIG_IGN);
	return dial_open(&d, a->query, streams, a->call->fault);
}

/* All the service says, if that is not more than there may be. */
static int read_text(int fd, struct buffer *b)
{
	ssize_t n = 1;

	while (n > 0 && b->size <= CLIPBOARD_MAX) {
		uint8_t *room = buffer_reserve(b, CLIPBOARD_MAX);

		if (!room)
			return -ENOMEM;
		n = read(fd, room, CLIPBOARD_MAX);
		if (n < 0 && errno != EINTR)
			return -errno;
		b->size += n > 0 ? (size_t)n : 0;
		n = n < 0 ? 1 : n;
	}
	return clipboard_check(buffer_span(b));
}

static int act_copy(struct act *a)
{
	struct fault *f = a->call->fault;
	autobuffer struct buffer b = {0};
	int streams[CALLMSG_STREAMS];
	int err = open_call(a, "bento.ClipboardGet+", streams);

	if (err < 0)
		return err;
	err = read_text(streams[CALLMSG_OUT], &b);
	if (err == 0) {
		err = haul_end(streams, a->qube, "bento.ClipboardGet", f);
		if (err < 0)
			return err;
	}
	callmsg_close(streams);
	if (err == 0 && b.size == 0)
		return fault_set(f, -ENOENT,
		                 "the clipboard of %s is empty: `bento-clip "
		                 "copy` there fills it",
		                 a->qube);
	if (err == -EFBIG)
		return fault_set(f, err,
		                 "the clipboard of %s has more than %u bytes: "
		                 "`bento pull` takes files",
		                 a->qube, CLIPBOARD_MAX);
	if (err == -EILSEQ)
		return fault_set(f, err, "the clipboard of %s is no text",
		                 a->qube);
	if (err < 0)
		return fault_set(f, err, "read the clipboard of %s: %s",
		                 a->qube, strerror(-err));
	err = clipboard_put(a->folder, a->qube, buffer_span(&b), f);
	if (err == 0)
		frame_say(a->call,
		          "%zu bytes of %s; `bento clipboard paste "
		          "QUBE` gives them to another, once",
		          b.size, a->qube);
	return err;
}

static void send_text(int fd, const struct buffer *b)
{
	size_t at = 0;

	while (at < b->size) {
		ssize_t n = send(fd, b->at + at, b->size - at, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return;
		at += n > 0 ? (size_t)n : 0;
	}
}

/* It is with us alone now. */
static int give(struct act *a, const struct clipboard *c)
{
	struct fault *f = a->call->fault;
	int streams[CALLMSG_STREAMS];
	int err = open_call(a, "bento.ClipboardSet+", streams);

	if (err < 0)
		return err;
	/* If it does not take all, its end says why. */
	send_text(streams[CALLMSG_IN], &c->text);
	return haul_end(streams, a->qube, "bento.ClipboardSet", f);
}

static int act_paste(struct act *a)
{
	struct fault *f = a->call->fault;
	struct clipboard c;
	char target[JUDGE_NAME_MAX + 1];
	int err = clipboard_get(a->folder, &c, f);
	const struct judge j = {.source = c.source,
	                        .target = a->qube,
	                        .service = "qubes.ClipboardPaste+"};

	if (err == 0)
		err = judge(a->query, &j, target, f);
	/* A rule may have sent it elsewhere: that is where it goes. */
	if (err == 0)
		err = clipboard_take(&c, f);
	if (err == 0) {
		a->qube = target;
		err = give(a, &c);
		if (err < 0)
			clipboard_return(&c);
	}
	clipboard_fini(&c);
	return err;
}

static int act_show(struct act *a)
{
	struct clipboard c;
	int err = clipboard_get(a->folder, &c, a->call->fault);

	/* Not the text: it is not for this terminal. */
	if (err == 0)
		(void)printf("%zu bytes of %s\n", c.text.size, c.source);
	clipboard_fini(&c);
	return err;
}

static int act_clear(struct act *a)
{
	return clipboard_clear(a->folder, a->call->fault);
}

static const struct {
	const char *word;
	uint32_t more;
	const char *form;
	int (*run)(struct act *a);
} acts[] = {
#define CLIPBOARD(word, more, form) {#word, more, form, act_##word},
#include "cli/clipboard.def"
};

static int go(void *options, struct frame_call *c)
{
	autoquery struct query q = QUERY_NONE;
	autoclose int folder = -1;
	struct act a = {c, &q, c->count > 1 ? c->words[1] : NULL, -1};
	size_t i = 0;
	int err;

	(void)options;
	while (i < ARRAY_LEN(acts) && strcmp(acts[i].word, c->words[0]) != 0)
		i++;
	if (i == ARRAY_LEN(acts))
		return frame_usage(c,
		                   "what is \"%s\"? copy, paste, show or clear",
		                   c->words[0]);
	if (c->count - 1 != acts[i].more)
		return frame_usage(c, "usage: %s %s %s", c->prefix,
		                   acts[i].word, acts[i].form);
	err = query_init(&q, c);
	if (err < 0)
		return err;
	folder = a.folder = paths_open(&q.paths, PATHS_RUNTIME, c->fault);
	return folder < 0 ? folder : acts[i].run(&a);
}

int verb_clipboard(char *const argv[])
{
	static const struct frame frame = {
		.size = 1,
		.min = 1,
		.max = 2,
		.go = go,
	};

	return frame_run(&frame, argv);
}
