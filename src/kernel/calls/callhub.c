/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/calls/callhub.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "kernel/calls/asked.h"
#include "kernel/calls/served.h"
#include "kernel/core/hashtable.h"
#include "kernel/fs/world.h"

/* How long calls wait for a manager to come. */
#define ALONE_NS (10 * 1000000000ull)

#define TURN 64 /* messages heard before others get their turn */

/* So many lines in so long; the last says that others are left out. */
#define LOG_LINES 16u
#define LOG_NS    (10 * 1000000000ull)

void callhub_log(struct callhub *h, struct span source, const char *fmt, ...)
{
	struct callhub_voice
		*v = &h->voices[hashtable_text(source) % CALLHUB_VOICES];
	uint64_t now = timer_now();
	va_list ap;

	if (now - v->since >= LOG_NS)
		*v = (struct callhub_voice){.since = now};
	if (v->lines == LOG_LINES)
		return;
	va_start(ap, fmt);
	(void)fprintf(stderr, "call of %.*s: ", (int)source.size,
	              (const char *)source.at);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputs(++v->lines == LOG_LINES ? " (more is left out)\n" : "\n",
	            stderr);
	va_end(ap);
}

/* ---- telling ---- */

static void disconnect(struct callhub *h)
{
	if (h->manager.fd < 0)
		return;
	loop_remove(&h->kernel->loop, &h->manager);
	close(h->manager.fd);
	h->manager.fd = -1;
	h->full = false;
	h->ahead = 0;
	callmsg_close(h->near);
	/* A later one hears of these anew. */
	asked_untell(h);
	callhub_tell(h);
}

/* One message, or a negative errno; -EAGAIN: later. */
static int say(struct callhub *h, uint32_t kind, uint64_t a, uint64_t b,
               uint64_t c)
{
	struct control m = {.kind = kind, .value = {a, b, c}};

	return control_send(h->manager.fd, &m, NULL, 0);
}

static int say_gone(struct callhub *h)
{
	struct asked *a = list_first(&h->gone, struct asked, link);
	int err = say(h, CONTROL_gone, a->id, 0, 0);

	if (err == 0)
		asked_destroy(a);
	return err;
}

static int say_call(struct callhub *h)
{
	struct asked *a = list_first(&h->untold, struct asked, link);
	struct control c = {
		.kind = CONTROL_call,
		.value = {a->id, a->ahead, a->early ? CALLMSG_EARLY : 0}};
	struct callmsg m;
	int err;

	asked_names(a, &m);
	err = callmsg_send(h->manager.fd, &c, &m, NULL);
	if (err == -EAGAIN || err == -EPIPE || err == -ECONNRESET)
		return err;
	if (err == 0)
		asked_is_told(a);
	else
		asked_drop(a);
	return 0;
}

static int say_over(struct callhub *h)
{
	struct served *s = list_first(&h->ended, struct served, link);
	int err = 0;

	if (s->flags & CALLMSG_TELL)
		err = say(h, CONTROL_over, s->id, s->exit_status,
		          h->running_count);
	if (err == 0)
		served_destroy(s);
	return err;
}

static int say_next(struct callhub *h)
{
	if (h->say_serving) {
		int err = say(h, CONTROL_serving, h->running_count, 0, 0);

		h->say_serving = err < 0;
		return err;
	}
	if (!list_empty(&h->ended))
		return say_over(h);
	if (!list_empty(&h->gone))
		return say_gone(h);
	if (!list_empty(&h->untold))
		return say_call(h);
	return 1;
}

/* Nobody hears it: what only would have been told is over. */
static void tell_nobody(struct callhub *h)
{
	while (!list_empty(&h->ended))
		served_destroy(list_first(&h->ended, struct served, link));
	while (!list_empty(&h->gone))
		asked_destroy(list_first(&h->gone, struct asked, link));
	if (!h->kernel->lasts)
		asked_refuse_all(h);
	else if (!list_empty(&h->untold) && !timer_is_set(&h->alone))
		(void)!timer_set(&h->kernel->loop.timers, &h->alone,
		                 timer_now() + ALONE_NS);
}

