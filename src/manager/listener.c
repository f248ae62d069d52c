/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection is READING its request, WAITING for the answer, WRITING that, or
 * STREAMING events.  While it waits we look for nothing but its end.
 */
#include "manager/listener.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rights.h"
#include "channel/callmsg.h"
#include "manager/manager.h"

#define HEAD_MAX 1024u /* of a request: what comes before its payload */

enum phase { READING, WAITING, WRITING, STREAMING };

struct conn {
	struct list link; /* of all connections */
	struct list tell; /* in events.listeners, when STREAMING */
	struct listener *listener;
	struct reactor_watch watch;
	enum phase phase;
	bool headed; /* READING: the head is complete */
	struct buffer in, out;
	/* Of a vetted one, in which the watch turns from `in` to `out`. */
	bool vetted;
	int fd_in, fd_out, status;
	uint32_t exit_status;
	char source[QUBE_NAME_MAX + 1];
	int fd; /* to go along with the first byte; -1: none */
	struct call *call;
	bool given; /* others have the socket */
	bool stats;
	char subject[QUBE_NAME_MAX + 1];
};

struct listener {
	struct manager *m;
	struct reactor_watch watch;
	struct list conns;
	uint32_t count, vetted;
};

/* The exit status of a call, for who made it; it may not be there any more. */
static void tell_status(const struct conn *c)
{
	uint8_t wire[4] = {(uint8_t)c->exit_status};

	if (c->status >= 0)
		(void)!write(c->status, wire, sizeof(wire));
}

static void destroy(struct conn *c)
{
	struct listener *l = c->listener;
	int fd = c->watch.fd;

	reactor_remove(l->m->reactor, &c->watch);
	/* A worker that was forked meanwhile has it, too. */
	if (!c->given)
		(void)shutdown(fd, SHUT_RDWR);
	base_close(&fd);
	base_close(&c->fd);
	tell_status(c);
	base_close(&c->fd_in);
	base_close(&c->fd_out);
	base_close(&c->status);
	if (c->call)
		call_forget(c->call);
	buffer_fini(&c->in);
	buffer_fini(&c->out);
	list_del(&c->tell);
	list_del(&c->link);
	if (c->vetted) {
		l->vetted--;
		free(c);
		return;
	}
	free(c);
	l->count--;
	if (l->count == LISTENER_CONNS_MAX - 1)
		reactor_change(l->m->reactor, &l->watch, EPOLLIN);
}

/* Writes what can be written.  False: the connection is over. */
static bool write_out(struct conn *c)
{
	while (c->out.size > 0) {
		/* The descriptor goes with the first byte. */
		ssize_t n = rights_send(c->watch.fd, buffer_span(&c->out),
		                        &c->fd, c->fd >= 0, MSG_DONTWAIT);

		if (n == -EINTR)
			continue;
		if (n == -EAGAIN)
			break;
		if (n < 0)
			return false;
		base_close(&c->fd);
		buffer_drop(&c->out, (size_t)n);
	}
	if (c->phase == WRITING && c->out.size == 0)
		return false;
	/* The end of both halves is always told. */
	reactor_change(c->listener->m->reactor, &c->watch,
	               c->out.size ? EPOLLOUT : 0);
	return true;
}

void listener_answer(struct conn *c, struct span wire, int fd)
{
	c->call = NULL;
	c->fd = fd;
	c->exit_status = 0;
	c->phase = WRITING;
	buffer_put(&c->out, wire.at, wire.size);
	/* What is left goes when the other side reads. */
	if (c->out.bad || !write_out(c))
		destroy(c);
}

void listener_set_call(struct conn *c, struct call *call)
{
	c->call = call;
}

int listener_socket(const struct conn *c)
{
	return c->vetted ? c->fd_in : c->watch.fd;
}

int listener_give(struct conn *c)
{
	reply_ok(&c->out, (struct span){NULL, 0});
	/* It is the first that is written there, and has room. */
	if (c->out.bad || !write_out(c) || c->out.size > 0)
		return -EPIPE;
	c->given = true;
	c->phase = WRITING; /* ... of which nothing is left */
	reactor_change(c->listener->m->reactor, &c->watch, EPOLLOUT);
	return 0;
}

