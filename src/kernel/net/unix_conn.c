/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/unix_conn.h"

#include <linux/poll.h>

static void link_peers(struct unix_sock *a, struct unix_sock *b)
{
	a->peer = unix_of(socket_get(&b->s));
	b->peer = unix_of(socket_get(&a->s));
	a->connected = true;
	b->connected = true;
}

static void set_peer_cred(struct unix_sock *u, struct sockcred cred)
{
	u->s.peer_cred = cred;
	u->s.has_peer_cred = true;
}

long unix_conn_pair(struct task *t, struct unix_sock *a, struct unix_sock *b)
{
	link_peers(a, b);
	set_peer_cred(a, socket_cred(t));
	set_peer_cred(b, socket_cred(t));
	return 0;
}

/* The listener's side of a connection to be, with the listener's name. */
static struct unix_sock *embryo(struct unix_sock *listener)
{
	struct unix_sock *e = unix_create(listener->s.kernel, listener->s.type);

	if (!e)
		return NULL;
	e->name = listener->name;
	e->s.uid = listener->s.uid;
	e->s.opt.pass_cred = listener->s.opt.pass_cred;
	return e;
}

long unix_conn_join(struct unix_sock *u, struct task *t, struct unix_sock *l)
{
	struct unix_sock *e;

	if (!l->listening || (l->s.shut & SOCKET_SHUT_READ))
		return -ECONNREFUSED;
	if (l->queue_count > l->backlog)
		return -EAGAIN;
	e = embryo(l);
	if (!e)
		return -ENOMEM;

	/* Nothing below can fail. */
	link_peers(u, e);
	set_peer_cred(u, l->cred);
	set_peer_cred(e, socket_cred(t));
	e->listener = l;
	scm_node_enter(&e->node, &l->node);
	list_add_tail(&l->queue, &e->in_queue);
	l->queue_count++;
	socket_wake(&l->s, POLLIN | POLLRDNORM);
	return 0;
}

long unix_conn_connect(struct socket *s, struct task *t,
                       const struct sockname *name, bool nonblock)
{
	struct unix_sock *u = unix_of(s);
	struct unix_sock *l = NULL;
	long err;

	if (u->listening)
		return -EINVAL;
	err = unix_find(u, t, name, &l);
	if (err < 0)
		return err;
	if (u->connected)
		err = -EISCONN;
	else if (s->opt.pass_cred)
		err = unix_autobind(u);
	if (err == 0)
		err = unix_conn_join(u, t, l);
	/* Room in the queue is news on the listener's queue, not on ours. */
	if (err == -EAGAIN && !nonblock)
		err = socket_wait(&l->s, t, s->opt.send_timeout_ns, false);
	socket_put(&l->s);
	return err;
}

long unix_conn_listen(struct socket *s, struct task *t, int backlog)
{
	struct unix_sock *u = unix_of(s);

	if (u->name.size == 0 || u->connected)
		return -EINVAL;
	u->backlog = (uint32_t)MIN((unsigned)backlog, (unsigned)SOMAXCONN);
	u->cred = socket_cred(t);
	u->listening = true;
	set_peer_cred(u, u->cred);
	socket_wake(s, POLLOUT);
	return 0;
}

/* Takes a connection out of its listener's queue. */
static void leave_queue(struct unix_sock *e)
{
	list_del(&e->in_queue);
	e->listener->queue_count--;
	e->listener = NULL;
	scm_node_leave(&e->node);
}

long unix_conn_accept(struct socket *s, struct socket **out)
{
	struct unix_sock *u = unix_of(s);
	struct unix_sock *e;

	if (!u->listening)
		return -EINVAL;
	if (list_empty(&u->queue))
		return s->shut & SOCKET_SHUT_READ ? -EINVAL : -EAGAIN;
	e = list_first(&u->queue, struct unix_sock, in_queue);
	leave_queue(e);
	socket_wake(s, POLLOUT | POLLWRNORM);
	*out = &e->s;
	return 0;
}

long unix_conn_shutdown(struct socket *s, int how)
{
	struct unix_sock *u = unix_of(s);
	struct unix_sock *p = u->peer;

	if (how == SHUT_RD || how == SHUT_RDWR)
		s->shut |= SOCKET_SHUT_READ;
	if (how == SHUT_WR || how == SHUT_RDWR)
		s->shut |= SOCKET_SHUT_WRITE;
	if (p && s->type != SOCK_DGRAM) {
		if (s->shut & SOCKET_SHUT_READ)
			p->s.shut |= SOCKET_SHUT_WRITE;
		if (s->shut & SOCKET_SHUT_WRITE)
			p->s.shut |= SOCKET_SHUT_READ;
		socket_wake(&p->s, WAITQ_ANY);
	}
	socket_wake(s, WAITQ_ANY);
	return 0;
}

/* Tells the peer that we are gone, unread data among it or not. */
static void leave_peer(struct unix_sock *u)
{
	struct unix_sock *p = u->peer;
	bool unread = u->rx.used > 0 || u->packets.count > 0 || u->listener;

	if (!p)
		return;
	u->peer = NULL;
	if (p->peer == u) {
		p->s.shut = SOCKET_SHUT_BOTH;
		if (unread)
			p->s.err = ECONNRESET;
		socket_wake(&p->s, WAITQ_ANY);
	}
	socket_put(&p->s);
}

void unix_conn_close(struct socket *s)
{
	struct unix_sock *u = unix_of(s);

	unix_unbind(u);
	leave_peer(u);
	while (!list_empty(&u->queue)) {
		struct unix_sock *e = list_first(&u->queue, struct unix_sock,
		                                 in_queue);

		leave_peer(e);
		leave_queue(e);
		socket_drop(&e->s);
	}
	s->shut = SOCKET_SHUT_BOTH;
	sockbuf_fini(s->kernel, &u->rx);
	sockpkt_queue_fini(s->kernel, &u->packets);
	scm_collect_soon(s->kernel);
}

uint32_t unix_conn_poll(const struct unix_sock *u)
{
	uint32_t got = 0;

	if (u->s.err)
		got |= POLLERR;
	if (u->s.shut == SOCKET_SHUT_BOTH)
		got |= POLLHUP;
	if (u->s.shut & SOCKET_SHUT_READ)
		got |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (u->listening && !list_empty(&u->queue))
		got |= POLLIN | POLLRDNORM;
	if (!u->listening && !u->connected)
		got |= POLLHUP;
	return got;
}

long unix_conn_may_send(const struct unix_sock *u)
{
	if (!u->connected)
		return -ENOTCONN;
	if ((u->s.shut & SOCKET_SHUT_WRITE) || !u->peer || u->peer->s.closed)
		return -EPIPE;
	return 0;
}