static void tell(struct soon *s)
{
	struct callhub *h = container_of(s, struct callhub, tell);
	int err = 0;

	if (h->manager.fd < 0) {
		tell_nobody(h);
		return;
	}
	while (!h->full && err == 0) {
		err = say_next(h);
		h->full = err == -EAGAIN;
	}
	if (h->full)
		(void)!loop_change(&h->kernel->loop, &h->manager,
		                   EPOLLIN | EPOLLOUT);
	else if (err < 0)
		disconnect(h);
}

void callhub_tell(struct callhub *h)
{
	loop_soon(&h->kernel->loop, &h->tell);
}

/* ---- hearing ---- */

static void take(struct callhub *h, const struct control *m,
                 struct control_fds *fds)
{
	switch (m->kind) {
	case CONTROL_allowed:
		asked_allowed(h, m, fds);
		break;
	case CONTROL_refused:
		asked_refused(h, m->value[0]);
		break;
	case CONTROL_serve:
		served_begin(h, m, fds);
		break;
	default:
		break;
	}
	control_close(fds);
}

static void ready(struct event *e, uint32_t events)
{
	struct callhub *h = container_of(e, struct callhub, manager);
	struct control_fds fds;
	struct control m;
	int got = 1;

	if (events & EPOLLOUT) {
		h->full = false;
		(void)!loop_change(&h->kernel->loop, e, EPOLLIN);
		callhub_tell(h);
	}
	for (int i = 0; i < TURN && got > 0; i++) {
		got = control_receive(e->fd, CONTROL_CLIENT, &m, &fds);
		if (got > 0)
			take(h, &m, &fds);
	}
	if (got > 0 || got == -EAGAIN)
		return;
	if (got < 0)
		(void)fprintf(stderr,
		              "the connection for calls is closed: "
		              "%s\n",
		              strerror(-got));
	disconnect(h);
}

void callhub_connect(struct kernel *k, int fd)
{
	struct callhub *h = k->callhub;

	if (!h) {
		close(fd);
		return;
	}
	disconnect(h);
	h->manager.fd = fd;
	if (loop_add(&k->loop, &h->manager, EPOLLIN) < 0) {
		close(fd);
		h->manager.fd = -1;
		return;
	}
	timer_stop(&k->loop.timers, &h->alone);
	h->say_serving = true;
	callhub_tell(h);
}

static void alone(struct timer *t)
{
	struct callhub *h = container_of(t, struct callhub, alone);

	if (h->manager.fd < 0)
		asked_refuse_all(h);
}

bool callhub_has_room(const struct kernel *k, const int fd[], size_t count)
{
	for (size_t i = 0; k->world && i < count; i++)
		if (fd[i] >= k->world->fd_limit)
			return false;
	return true;
}

/* ---- beginning and end ---- */

int callhub_create(struct kernel *k, const struct path *root)
{
	struct callhub *h = calloc(1, sizeof(*h));
	long err;

	if (!h)
		return -ENOMEM;
	h->kernel = k;
	h->root = *root;
	path_get(&h->root);
	h->manager = (struct event){.fd = -1, .ready = ready};
	h->tell.run = tell;
	h->alone.fire = alone;
	h->next_id = 1;
	for (size_t i = 0; i < CALLMSG_STREAMS; i++)
		h->near[i] = -1;
	list_init(&h->tell.link);
	list_init(&h->reading);
	list_init(&h->untold);
	list_init(&h->told);
	list_init(&h->gone);
	list_init(&h->running);
	list_init(&h->ended);
	k->callhub = h;
	err = asked_listen(h);
	if (err < 0)
		(void)fprintf(stderr, "no calls to other qubes: %s\n",
		              strerror((int)-err));
	return 0;
}

void callhub_destroy(struct kernel *k)
{
	struct callhub *h = k->callhub;

	if (!h)
		return;
	asked_end(h);
	disconnect(h);
	while (!list_empty(&h->running))
		served_destroy(list_first(&h->running, struct served, link));
	tell_nobody(h);
	list_del(&h->tell.link);
	timer_stop(&k->loop.timers, &h->alone);
	path_put(&h->root);
	k->callhub = NULL;
	free(h);
}