bool listener_is_vetted(const struct conn *c)
{
	return c->vetted;
}

void listener_stream(struct conn *c, struct events *e, const char *subject,
                     bool stats)
{
	struct reply_event hello = {.subject = "",
	                            .name = "connection-established"};

	c->phase = STREAMING;
	c->exit_status = 0;
	c->stats = stats;
	(void)snprintf(c->subject, sizeof(c->subject), "%s", subject);
	list_add_tail(&e->listeners, &c->tell);
	reply_event(&c->out, &hello);
	/* Sent when the reactor next looks: we are in the middle of a call. */
	reactor_change(c->listener->m->reactor, &c->watch, EPOLLOUT);
}

void listener_tell(struct list *at, const char *subject, const char *name,
                   struct span wire)
{
	struct conn *c = list_entry(at, struct conn, tell);

	if (c->stats != (strcmp(name, "vm-stats") == 0) ||
	    (*c->subject && strcmp(c->subject, subject) != 0))
		return;
	buffer_put(&c->out, wire.at, wire.size);
	if (c->out.bad || c->out.size > LISTENER_BEHIND_MAX || !write_out(c))
		destroy(c);
}

bool listener_wants_stats(const struct events *e)
{
	list_for_each (at, &e->listeners)
		if (list_entry(at, struct conn, tell)->stats)
			return true;
	return false;
}

/* From now on the stream that the answer goes to is looked at. */
static bool turn(struct conn *c)
{
	struct reactor *r = c->listener->m->reactor;

	c->fd_in = c->watch.fd;
	reactor_remove(r, &c->watch);
	if (reactor_add(r, &c->watch, c->fd_out, 0) < 0)
		return false;
	c->fd_out = -1; /* the watch's now */
	return true;
}

/* The request is there.  False: the connection is over. */
static bool run_request(struct conn *c)
{
	c->phase = WAITING;
	if (c->vetted && !turn(c))
		return false;
	reactor_change(c->listener->m->reactor, &c->watch, 0);
	return call_start(c->listener->m, c, &c->in) == 0;
}

/*
 * Reads once: up to the head's end until that has come, then whatever there is,
 * so that a stream's payload is left alone.  As recv(2).
 */
static ssize_t read_once(struct conn *c)
{
	uint8_t *to = buffer_reserve(&c->in, REQUEST_SIZE_MAX);
	const uint8_t *end;
	ssize_t n;

	if (!to) {
		errno = ENOMEM;
		return -1;
	}
	if (c->headed)
		return recv(c->watch.fd, to, REQUEST_SIZE_MAX, MSG_DONTWAIT);
	n = recv(c->watch.fd, to, HEAD_MAX, MSG_DONTWAIT | MSG_PEEK);
	if (n <= 0)
		return n;
	end = memchr(to, 0, (size_t)n);
	c->headed = end != NULL;
	if (!end && c->in.size + (size_t)n > HEAD_MAX) {
		errno = EPROTO;
		return -1;
	}
	return recv(c->watch.fd, to, end ? (size_t)(end - to) + 1 : (size_t)n,
	            MSG_DONTWAIT);
}

/* False: the connection is over. */
static bool read_in(struct conn *c)
{
	bool was_headed = c->headed;
	ssize_t n = read_once(c);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return run_request(c);
	c->in.size += (size_t)n;
	if (c->in.size > REQUEST_SIZE_MAX)
		return false;
	if (c->headed && !was_headed && call_is_stream(buffer_span(&c->in)))
		return run_request(c);
	return true;
}

/*
 * run_request() may have answered, and the connection be gone with that: then
 * it must not be touched, and true is returned up to here.
 */
