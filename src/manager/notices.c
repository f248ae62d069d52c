/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/notices.h"

#include <jansson.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "base/buffer.h"
#include "base/memfile.h"
#include "manager/manager.h"
#include "manager/spawner.h"
#include "policy/policy_source.h"

#define TEXT_ROOM   256u
#define EACH_MS     1000 /* one more may be told after this */
#define SOURCES_MAX 4096u

/* How often a qube was told of. */
struct source {
	struct list link;
	char name[64];
	uint32_t told;     /* up to NOTICES_AT_ONCE */
	uint32_t left_out; /* since the last that was told */
	int64_t at_ms;     /* when `told` was brought up to date */
};

/* One that waits for the program. */
struct message {
	struct list link;
	int fd; /* a memory file */
};

struct notices {
	struct manager *m;
	struct list sources; /* the one told of last at the end */
	uint32_t source_count;
	struct list queue;
	uint32_t queued;
	struct reactor_watch running; /* its end is the program's */
};

static struct source *find(struct notices *n, const char *name)
{
	struct source *s;

	list_for_each (at, &n->sources) {
		s = list_entry(at, struct source, link);
		if (strcmp(s->name, name) == 0) {
			list_del(&s->link);
			list_add_tail(&n->sources, &s->link);
			return s;
		}
	}
	if (n->source_count == SOURCES_MAX) {
		s = list_first(&n->sources, struct source, link);
		list_del(&s->link);
		n->source_count--;
		free(s);
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	(void)snprintf(s->name, sizeof(s->name), "%.63s", name);
	s->at_ms = reactor_now_ms();
	list_add_tail(&n->sources, &s->link);
	n->source_count++;
	return s;
}

/* May one more be told? */
static bool may_tell(struct source *s)
{
	int64_t now = reactor_now_ms();
	int64_t more = (now - s->at_ms) / EACH_MS;

	if (more > 0) {
		s->told -= (uint32_t)MIN(more, (int64_t)s->told);
		s->at_ms += more * EACH_MS;
	}
	if (s->told == NOTICES_AT_ONCE) {
		s->left_out++;
		return false;
	}
	s->told++;
	return true;
}

static void run_next(struct notices *n);

static void ended(struct reactor_watch *w, uint32_t events)
{
	struct notices *n = container_of(w, struct notices, running);
	int fd = w->fd;

	(void)events;
	reactor_remove(n->m->reactor, w);
	close(fd);
	run_next(n);
}

static void forget(struct notices *n, struct message *msg)
{
	list_del(&msg->link);
	n->queued--;
	close(msg->fd);
	free(msg);
}

static void run_next(struct notices *n)
{
	while (n->running.fd < 0 && !list_empty(&n->queue)) {
		struct message *msg = list_first(&n->queue, struct message,
		                                 link);
		struct fault f;
		int end;
		int err = spawner_notify(n->m, msg->fd, &end, &f);

		forget(n, msg);
		if (err == 0 &&
		    reactor_add(n->m->reactor, &n->running, end, EPOLLIN) < 0)
			close(end);
		if (err < 0 && err != -ENOENT)
			(void)fprintf(stderr, "%s\n", f.text);
	}
}

/* What is told, as texts that harm nobody. */
struct words {
	const char *result;
	char source[TEXT_ROOM], service[TEXT_ROOM], argument[TEXT_ROOM];
	char wanted[TEXT_ROOM], target[TEXT_ROOM], why[TEXT_ROOM];
	uint32_t left_out;
};

static void write_words(const struct notice *what, struct words *w)
{
	static const char *const results[] = {
		[NOTICES_ALLOW] = "allow",
		[NOTICES_DENY] = "deny",
		[NOTICES_FAIL] = "fail",
	};
	struct reader r = {.rest = what->service};
	size_t size = 0;

	while (size < r.rest.size && r.rest.at[size] != '+')
		size++;
	w->result = results[what->result];
	policy_source_escape(rd_take(&r, size), w->service, TEXT_ROOM);
	policy_source_escape(r.rest, w->argument, TEXT_ROOM);
	policy_source_escape(what->source, w->source, TEXT_ROOM);
	policy_source_escape(what->wanted, w->wanted, TEXT_ROOM);
	policy_source_escape(what->target, w->target, TEXT_ROOM);
	policy_source_escape(span_str(what->why ? what->why : ""), w->why,
	                     TEXT_ROOM);
}

/* The object on a line, as a memory file to be read. */
static int message_file(const struct words *w)
{
	json_t *o = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "result", w->result,
		"source", w->source, "service", w->service, "argument",
		w->argument, "requested_target", w->wanted, "target", w->target,
		"why", w->why, "left_out", (json_int_t)w->left_out);
	char *text = o ? json_dumps(o, JSON_ENSURE_ASCII) : NULL;
	autobuffer struct buffer b = {0};

	json_decref(o);
	if (text) {
		buffer_text(&b, text);
		buffer_text(&b, "\n");
	}
	free(text);
	return !text || b.bad ? -ENOMEM
	                      : memfile_make("notice", buffer_span(&b));
}

static void enqueue(struct notices *n, const struct words *w)
{
	struct message *msg;

	if (n->queued == NOTICES_QUEUE)
		return;
	msg = calloc(1, sizeof(*msg));
	if (!msg)
		return;
	msg->fd = message_file(w);
	if (msg->fd < 0) {
		free(msg);
		return;
	}
	list_add_tail(&n->queue, &msg->link);
	n->queued++;
	run_next(n);
}

void notices_tell(struct notices *n, const struct notice *what)
{
	struct words w = {.result = NULL};
	struct source *s;
	char left_out[16];

	write_words(what, &w);
	s = find(n, w.source);
	if (!s || !may_tell(s))
		return;
	w.left_out = s->left_out;
	s->left_out = 0;
	(void)snprintf(left_out, sizeof(left_out), "%u", w.left_out);
	events_tell(&n->m->events, w.source, "call", "result", w.result,
	            "service", w.service, "argument", w.argument,
	            "requested_target", w.wanted, "target", w.target, "why",
	            w.why, "left_out", left_out, NULL);
	(void)fprintf(stderr,
	              "call %s: %s from %s to %s%s%s%s%s (%s left out)\n",
	              w.result, w.service, w.source, w.wanted,
	              *w.target ? ", went to " : "", w.target,
	              *w.why ? ": " : "", w.why, left_out);
	enqueue(n, &w);
}

int notices_create(struct manager *m, struct notices **out, struct fault *f)
{
	struct notices *n = calloc(1, sizeof(*n));

	if (!n)
		return fault_set(f, -ENOMEM, "out of memory");
	n->m = m;
	list_init(&n->sources);
	list_init(&n->queue);
	n->running = (struct reactor_watch){.fd = -1, .ready = ended};
	*out = n;
	return 0;
}

void notices_destroy(struct notices *n)
{
	int fd;

	if (!n)
		return;
	while (!list_empty(&n->queue))
		forget(n, list_first(&n->queue, struct message, link));
	list_for_each_safe (at, &n->sources) {
		list_del(at);
		free(list_entry(at, struct source, link));
	}
	fd = n->running.fd;
	reactor_remove(n->m->reactor, &n->running);
	base_close(&fd);
	free(n);
}
