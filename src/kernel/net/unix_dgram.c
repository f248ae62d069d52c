/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/unix_dgram.h"

#include <linux/poll.h>

#include "kernel/net/unix_conn.h"

/* How many datagrams wait for a receiver at most. */
#define QUEUE_MAX 512u

static bool full(const struct unix_sock *from, const struct unix_sock *to)
{
	if (to->packets.count >= QUEUE_MAX)
		return true;
	return to->packets.count > 0 &&
	       to->packets.used >= socket_send_room(&from->s);
}

/* Queues one message at `to`, which is alive and has room. */
static long deliver(struct unix_sock *u, struct unix_sock *to,
                    struct sockmsg *m)
{
	struct kernel *k = u->s.kernel;
	size_t size = m->uio->left;
	struct sockpkt *p;
	long err;

	if (size > socket_send_room(&u->s) - 32)
		return -EMSGSIZE;
	if (u != to && full(u, to))
		return -EAGAIN;
	if (u->s.opt.pass_cred) {
		err = unix_autobind(u);
		if (err < 0)
			return err;
	}
	err = sockpkt_take(k, m->uio, &p);
	if (err < 0)
		return err;

	/* Nothing below can fail. */
	unix_tag(to, m, &p->has_cred, &p->cred);
	if (u->name.size > 0)
		unix_name(u, &p->from);
	if (m->files) {
		p->files = m->files;
		m->files = NULL;
		scm_queue(&p->files, &to->node);
	}
	sockpkt_push(&to->packets, p);
	socket_wake(&to->s, POLLIN | POLLRDNORM);
	return (long)size;
}

/* The receiver of a datagram socket's message: a new reference. */
static long find_receiver(struct unix_sock *u, struct sockmsg *m,
                          struct unix_sock **out)
{
	struct unix_sock *p = u->peer;

	if (m->name.size > 0)
		return unix_find(u, m->task, &m->name, out);
	if (!p)
		return -ENOTCONN;
	*out = unix_of(socket_get(&p->s));
	return 0;
}

static void forget_peer(struct unix_sock *u)
{
	struct unix_sock *p = u->peer;

	u->peer = NULL;
	if (p)
		socket_put(&p->s);
}

static long dgram_send(struct socket *s, struct sockmsg *m)
{
	struct unix_sock *u = unix_of(s);
	struct unix_sock *to;
	long n;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->shut & SOCKET_SHUT_WRITE)
		return -EPIPE;
	n = find_receiver(u, m, &to);
	if (n < 0)
		return n;
	if (to->s.closed) {
		if (to == u->peer)
			forget_peer(u);
		n = -ECONNREFUSED;
	} else if (to->peer && to->peer != u && to != u) {
		n = -EPERM;
	} else if (to->s.shut & SOCKET_SHUT_READ) {
		n = -EPIPE;
	} else {
		n = deliver(u, to, m);
	}
	/* Room is news on the receiver's queue. */
	if (n == -EAGAIN && m->task && !m->uio->nonblock)
		n = socket_wait(&to->s, m->task, s->opt.send_timeout_ns, false);
	socket_put(&to->s);
	return n;
}

static long seqpacket_send(struct socket *s, struct sockmsg *m)
{
	struct unix_sock *u = unix_of(s);
	struct unix_sock *to = u->peer;
	long n = unix_conn_may_send(u);

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (n < 0)
		return n;
	n = deliver(u, to, m);
	if (n == -EAGAIN && m->task && !m->uio->nonblock)
		n = socket_wait(&to->s, m->task, s->opt.send_timeout_ns, false);
	return n;
}

