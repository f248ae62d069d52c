/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/trunk.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "manager/broker.h"
#include "manager/callstreams.h"
#include "manager/domain.h"
#include "manager/manager.h"

#define READ_AT_ONCE 16u /* messages; then others have their turn */

/* A message that the kernel's socket did not take yet. */
struct kept {
	struct list link;
	struct control c;
	char *text; /* the record; NULL: there is none */
	struct callmsg record;
	bool streamed;
	int streams[CALLMSG_STREAMS]; /* -1: none */
};

static void forget(struct trunk *t, struct kept *k)
{
	callmsg_close(k->streams);
	list_del(&k->link);
	t->kept_count--;
	t->kept_streams -= k->streamed;
	free(k->text);
	free(k);
}

/* It will be seen as ended when we next look. */
static void give_up(struct trunk *t, int err)
{
	if (err != -EPIPE && err != -ECONNRESET)
		(void)fprintf(stderr, "%s takes no more calls: %s\n", t->name,
		              strerror(-err));
	(void)shutdown(t->watch.fd, SHUT_RDWR);
}

static int send_one(const struct trunk *t, const struct control *c,
                    const struct callmsg *record, const int *streams)
{
	if (record)
		return callmsg_send(t->watch.fd, c, record, streams);
	return control_send(t->watch.fd, c, streams,
	                    streams ? CALLMSG_STREAMS : 0);
}

bool trunk_is_full(const struct trunk *t)
{
	return t->kept_streams >= TRUNK_FULL;
}

void trunk_wait(struct trunk *t, struct domain_waiter *w)
{
	list_add_tail(&t->comers, &w->link);
}

static void tell_comer(struct trunk *t, const char *why)
{
	struct domain_waiter *w = list_first(&t->comers, struct domain_waiter,
	                                     link);

	list_del(&w->link);
	w->done(w, why);
}

/* Sends what was kept, as far as the socket takes it. */
static void send_kept(struct trunk *t)
{
	while (!list_empty(&t->kept)) {
		struct kept *k = list_first(&t->kept, struct kept, link);
		int err = send_one(t, &k->c, k->text ? &k->record : NULL,
		                   k->streamed ? k->streams : NULL);

		if (err == -EAGAIN)
			break;
		/* Names that are none: its caller finds the streams closed. */
		if (err < 0 && err != -EINVAL)
			give_up(t, err);
		forget(t, k);
	}
	reactor_change(t->m->reactor, &t->watch,
	               list_empty(&t->kept) ? EPOLLIN : EPOLLIN | EPOLLOUT);
	while (!trunk_is_full(t) && !list_empty(&t->comers))
		tell_comer(t, NULL);
}

static int copy_record(struct kept *k, const struct callmsg *record)
{
	const struct span *from[] = {&record->service, &record->target,
	                             &record->source, &record->user};
	struct span *to[] = {&k->record.service, &k->record.target,
	                     &k->record.source, &k->record.user};
	size_t size = 1, at = 0;

	for (size_t i = 0; i < ARRAY_LEN(from); i++)
		size += from[i]->size;
	k->text = malloc(size);
	if (!k->text)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		if (from[i]->size > 0)
			memcpy(k->text + at, from[i]->at, from[i]->size);
		*to[i] = (struct span){(uint8_t *)k->text + at, from[i]->size};
		at += from[i]->size;
	}
	return 0;
}

/* Keeps a message for later; takes over the streams only if it returns 0. */
static int keep(struct trunk *t, const struct control *c,
                const struct callmsg *record, int *streams)
{
	struct kept *k;

	if (t->kept_count == TRUNK_KEPT_MAX ||
	    (streams && t->kept_streams == TRUNK_STREAMS_MAX))
		return -EBUSY;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->c = *c;
	k->streamed = streams != NULL;
	if (record && copy_record(k, record) < 0) {
		free(k);
		return -ENOMEM;
	}
	for (size_t i = 0; i < CALLMSG_STREAMS; i++)
		k->streams[i] = streams ? take_fd(&streams[i]) : -1;
	list_add_tail(&t->kept, &k->link);
	t->kept_count++;
	t->kept_streams += k->streamed;
	reactor_change(t->m->reactor, &t->watch, EPOLLIN | EPOLLOUT);
	return 0;
}

static int tell(struct trunk *t, const struct control *c,
                const struct callmsg *record, int *streams)
{
	int err = -EAGAIN;

	if (list_empty(&t->kept))
		err = send_one(t, c, record, streams);
	if (err == -EAGAIN)
		err = keep(t, c, record, streams);
	if (streams)
		callmsg_close(streams);
	return err;
}

/* Streams for a call to come, unless it has some, or used many. */
static uint64_t make_ahead(struct trunk *t, int near[CALLMSG_STREAMS])
{
	if (t->ahead || t->early >= TRUNK_EARLY_MAX || !list_empty(&t->kept) ||
	    callstreams_make(near, t->far) < 0)
		return 0;
	return t->ahead = ++t->m->served;
}

