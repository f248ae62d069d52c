/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data and states; how connections come to be is in tcp_conn.c.
 */
#include "kernel/net/tcp.h"

#include <linux/poll.h>
#include <linux/tcp.h>
#include <string.h>

#include "kernel/fs/sigio.h"
#include "kernel/net/netstack.h"
#include "kernel/net/sockopt.h"
#include "kernel/net/tcp_conn.h"
#include "kernel/task/signal.h"

/* What lies between two sockets before options say otherwise. */
#define SEND_BUF  2626560
#define RECV_BUF  131072
#define UNDER_WAY ((size_t)1 << 20)
#define WANT_MAX  ((size_t)16 << 20)

#define SIGURG 23

static size_t capacity(const struct tcp *c, const struct tcp *peer)
{
	const struct socket_options *o = &c->i.s.opt;
	const struct socket_options *p = &peer->i.s.opt;
	size_t room = UNDER_WAY;

	if (o->send_buf_set || p->recv_buf_set)
		room = (o->send_buf_set ? (size_t)o->send_buf : UNDER_WAY / 2) +
		       (p->recv_buf_set ? (size_t)p->recv_buf : UNDER_WAY / 2);
	return MAX(socket_at_most(&c->i.s, &peer->i.s, room), peer->want);
}

/* As Linux: writable while a third of the room is free. */
static bool writable(const struct tcp *c)
{
	const struct tcp *p = c->peer;

	return !p || p->rx.used <= capacity(c, p) / 3 * 2;
}

static long may_send(struct tcp *c)
{
	int err;

	if (c->state == TCP_SYN_SENT)
		return -EAGAIN;
	if (!c->i.s.err && !(c->i.s.shut & SOCKET_SHUT_WRITE) &&
	    (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT))
		return 0;
	err = socket_error(&c->i.s);
	return err < 0 ? err : -EPIPE;
}

/* The other end does not exist any more: it answers with a reset. */
static long send_to_nobody(struct tcp *c, struct sockmsg *m)
{
	size_t n = MIN(m->uio->left, UNDER_WAY);

	uio_data_done(m->uio, n);
	c->state = TCP_CLOSE;
	c->i.s.shut = SOCKET_SHUT_BOTH;
	socket_fail(&c->i.s, EPIPE);
	return (long)n;
}

static void tell_urgent(struct tcp *p)
{
	if (p->i.s.file)
		sigio_urgent(p->i.s.file);
	socket_wake(&p->i.s, POLLPRI);
}

/* The last byte goes past the stream, unless the receiver wants it inline. */
static long send_urgent(struct tcp *c, struct sockmsg *m)
{
	struct tcp *p = c->peer;
	size_t size = m->uio->left;
	long n = 0;

	if (size == 0)
		return 0;
	if (p->i.s.opt.oob_inline)
		n = sockbuf_fill(c->i.s.kernel, &p->rx, m->uio, size, NULL);
	else if (size > 1)
		n = sockbuf_fill(c->i.s.kernel, &p->rx, m->uio, size - 1, NULL);
	if (n < 0)
		return n;
	if (!p->i.s.opt.oob_inline && uio_take(m->uio, &p->urgent, 1) < 0)
		return -EFAULT;
	p->has_urgent = true;
	tell_urgent(p);
	socket_wake(&p->i.s, POLLIN | POLLRDNORM);
	return (long)size;
}

static long tcp_send(struct socket *s, struct sockmsg *m)
{
	struct tcp *c = tcp_of(s);
	struct tcp *p;
	size_t room;
	long n;

	if (m->flags & MSG_FASTOPEN)
		return -EOPNOTSUPP;
	n = may_send(c);
	if (n < 0)
		return n;
	if (m->uio->left == 0)
		return 0;
	p = c->peer;
	if (!p)
		return send_to_nobody(c, m);
	room = capacity(c, p);
	if (p->rx.used >= room)
		return -EAGAIN;
	if (m->flags & MSG_OOB)
		return send_urgent(c, m);
	n = sockbuf_fill(s->kernel, &p->rx, m->uio, room - p->rx.used, NULL);
	if (n <= 0)
		return n;
	c->sent += (uint64_t)n;
	p->received += (uint64_t)n;
	socket_wake(&p->i.s, POLLIN | POLLRDNORM);
	return n;
}