static void conn_ready(struct reactor_watch *w, uint32_t events)
{
	struct conn *c = container_of(w, struct conn, watch);
	bool alive = true;

	switch (c->phase) {
	case READING:
		alive = read_in(c);
		break;
	case WAITING:
		/* Nobody is left to be answered. */
		alive = !(events & (EPOLLHUP | EPOLLERR));
		break;
	case STREAMING:
		alive = !(events & (EPOLLHUP | EPOLLERR)) && write_out(c);
		break;
	case WRITING:
		alive = write_out(c);
		break;
	}
	if (!alive)
		destroy(c);
}

/* May this peer ask us anything? */
static bool is_ours(int sock)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &size) == 0 &&
	       cred.uid == geteuid();
}

/* A connection that is looked at; NULL without memory. */
static struct conn *create(struct listener *l, int sock)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->listener = l;
	c->fd = c->fd_in = c->fd_out = c->status = -1;
	c->watch.ready = conn_ready;
	list_init(&c->tell);
	if (reactor_add(l->m->reactor, &c->watch, sock, EPOLLIN) < 0) {
		free(c);
		return NULL;
	}
	list_add_tail(&l->conns, &c->link);
	return c;
}

static uint32_t count_of(const struct listener *l, const char *source)
{
	uint32_t count = 0;

	list_for_each (at, &l->conns)
		count += strcmp(list_entry(at, struct conn, link)->source,
		                source) == 0;
	return count;
}

int listener_vetted(struct listener *l, struct span head, int in, int out,
                    int status)
{
	autoclose int fd_in = in, fd_out = out, fd_status = status;
	struct request r;
	char source[QUBE_NAME_MAX + 1] = "";
	struct conn *c;

	if (request_parse(head, &r) < 0 || r.source.size >= sizeof(source))
		return -EINVAL;
	memcpy(source, r.source.at, r.source.size);
	if (l->vetted == LISTENER_VETTED_MAX ||
	    count_of(l, source) >= LISTENER_SOURCE_MAX)
		return -EBUSY;
	c = create(l, fd_in);
	if (!c)
		return -ENOMEM;
	fd_in = -1; /* the connection's now */
	l->vetted++;
	c->vetted = true;
	c->headed = true;
	c->exit_status = CALLMSG_EXIT_PROBLEM; /* unless it is answered */
	memcpy(c->source, source, sizeof(source));
	c->fd_out = take_fd(&fd_out);
	c->status = take_fd(&fd_status);
	buffer_put(&c->in, head.at, head.size);
	if (c->in.bad || (call_is_stream(head) && !run_request(c)))
		destroy(c);
	return 0;
}

static void accept_ready(struct reactor_watch *w, uint32_t events)
{
	struct listener *l = container_of(w, struct listener, watch);
	autoclose int sock = accept4(w->fd, NULL, NULL,
	                             SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct conn *c;

	(void)events;
	if (sock < 0 || !is_ours(sock))
		return;
	c = create(l, sock);
	if (!c)
		return;
	sock = -1; /* the connection's now */
	l->count++;
	/* The rest wait in the socket's queue until one of these ends. */
	if (l->count == LISTENER_CONNS_MAX)
		reactor_change(l->m->reactor, &l->watch, 0);
}

int listener_create(struct manager *m, int sock, struct listener **out,
                    struct fault *f)
{
	struct listener *l = calloc(1, sizeof(*l));
	int err;

	if (!l) {
		close(sock);
		return fault_set(f, -ENOMEM, "out of memory");
	}
	l->m = m;
	l->watch.ready = accept_ready;
	list_init(&l->conns);
	err = reactor_add(m->reactor, &l->watch, sock, EPOLLIN);
	if (err < 0) {
		close(sock);
		free(l);
		return fault_set(f, err, "watch the socket: %s",
		                 strerror(-err));
	}
	*out = l;
	return 0;
}

void listener_destroy(struct listener *l)
{
	int fd;

	if (!l)
		return;
	list_for_each_safe (at, &l->conns)
		destroy(list_entry(at, struct conn, link));
	fd = l->watch.fd;
	reactor_remove(l->m->reactor, &l->watch);
	base_close(&fd);
	free(l);
}
