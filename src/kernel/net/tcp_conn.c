/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/tcp_conn.h"

#include <linux/poll.h>

static bool is_open(const struct tcp *c)
{
	return c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT ||
	       c->state == TCP_FIN_WAIT2;
}

/* The listener for an address, the one bound to exactly it first. */
static struct tcp *find_listener(struct ports *ps, const struct inet_end *to)
{
	struct port *p = ports_find(ps, to->port);
	struct inet *best = NULL;

	if (!p)
		return NULL;
	list_for_each (l, &p->listeners) {
		struct inet *i = list_entry(l, struct inet, in_listeners);

		if (!inet_covers(i, &to->addr))
			continue;
		if (!best || (inet_is_any(&best->local.addr) &&
		              !inet_is_any(&i->local.addr)))
			best = i;
	}
	if (!best)
		return NULL;
	/* Sockets that share a port by SO_REUSEPORT take turns. */
	list_del(&best->in_listeners);
	list_add_tail(&p->listeners, &best->in_listeners);
	return tcp_of(&best->s);
}

/* The listener's end of a new connection from `c`, with its options. */
static struct tcp *make_end(struct tcp *l, struct tcp *c,
                            const struct inet_end *to)
{
	struct socket *s;
	struct tcp *e;

	if (tcp_create(l->i.s.kernel, l->i.s.family, &s) < 0)
		return NULL;
	e = tcp_of(s);
	s->opt = l->i.s.opt;
	s->uid = l->i.s.uid;
	e->i.local = *to;
	e->i.remote = c->i.local;
	e->i.addr_locked = true;
	e->i.port_locked = true;
	ports_join(&e->i, l->i.port);
	return e;
}

/* `c` is bound; there is room in the queue of `l`. */
static int establish(struct tcp *c, struct tcp *l)
{
	struct tcp *e = make_end(l, c, &c->i.remote);

	if (!e)
		return -ENOBUFS;

	/* Nothing below can fail. */
	c->peer = tcp_of(socket_get(&e->i.s));
	e->peer = tcp_of(socket_get(&c->i.s));
	c->state = TCP_ESTABLISHED;
	e->state = TCP_ESTABLISHED;
	c->was_open = true;
	e->was_open = true;
	c->i.s.opt.max_seg = 65483;
	e->i.s.opt.max_seg = 65483;
	e->listener = l;
	list_add_tail(&l->queue, &e->in_queue);
	l->queue_count++;
	socket_wake(&l->i.s, POLLIN | POLLRDNORM);
	socket_wake(&c->i.s, POLLOUT | POLLWRNORM);
	return 0;
}

static void leave_queue(struct tcp *c)
{
	if (!c->listener)
		return;
	list_del(&c->in_queue);
	if (c->state != TCP_SYN_SENT)
		c->listener->queue_count--;
	c->listener = NULL;
}

/* The attempt ends without a connection; told by SO_ERROR or connect(). */
static void refuse(struct tcp *c, int err)
{
	leave_queue(c);
	c->state = TCP_CLOSE;
	c->i.s.shut = SOCKET_SHUT_BOTH;
	inet_unbind_auto(&c->i);
	socket_fail(&c->i.s, err);
}

/* A backlog has room again: connects who waits for that. */
static void admit(struct tcp *l)
{
	while (!list_empty(&l->waiting) && l->queue_count <= l->backlog) {
		struct tcp *c = list_first(&l->waiting, struct tcp, in_queue);

		leave_queue(c);
		if (establish(c, l) < 0)
			refuse(c, ENOBUFS);
	}
}

/* Starts connecting; the state says how it went.  0, or an errno at once. */
static long begin(struct tcp *c, const struct sockname *name)
{
	struct inet_end to;
	struct tcp *l;
	long err;

	err = inet_parse(&c->i, name, &to);
	if (err < 0)
		return err;
	if (inet_is_broadcast(&to.addr) && !c->i.s.opt.broadcast)
		return -ENETUNREACH;
	if (inet_route(&to.addr) != INET_HERE)
		return -ENETUNREACH;
	if (!c->i.addr_locked)
		c->i.local.addr = inet_source(&to.addr);
	err = inet_autobind(&c->i);
	if (err < 0)
		return err == -EAGAIN ? -EADDRNOTAVAIL : err;
	c->i.remote = to;
	c->connecting = true;
	l = find_listener(c->i.ports, &to);
	if (!l) {
		refuse(c, ECONNREFUSED);
		return 0;
	}
	c->state = TCP_SYN_SENT;
	if (l->queue_count <= l->backlog)
		return establish(c, l);
	c->listener = l;
	list_add_tail(&l->waiting, &c->in_queue);
	return 0;
}

/* What a connect() that began has come to; -EAGAIN: nothing yet. */
static long outcome(struct tcp *c)
{
	int err;

	if (c->state == TCP_SYN_SENT)
		return -EAGAIN;
	c->connecting = false;
	if (c->state != TCP_CLOSE || c->was_open)
		return 0;
	c->i.s.shut = 0;
	err = socket_error(&c->i.s);
	return err < 0 ? err : -ECONNABORTED;
}

/* Ends a connection without ceremony. */
static void reset(struct tcp *c)
{
	struct tcp *p = c->peer;

	leave_queue(c);
	c->peer = NULL;
	c->state = TCP_CLOSE;
	c->i.s.shut = SOCKET_SHUT_BOTH;
	sockbuf_fini(c->i.s.kernel, &c->rx);
	if (!p)
		return;
	if (p->peer == c) {
		p->peer = NULL;
		socket_put(&c->i.s);
		p->i.s.shut = SOCKET_SHUT_BOTH;
		socket_fail(&p->i.s,
		            p->state == TCP_CLOSE_WAIT ? EPIPE : ECONNRESET);
		p->state = TCP_CLOSE;
	}
	socket_put(&p->i.s);
}

