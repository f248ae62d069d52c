/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/calls/callpump.h"

#include <string.h>
#include <sys/epoll.h>

#include "kernel/calls/callio.h"
#include "kernel/core/limits.h"
#include "kernel/core/waitq.h"
#include "kernel/net/scm.h"
#include "kernel/net/socket.h"

#define CHUNK ((size_t)128 * 1024)
#define TURNS 8 /* chunks before others get their turn */

/* Something the receiver did not take. */
struct rest {
	uint8_t *bytes; /* charged */
	size_t size, at;
};

struct callpump {
	struct kernel *kernel;
	struct socket *socket;
	struct event in, out; /* fd -1: that direction is over */
	bool more;            /* `in` may have something for us... */
	bool last;            /* ... and behind that its end */
	bool full;            /* `out` is watched for room */
	struct waiter changed;
	struct soon run;
	struct rest to_service; /* the head, at first */
	struct rest to_host;
	size_t chunk; /* carried at a time */
	bool end_with_client, end_with_service;
	bool in_order; /* that has been said */
	void (*over)(void *who, enum callpump_end end);
	void *who;
};

static void close_event(struct callpump *p, struct event *e)
{
	if (e->fd < 0)
		return;
	loop_remove(&p->kernel->loop, e);
	close(e->fd);
	e->fd = -1;
}

static void drop_rest(struct callpump *p, struct rest *r)
{
	limits_free(p->kernel, r->bytes, r->size);
	*r = (struct rest){0};
}

static int keep_rest(struct callpump *p, struct rest *r, const uint8_t *bytes,
                     size_t size)
{
	r->bytes = limits_alloc(p->kernel, size);
	if (!r->bytes)
		return -ENOMEM;
	memcpy(r->bytes, bytes, size);
	r->size = size;
	r->at = 0;
	return 0;
}

/* ---- from the host to the service ---- */

static long give(struct callpump *p, const uint8_t *bytes, size_t size)
{
	struct sockmsg m = {0};
	struct uio u;

	uio_init_kernel(&u, (void *)(uintptr_t)bytes, size);
	m.uio = &u;
	return p->socket->ops->send(p->socket, &m);
}

/* 0: all of it is there; -EAGAIN, -EPIPE, -ENOMEM. */
static long give_rest(struct callpump *p)
{
	struct rest *r = &p->to_service;

	while (r->at < r->size) {
		long n = give(p, r->bytes + r->at, r->size - r->at);

		if (n < 0)
			return n;
		r->at += (size_t)n;
	}
	drop_rest(p, r);
	return 0;
}

static void service_hears_no_more(struct callpump *p)
{
	close_event(p, &p->in);
	drop_rest(p, &p->to_service);
}

static void client_said_all(struct callpump *p)
{
	service_hears_no_more(p);
	(void)p->socket->ops->shutdown(p->socket, SHUT_WR);
	if (p->end_with_client)
		close_event(p, &p->out);
}

static size_t room_at_service(const struct callpump *p)
{
	return MIN(p->socket->ops->room(p->socket), p->chunk);
}

/* One chunk.  0: go on; -EAGAIN: not now; else what broke. */
static long carry_in(struct callpump *p)
{
	uint8_t *chunk = p->kernel->scratch;
	long err = give_rest(p);
	size_t room;
	long n;

	if (err < 0)
		return err;
	if (p->socket->shut & SOCKET_SHUT_WRITE)
		return -EPIPE;
	room = room_at_service(p);
	if (room == 0 || !p->more)
		return -EAGAIN;
	n = callio_receive(p->in.fd, chunk, room);
	/* An edge will say so when there is more than this. */
	p->more = n > 0 && ((size_t)n == room || p->last);
	if (n == -EAGAIN)
		return n;
	if (n <= 0) {
		client_said_all(p);
		return 0;
	}
	err = give(p, chunk, (size_t)n);
	if (err < 0 && err != -EAGAIN)
		return err;
	if (err == n)
		return 0;
	err = MAX(err, 0);
	return keep_rest(p, &p->to_service, chunk + err, (size_t)(n - err));
}

/* ---- from the service to the host ---- */

/* 0: the host has all of it; -EAGAIN, -EPIPE. */
static long offer(struct callpump *p, const uint8_t *bytes, size_t size,
                  size_t *taken)
{
	for (*taken = 0; *taken < size;) {
		long n = callio_send(p->out.fd, bytes + *taken, size - *taken);

		if (n < 0)
			return n == -EAGAIN ? n : -EPIPE;
		*taken += (size_t)n;
	}
	return 0;
}

static long offer_rest(struct callpump *p)
{
	struct rest *r = &p->to_host;
	size_t taken;
	long err;

	if (r->size == 0)
		return 0;
	err = offer(p, r->bytes + r->at, r->size - r->at, &taken);
	r->at += taken;
	if (err == 0)
		drop_rest(p, r);
	return err;
}

static void service_said_all(struct callpump *p)
{
	close_event(p, &p->out);
	if (p->end_with_service)
		service_hears_no_more(p);
}

static void client_hears_no_more(struct callpump *p)
{
	close_event(p, &p->out);
	drop_rest(p, &p->to_host);
	(void)p->socket->ops->shutdown(p->socket, SHUT_RD);
}