void trunk_allowed(struct trunk *t, uint64_t id, int streams[CALLMSG_STREAMS],
                   bool early)
{
	struct control c = {.kind = CONTROL_allowed, .value = {id}};
	int fds[2 * CALLMSG_STREAMS], near[CALLMSG_STREAMS];
	uint32_t count = streams ? CALLMSG_STREAMS : 0;
	int err = -EAGAIN;

	if (streams)
		memcpy(fds, streams, sizeof(near));
	c.value[1] = early ? make_ahead(t, near) : 0;
	if (c.value[1]) {
		memcpy(fds + count, near, sizeof(near));
		err = control_send(t->watch.fd, &c, fds,
		                   count + CALLMSG_STREAMS);
		callmsg_close(near);
	}
	if (c.value[1] && err < 0) { /* without any for later, then */
		callmsg_close(t->far);
		t->ahead = c.value[1] = 0;
	}
	if (err < 0) {
		err = tell(t, &c, NULL, streams);
	} else if (streams) {
		callmsg_close(streams);
	}
	if (err < 0)
		give_up(t, err);
}

void trunk_refused(struct trunk *t, uint64_t id)
{
	struct control c = {.kind = CONTROL_refused, .value = {id}};
	int err = tell(t, &c, NULL, NULL);

	if (err < 0)
		give_up(t, err);
}

bool trunk_take_ahead(struct trunk *t, uint64_t number,
                      int far[CALLMSG_STREAMS])
{
	bool have = number && number == t->ahead;

	for (size_t i = 0; i < CALLMSG_STREAMS; i++)
		far[i] = have ? take_fd(&t->far[i]) : -1;
	t->ahead = have ? 0 : t->ahead;
	return have || number == 0;
}

int trunk_serve(struct trunk *t, const struct callmsg *what,
                int streams[CALLMSG_STREAMS])
{
	struct control c = {
		.kind = CONTROL_serve,
		/* Of others it does not matter to us when they end. */
		.value = {++t->m->served, t->once ? CALLMSG_TELL : 0},
	};
	int err = tell(t, &c, what, streams);

	if (err == 0)
		t->serves += t->once;
	else if (err != -EBUSY && err != -EINVAL && err != -ENOMEM)
		give_up(t, err);
	return err;
}

/* One that was made for a call goes when it serves none. */
static void nothing_left(struct trunk *t)
{
	if (t->once && t->serves == 0)
		domain_end(t->m, t->id);
}

/* One message.  False when there is none, or the connection has ended. */
static bool take_one(struct trunk *t)
{
	struct control_fds fds = {0};
	struct control c;
	int got = control_receive(t->watch.fd, CONTROL_KERNEL, &c, &fds);
	bool ok = true;

	if (got == -EAGAIN)
		return false;
	if (got <= 0) {
		trunk_close(t);
		return false;
	}
	switch (c.kind) {
	case CONTROL_call:
		ok = broker_asked(t, &c, &fds);
		break;
	case CONTROL_gone:
		broker_gone(t, c.value[0]);
		break;
	case CONTROL_serving:
		if (t->adopted && c.value[0] == 0)
			nothing_left(t);
		break;
	case CONTROL_over:
		/* What an earlier manager began counts as well. */
		if (c.value[0] > t->m->served_before && t->serves > 0)
			t->serves--;
		if (c.value[2] == 0)
			nothing_left(t);
		break;
	default:
		ok = false;
		break;
	}
	control_close(&fds);
	if (!ok) {
		(void)fprintf(stderr, "%s: garbage about calls\n", t->name);
		trunk_close(t);
	}
	return ok;
}

static void ready(struct reactor_watch *w, uint32_t events)
{
	struct trunk *t = container_of(w, struct trunk, watch);

	if (events & EPOLLOUT)
		send_kept(t);
	if (!(events & ~(uint32_t)EPOLLOUT))
		return;
	for (unsigned i = 0; i < READ_AT_ONCE; i++)
		if (!take_one(t))
			return;
}

int trunk_open(struct manager *m, const struct trunk *what, int fd,
               struct trunk **out, struct fault *f)
{
	struct control hello = {.kind = CONTROL_calls};
	struct trunk *t = malloc(sizeof(*t));
	int err = t ? 0 : -ENOMEM;

	if (err == 0) {
		*t = *what;
		t->m = m;
		t->watch = (struct reactor_watch){.fd = -1, .ready = ready};
		list_init(&t->kept);
		list_init(&t->calls);
		list_init(&t->comers);
		for (size_t i = 0; i < CALLMSG_STREAMS; i++)
			t->far[i] = -1;
		err = control_send(fd, &hello, NULL, 0);
	}
	if (err == 0)
		err = reactor_add(m->reactor, &t->watch, fd, EPOLLIN);
	if (err < 0) {
		close(fd);
		free(t);
		return fault_set(f, err, "reach the kernel for calls: %s",
		                 strerror(-err));
	}
	list_add_tail(&m->trunks, &t->link);
	*out = t;
	return 0;
}

void trunk_close(struct trunk *t)
{
	int fd;

	if (!t)
		return;
	domain_trunk_closed(t->m, t->id);
	broker_forget(t);
	list_del(&t->link);
	while (!list_empty(&t->comers))
		tell_comer(t, "the target has ended");
	while (!list_empty(&t->kept))
		forget(t, list_first(&t->kept, struct kept, link));
	callmsg_close(t->far);
	fd = t->watch.fd;
	reactor_remove(t->m->reactor, &t->watch);
	base_close(&fd);
	free(t);
}

struct trunk *trunk_find(const struct manager *m, const char *uuid)
{
	list_for_each (at, &m->trunks) {
		struct trunk *t = list_entry(at, struct trunk, link);

		if (strcmp(t->uuid, uuid) == 0)
			return t;
	}
	return NULL;
}