static void stop_listening(struct tcp *l)
{
	ports_unlisten(&l->i);
	l->state = TCP_CLOSE;
	while (!list_empty(&l->queue)) {
		struct tcp *e = list_first(&l->queue, struct tcp, in_queue);

		reset(e);
		socket_drop(&e->i.s);
	}
	while (!list_empty(&l->waiting))
		refuse(list_first(&l->waiting, struct tcp, in_queue),
		       ECONNREFUSED);
	socket_wake(&l->i.s, WAITQ_ANY);
}

/* connect() to AF_UNSPEC: as good as new. */
static long disconnect(struct tcp *c)
{
	if (c->state == TCP_LISTEN)
		stop_listening(c);
	reset(c);
	c->i.s.shut = 0;
	c->i.s.err = 0;
	c->connecting = false;
	c->was_open = false;
	c->peer_closed = false;
	inet_unbind_auto(&c->i);
	socket_wake(&c->i.s, WAITQ_ANY);
	return 0;
}

long tcp_conn_connect(struct socket *s, struct task *t,
                      const struct sockname *name, bool nonblock)
{
	struct tcp *c = tcp_of(s);
	long err;

	(void)t;
	if (name->size < SOCKNAME_MIN)
		return -EINVAL;
	if (name->family == AF_UNSPEC)
		return disconnect(c);
	if (c->connecting) {
		err = outcome(c);
		return err == -EAGAIN && nonblock ? -EALREADY : err;
	}
	if (c->state != TCP_CLOSE || c->was_open)
		return -EISCONN;
	err = begin(c, name);
	if (err < 0) {
		if (!c->connecting)
			inet_unbind_auto(&c->i);
		c->connecting = false;
		return err;
	}
	return nonblock ? -EINPROGRESS : outcome(c);
}

long tcp_conn_listen(struct socket *s, struct task *t, int backlog)
{
	struct tcp *c = tcp_of(s);
	int err;

	(void)t;
	if (c->state != TCP_CLOSE && c->state != TCP_LISTEN)
		return -EINVAL;
	if (!c->i.port) {
		err = ports_bind(&c->i, 0);
		if (err < 0)
			return err;
	}
	if (c->state == TCP_CLOSE) {
		err = ports_listen(&c->i);
		if (err < 0)
			return err;
		s->shut = 0;
	}
	c->backlog = (uint32_t)MIN((unsigned)backlog, (unsigned)SOMAXCONN);
	c->state = TCP_LISTEN;
	admit(c);
	return 0;
}

long tcp_conn_accept(struct socket *s, struct socket **out)
{
	struct tcp *l = tcp_of(s);
	struct tcp *c;

	if (l->state != TCP_LISTEN)
		return -EINVAL;
	if (list_empty(&l->queue))
		return -EAGAIN;
	c = list_first(&l->queue, struct tcp, in_queue);
	leave_queue(c);
	admit(l);
	*out = &c->i.s;
	return 0;
}

/* We send no more: the peer reads the end after what is there. */
static void send_fin(struct tcp *c)
{
	struct tcp *p = c->peer;

	c->i.s.shut |= SOCKET_SHUT_WRITE;
	if (c->state == TCP_CLOSE_WAIT)
		c->state = TCP_CLOSE;
	else if (c->state == TCP_ESTABLISHED)
		c->state = TCP_FIN_WAIT2;
	if (!p)
		return;
	p->i.s.shut |= SOCKET_SHUT_READ;
	if (p->state == TCP_ESTABLISHED)
		p->state = TCP_CLOSE_WAIT;
	else if (p->state == TCP_FIN_WAIT2)
		p->state = TCP_CLOSE;
	socket_wake(&p->i.s, WAITQ_ANY);
}

long tcp_conn_shutdown(struct socket *s, int how)
{
	struct tcp *c = tcp_of(s);

	if (c->state == TCP_LISTEN) {
		if (how != SHUT_WR)
			stop_listening(c);
		return 0;
	}
	if (c->state == TCP_SYN_SENT) {
		refuse(c, ECONNRESET);
		return 0;
	}
	if (!is_open(c))
		return -ENOTCONN;
	if (how != SHUT_WR)
		s->shut |= SOCKET_SHUT_READ;
	if (how != SHUT_RD && !(s->shut & SOCKET_SHUT_WRITE))
		send_fin(c);
	socket_wake(s, WAITQ_ANY);
	return 0;
}

/* Leaves a connection in order: the peer may still read what we sent. */
static void leave(struct tcp *c)
{
	struct tcp *p = c->peer;

	if (!(c->i.s.shut & SOCKET_SHUT_WRITE))
		send_fin(c);
	c->peer = NULL;
	c->state = TCP_CLOSE;
	if (!p)
		return;
	if (p->peer == c) {
		p->peer = NULL;
		p->peer_closed = true;
		socket_put(&c->i.s);
		socket_wake(&p->i.s, WAITQ_ANY);
	}
	socket_put(&p->i.s);
}

void tcp_conn_close(struct socket *s)
{
	struct tcp *c = tcp_of(s);
	bool abort = s->opt.linger_on && s->opt.linger_s == 0;

	if (c->state == TCP_LISTEN)
		stop_listening(c);
	else if (c->state == TCP_SYN_SENT)
		refuse(c, ECONNRESET);
	else if (is_open(c) && (c->rx.used > 0 || abort || c->listener))
		reset(c);
	leave_queue(c);
	leave(c);
	s->shut = SOCKET_SHUT_BOTH;
	sockbuf_fini(s->kernel, &c->rx);
	ports_leave(&c->i);
}