static long take(struct callpump *p, uint8_t *to, size_t size)
{
	struct sockmsg m = {0};
	struct uio u;
	long n;

	uio_init_kernel(&u, to, size);
	m.uio = &u;
	n = p->socket->ops->recv(p->socket, &m);
	scm_drop(m.files);
	return n;
}

static long carry_out(struct callpump *p)
{
	uint8_t *chunk = p->kernel->scratch;
	long err = offer_rest(p);
	size_t taken;
	long n;

	if (err < 0)
		return err;
	n = take(p, chunk, p->chunk);
	if (n == -EAGAIN)
		return n;
	if (n <= 0) {
		service_said_all(p);
		return 0;
	}
	err = offer(p, chunk, (size_t)n, &taken);
	if (err == -EAGAIN)
		return keep_rest(p, &p->to_host, chunk + taken,
		                 (size_t)n - taken);
	return err;
}

/* ---- both ---- */

/* Both directions are over.  What the service has not read is there still. */
static void both_over(struct callpump *p)
{
	if (p->socket->ops->unsent(p->socket) == 0) {
		p->over(p->who, CALLPUMP_OVER);
		return;
	}
	if (p->in_order)
		return;
	p->in_order = true;
	(void)p->socket->ops->shutdown(p->socket, SHUT_WR);
	p->over(p->who, CALLPUMP_UNREAD);
}

/* Room is news only where something waits for it: each read of the client's
 * makes some, and to be told of that costs both kernels a wake-up. */
static void watch_room(struct callpump *p)
{
	bool full = p->to_host.size > 0;

	if (p->out.fd < 0 || full == p->full)
		return;
	p->full = full;
	(void)!loop_change(&p->kernel->loop, &p->out,
	                   full ? EPOLLOUT | EPOLLET : EPOLLET);
}

static void run(struct soon *s)
{
	struct callpump *p = container_of(s, struct callpump, run);
	long in = -EAGAIN, out = -EAGAIN;

	for (int i = 0; i < TURNS; i++) {
		in = p->in.fd >= 0 ? carry_in(p) : -EAGAIN;
		if (in < 0 && in != -EAGAIN && in != -ENOMEM)
			service_hears_no_more(p);
		out = p->out.fd >= 0 ? carry_out(p) : -EAGAIN;
		if (out == -EPIPE)
			client_hears_no_more(p);
		if (in == -ENOMEM || out == -ENOMEM) {
			p->over(p->who, CALLPUMP_NO_MEMORY);
			return;
		}
		if (in == -EAGAIN && out == -EAGAIN)
			break;
	}
	watch_room(p);
	if (p->in.fd < 0 && p->out.fd < 0)
		both_over(p);
	else if (in != -EAGAIN || out != -EAGAIN)
		loop_soon(&p->kernel->loop, s);
}

static void changed(struct waiter *w, uint32_t events)
{
	struct callpump *p = container_of(w, struct callpump, changed);

	(void)events;
	loop_soon(&p->kernel->loop, &p->run);
}

static void in_ready(struct event *e, uint32_t events)
{
	struct callpump *p = container_of(e, struct callpump, in);

	p->more = true;
	p->last = p->last || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
	run(&p->run);
}

static void out_ready(struct event *e, uint32_t events)
{
	struct callpump *p = container_of(e, struct callpump, out);

	/* The client reads no more, and nothing is on its way to tell us. */
	if ((events & (EPOLLERR | EPOLLHUP)) != 0)
		client_hears_no_more(p);
	run(&p->run);
}

static int watch(struct callpump *p)
{
	int err = loop_add(&p->kernel->loop, &p->in,
	                   EPOLLIN | EPOLLRDHUP | EPOLLET);

	if (err < 0)
		return err;
	err = loop_add(&p->kernel->loop, &p->out, EPOLLET);
	if (err < 0)
		loop_remove(&p->kernel->loop, &p->in);
	return err;
}

struct callpump *callpump_create(struct kernel *k,
                                 const struct callpump_how *how)
{
	struct callpump *p = limits_alloc(k, sizeof(*p));

	if (!p)
		goto close;
	*p = (struct callpump){
		.kernel = k,
		.socket = how->socket,
		.in = {.fd = how->in, .ready = in_ready},
		.out = {.fd = how->out, .ready = out_ready},
		.more = true, /* what came early reaches the service at once */
		.changed = {.wake = changed},
		.chunk = MIN(CHUNK, how->most),
		.end_with_client = how->end_with_client,
		.end_with_service = how->end_with_service,
		.over = how->over,
		.who = how->who,
	};
	p->run.run = run;
	list_init(&p->run.link);
	if (how->head.size > 0 &&
	    keep_rest(p, &p->to_service, how->head.at, how->head.size) < 0)
		goto free;
	if (watch(p) < 0)
		goto drop;
	p->socket->most = how->most;
	waitq_add(&p->socket->wait, &p->changed);
	loop_soon(&k->loop, &p->run);
	return p;

drop:
	drop_rest(p, &p->to_service);
free:
	limits_free(k, p, sizeof(*p));
close:
	close(how->in);
	close(how->out);
	socket_drop(how->socket);
	return NULL;
}

void callpump_destroy(struct callpump *p)
{
	if (!p)
		return;
	list_del(&p->run.link);
	waitq_remove(&p->changed);
	close_event(p, &p->in);
	close_event(p, &p->out);
	drop_rest(p, &p->to_service);
	drop_rest(p, &p->to_host);
	socket_drop(p->socket);
	limits_free(p->kernel, p, sizeof(*p));
}
