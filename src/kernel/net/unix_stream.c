/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/unix_stream.h"

#include <linux/poll.h>

#include "kernel/net/unix_conn.h"

/* A reader with MSG_WAITALL makes room for as much, but not more. */
#define WANT_MAX ((size_t)16 << 20)

/* How many bytes may lie at `p`, sent by `u`. */
static size_t capacity(const struct unix_sock *u, const struct unix_sock *p)
{
	return MAX(socket_at_most(&u->s, &p->s, socket_send_room(&u->s)),
	           p->want);
}

/* As Linux: writable while at most a quarter is under way. */
static bool writable(const struct unix_sock *u)
{
	const struct unix_sock *p = u->peer;

	return !p || p->rx.used * 4 <= capacity(u, p);
}

static long stream_send(struct socket *s, struct sockmsg *m)
{
	struct unix_sock *u = unix_of(s);
	struct unix_sock *p = u->peer;
	struct sockbuf_tag tag = {.files = m->files};
	size_t room;
	long n;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->name.size > 0)
		return u->connected ? -EISCONN : -EOPNOTSUPP;
	n = unix_conn_may_send(u);
	if (n < 0)
		return n;
	if (m->uio->left == 0)
		return 0;
	room = capacity(u, p);
	if (p->rx.used >= room)
		return -EAGAIN;
	tag.at = &p->node;
	unix_tag(p, m, &tag.has_cred, &tag.cred);
	n = sockbuf_fill(s->kernel, &p->rx, m->uio, room - p->rx.used, &tag);
	m->files = tag.files;
	if (n > 0)
		socket_wake(&p->s, POLLIN | POLLRDNORM);
	return n;
}

/* Is there less than MSG_WAITALL asks for, and can more come? */
static bool wait_for_all(struct unix_sock *u, const struct sockmsg *m)
{
	size_t want = MIN(m->uio->left, WANT_MAX);

	u->want = 0;
	if (!(m->flags & MSG_WAITALL) || u->rx.used >= want || u->s.err ||
	    (u->s.shut & SOCKET_SHUT_READ) || m->uio->nonblock)
		return false;
	u->want = want;
	if (u->peer)
		socket_wake(&u->peer->s, POLLOUT | POLLWRNORM);
	return true;
}

static long nothing_there(struct unix_sock *u)
{
	int err = socket_error(&u->s);

	if (err < 0)
		return err;
	return u->s.shut & SOCKET_SHUT_READ ? 0 : -EAGAIN;
}

static long stream_recv(struct socket *s, struct sockmsg *m)
{
	struct unix_sock *u = unix_of(s);
	struct unix_sock *p = u->peer;
	struct sockbuf_tag tag = {.keep_apart = s->opt.pass_cred};
	bool full;
	long n;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (!u->connected)
		return -EINVAL;
	if (u->rx.used == 0)
		return nothing_there(u);
	if (wait_for_all(u, m))
		return -EAGAIN;
	/* Who can send no more may wait for this to be read. */
	full = !p || !writable(p) || (p->s.shut & SOCKET_SHUT_WRITE);
	n = sockbuf_drain(s->kernel, &u->rx, m->uio, m->flags & MSG_PEEK, &tag);
	if (n < 0)
		return n;
	m->files = tag.files;
	m->has_cred = tag.has_cred;
	m->cred = tag.cred;
	if (p && p->name.size > 0)
		unix_name(p, &m->name);
	if (full && p && writable(p))
		socket_wake(&p->s, POLLOUT | POLLWRNORM);
	return n;
}

static uint32_t stream_poll(struct socket *s, struct poller *p)
{
	struct unix_sock *u = unix_of(s);
	uint32_t got = unix_conn_poll(u);

	(void)p;
	if (u->rx.used > 0)
		got |= POLLIN | POLLRDNORM;
	if (!u->listening && writable(u))
		got |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return got;
}

static size_t stream_readable(struct socket *s)
{
	return unix_of(s)->rx.used;
}

static size_t stream_unsent(struct socket *s)
{
	struct unix_sock *p = unix_of(s)->peer;

	return p ? p->rx.used : 0;
}

static size_t stream_room(struct socket *s)
{
	const struct unix_sock *u = unix_of(s);
	const struct unix_sock *p = u->peer;
	size_t most = p ? capacity(u, p) : 0;

	return p && p->rx.used < most ? most - p->rx.used : 0;
}

const struct socket_ops unix_stream_ops = {
	.bind = unix_bind,
	.connect = unix_conn_connect,
	.listen = unix_conn_listen,
	.accept = unix_conn_accept,
	.name = unix_get_name,
	.send = stream_send,
	.recv = stream_recv,
	.poll = stream_poll,
	.shutdown = unix_conn_shutdown,
	.readable = stream_readable,
	.unsent = stream_unsent,
	.room = stream_room,
	.close = unix_conn_close,
	.destroy = unix_destroy,
};