static long nothing_there(struct tcp *c)
{
	int err;

	if (!c->was_open && c->state != TCP_SYN_SENT && !c->i.s.err)
		return -ENOTCONN;
	err = socket_error(&c->i.s);
	if (err < 0)
		return err;
	if (c->state == TCP_CLOSE || (c->i.s.shut & SOCKET_SHUT_READ))
		return 0;
	return -EAGAIN;
}

static bool wait_for_all(struct tcp *c, const struct sockmsg *m)
{
	size_t want = (m->flags & MSG_WAITALL)
	                      ? m->uio->left
	                      : MIN(m->uio->left, (size_t)c->i.s.opt.rcv_lowat);

	c->want = 0;
	want = MIN(want, WANT_MAX);
	if (c->rx.used >= want || c->i.s.err || c->state == TCP_CLOSE ||
	    (c->i.s.shut & SOCKET_SHUT_READ) || m->uio->nonblock)
		return false;
	c->want = want;
	if (c->peer)
		socket_wake(&c->peer->i.s, POLLOUT | POLLWRNORM);
	return true;
}

static long recv_urgent(struct tcp *c, struct sockmsg *m)
{
	if (!c->has_urgent || c->i.s.opt.oob_inline)
		return -EINVAL;
	if (m->uio->left > 0 && uio_put(m->uio, &c->urgent, 1) < 0)
		return -EFAULT;
	m->out_flags |= MSG_OOB;
	if (!(m->flags & MSG_PEEK))
		c->has_urgent = false;
	return m->uio->done > 0 ? 1 : 0;
}

static long tcp_recv(struct socket *s, struct sockmsg *m)
{
	struct tcp *c = tcp_of(s);
	struct tcp *p = c->peer;
	bool full;
	long n;

	if (c->state == TCP_LISTEN)
		return -ENOTCONN;
	if (m->flags & MSG_ERRQUEUE)
		return -EAGAIN;
	if (m->flags & MSG_OOB)
		return recv_urgent(c, m);
	if (c->rx.used == 0)
		return nothing_there(c);
	if (wait_for_all(c, m))
		return -EAGAIN;
	/* Who can send no more may wait for this to be read. */
	full = p && (!writable(p) || (p->i.s.shut & SOCKET_SHUT_WRITE));
	if ((m->flags & MSG_TRUNC) && !(m->flags & MSG_PEEK)) {
		n = (long)MIN(c->rx.used, m->uio->left);
		sockbuf_skip(s->kernel, &c->rx, (size_t)n);
	} else {
		n = sockbuf_drain(s->kernel, &c->rx, m->uio,
		                  m->flags & MSG_PEEK, NULL);
	}
	if (full && writable(p))
		socket_wake(&p->i.s, POLLOUT | POLLWRNORM);
	return n;
}

static uint32_t tcp_poll(struct socket *s, struct poller *p)
{
	struct tcp *c = tcp_of(s);
	uint32_t got = 0;

	(void)p;
	if (c->state == TCP_LISTEN)
		return list_empty(&c->queue) ? 0 : POLLIN | POLLRDNORM;
	if (s->err)
		got |= POLLERR;
	if (s->shut == SOCKET_SHUT_BOTH || c->state == TCP_CLOSE)
		got |= POLLHUP;
	if (s->shut & SOCKET_SHUT_READ)
		got |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (c->state == TCP_SYN_SENT)
		return got;
	if (c->rx.used > 0 &&
	    c->rx.used >= MIN((size_t)s->opt.rcv_lowat, UNDER_WAY / 2))
		got |= POLLIN | POLLRDNORM;
	if ((s->shut & SOCKET_SHUT_WRITE) || writable(c))
		got |= POLLOUT | POLLWRNORM;
	if (c->has_urgent)
		got |= POLLPRI;
	return got;
}

static size_t tcp_readable(struct socket *s)
{
	return tcp_of(s)->rx.used;
}