static long packet_recv(struct socket *s, struct sockmsg *m)
{
	struct unix_sock *u = unix_of(s);
	struct sockpkt *p = sockpkt_first(&u->packets);
	long n;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->type == SOCK_SEQPACKET && !u->connected)
		return -ENOTCONN;
	if (!p) {
		n = socket_error(s);
		if (n < 0)
			return n;
		return s->shut & SOCKET_SHUT_READ ? 0 : -EAGAIN;
	}
	n = sockpkt_give(p, m);
	if (n < 0)
		return n;
	m->has_cred = p->has_cred;
	m->cred = p->cred;
	if (m->flags & MSG_PEEK) {
		m->files = p->files ? scm_copy(p->files) : NULL;
		return n;
	}
	if (p->files) {
		scm_unqueue(p->files);
		m->files = p->files;
		p->files = NULL;
	}
	sockpkt_remove(&u->packets, p);
	sockpkt_free(s->kernel, p);
	/* Senders wait on our queue; a connected one polls its own. */
	socket_wake(s, POLLOUT | POLLWRNORM);
	if (u->peer && u->peer->peer == u)
		socket_wake(&u->peer->s, POLLOUT | POLLWRNORM);
	return n;
}

static uint32_t packet_poll(struct socket *s, struct poller *p)
{
	struct unix_sock *u = unix_of(s);
	uint32_t got = 0;

	if (s->type == SOCK_SEQPACKET)
		got = unix_conn_poll(u);
	else if (s->err)
		got = POLLERR;
	if (s->shut & SOCKET_SHUT_READ)
		got |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (s->shut == SOCKET_SHUT_BOTH)
		got |= POLLHUP;
	if (u->packets.count > 0)
		got |= POLLIN | POLLRDNORM;
	if (u->peer && u->peer->peer != u)
		poller_watch(p, &u->peer->s.wait);
	if (!u->listening && (!u->peer || !full(u, u->peer)))
		got |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return got;
}

static long dgram_connect(struct socket *s, struct task *t,
                          const struct sockname *name, bool nonblock)
{
	struct unix_sock *u = unix_of(s);
	struct unix_sock *to = NULL;
	long err;

	(void)nonblock;
	if (name->family == AF_UNSPEC) {
		forget_peer(u);
		return 0;
	}
	err = unix_find(u, t, name, &to);
	if (err < 0)
		return err;
	if (s->opt.pass_cred)
		err = unix_autobind(u);
	if (err == 0 && to->peer && to->peer != u)
		err = -EPERM;
	if (err < 0) {
		socket_put(&to->s);
		return err;
	}
	forget_peer(u);
	u->peer = to;
	socket_wake(s, POLLOUT | POLLWRNORM);
	return 0;
}

static size_t packet_readable(struct socket *s)
{
	struct sockpkt *p = sockpkt_first(&unix_of(s)->packets);

	return p ? p->size : 0;
}

static size_t packet_unsent(struct socket *s)
{
	struct unix_sock *p = unix_of(s)->peer;

	return p ? p->packets.used : 0;
}

static void dgram_close(struct socket *s)
{
	struct unix_sock *u = unix_of(s);

	unix_unbind(u);
	/* Who is connected to us notices: on its next send, or now. */
	if (u->peer && u->peer->peer == u)
		socket_wake(&u->peer->s, WAITQ_ANY);
	forget_peer(u);
	sockpkt_queue_fini(s->kernel, &u->packets);
	scm_collect_soon(s->kernel);
}

const struct socket_ops unix_dgram_ops = {
	.bind = unix_bind,
	.connect = dgram_connect,
	.name = unix_get_name,
	.send = dgram_send,
	.recv = packet_recv,
	.poll = packet_poll,
	.shutdown = unix_conn_shutdown,
	.readable = packet_readable,
	.unsent = packet_unsent,
	.close = dgram_close,
	.destroy = unix_destroy,
};

const struct socket_ops unix_dgram_seqpacket_ops = {
	.bind = unix_bind,
	.connect = unix_conn_connect,
	.listen = unix_conn_listen,
	.accept = unix_conn_accept,
	.name = unix_get_name,
	.send = seqpacket_send,
	.recv = packet_recv,
	.poll = packet_poll,
	.shutdown = unix_conn_shutdown,
	.readable = packet_readable,
	.unsent = packet_unsent,
	.close = unix_conn_close,
	.destroy = unix_destroy,
};