static size_t tcp_unsent(struct socket *s)
{
	struct tcp *p = tcp_of(s)->peer;

	return p ? p->rx.used : 0;
}

static size_t tcp_room(struct socket *s)
{
	const struct tcp *c = tcp_of(s);
	const struct tcp *p = c->peer;
	size_t most = p ? capacity(c, p) : 0;

	return p && p->rx.used < most ? most - p->rx.used : 0;
}

static long tcp_name(struct socket *s, bool peer, struct sockname *out)
{
	struct tcp *c = tcp_of(s);

	if (peer && (c->state == TCP_CLOSE || c->state == TCP_SYN_SENT ||
	             c->state == TCP_LISTEN))
		return -ENOTCONN;
	return inet_get_name(s, peer, out);
}

static void tcp_destroy(struct socket *s)
{
	struct tcp *c = tcp_of(s);

	sockbuf_fini(s->kernel, &c->rx);
	ports_leave(&c->i);
	socket_free(s, sizeof(*c));
}

static const struct socket_ops tcp_ops = {
	.bind = inet_bind,
	.connect = tcp_conn_connect,
	.listen = tcp_conn_listen,
	.accept = tcp_conn_accept,
	.name = tcp_name,
	.send = tcp_send,
	.recv = tcp_recv,
	.poll = tcp_poll,
	.shutdown = tcp_conn_shutdown,
	.readable = tcp_readable,
	.unsent = tcp_unsent,
	.room = tcp_room,
	.close = tcp_conn_close,
	.destroy = tcp_destroy,
};

bool tcp_is(const struct socket *s)
{
	return s->ops == &tcp_ops;
}

bool tcp_listens(struct socket *s)
{
	return tcp_is(s) && tcp_of(s)->state == TCP_LISTEN;
}

long tcp_create(struct kernel *k, int family, struct socket **out)
{
	struct socket *s = socket_alloc(k, sizeof(struct tcp), &tcp_ops);
	struct tcp *c;

	if (!s)
		return -ENOMEM;
	c = tcp_of(s);
	inet_init(&c->i, family, SOCK_STREAM, IPPROTO_TCP, &k->net->tcp);
	s->opt.send_buf = SEND_BUF;
	s->opt.recv_buf = RECV_BUF;
	s->opt.keep_idle = 7200;
	s->opt.keep_interval = 75;
	s->opt.keep_count = 9;
	s->opt.syn_count = 6;
	s->opt.linger2 = 60;
	s->opt.quick_ack = 1;
	s->opt.max_seg = 536;
	c->state = TCP_CLOSE;
	list_init(&c->queue);
	list_init(&c->waiting);
	list_init(&c->in_queue);
	sockbuf_init(&c->rx);
	*out = s;
	return 0;
}

long tcp_get_info(struct socket *s, struct task *t, struct optval *v)
{
	struct tcp *c = tcp_of(s);
	struct tcp_info info = {
		.tcpi_state = (uint8_t)c->state,
		.tcpi_options = TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK |
	                        TCPI_OPT_WSCALE,
		.tcpi_rto = 204000,
		.tcpi_ato = 40000,
		.tcpi_snd_mss = 32768,
		.tcpi_rcv_mss = 32768,
		.tcpi_pmtu = 65535,
		.tcpi_rcv_ssthresh = 65483,
		.tcpi_rtt = 20,
		.tcpi_rttvar = 10,
		.tcpi_snd_ssthresh = 0x7fffffff,
		.tcpi_snd_cwnd = 10,
		.tcpi_advmss = 65483,
		.tcpi_reordering = 3,
		.tcpi_rcv_space = 65495,
		.tcpi_bytes_acked = c->sent,
		.tcpi_bytes_received = c->received,
		.tcpi_bytes_sent = c->sent,
		.tcpi_min_rtt = 5,
	};

	(void)t;
	if (c->state == TCP_LISTEN) {
		info.tcpi_unacked = c->queue_count;
		info.tcpi_sacked = c->backlog;
	}
	memcpy(v->bytes, &info, sizeof(info));
	v->size = sizeof(info);
	return 0;
}
