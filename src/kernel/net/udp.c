/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/udp.h"

#include <linux/errqueue.h>
#include <linux/poll.h>
#include <string.h>
#include <time.h>

#include "kernel/net/cmsg.h"
#include "kernel/net/netstack.h"

#define DATA_MAX    65507u /* IPv4; IPv6 has 20 more */
#define QUEUE_SPARE 4096u  /* even the smallest buffer takes one datagram */

#define ICMP_UNREACH       3
#define ICMP_PORT_UNREACH  3
#define ICMP6_UNREACH      1
#define ICMP6_PORT_UNREACH 4

/* How well a socket fits: 0 not at all; a connected one fits best. */
static int score(const struct udp *u, const struct inet_end *from,
                 const struct inet_end *to)
{
	const struct inet *i = &u->i;
	int points = 1;

	if (i->local.port != to->port || !inet_covers(i, &to->addr))
		return 0;
	if (!inet_is_any(&i->local.addr))
		points += 2;
	if (u->connected) {
		if (i->remote.port != from->port ||
		    !inet_same(&i->remote.addr, &from->addr))
			return 0;
		points += 4;
	}
	return points;
}

static struct udp *find_receiver(struct ports *ps, const struct inet_end *from,
                                 const struct inet_end *to)
{
	struct port *p = ports_find(ps, to->port);
	struct udp *best = NULL;
	int most = 0;

	if (!p)
		return NULL;
	list_for_each (l, &p->users) {
		struct inet *i = list_entry(l, struct inet, in_port);
		struct udp *u = udp_of(&i->s);
		int points = score(u, from, to);

		if (points > most) {
			most = points;
			best = u;
		}
	}
	/* Sockets that share a port by SO_REUSEPORT take turns. */
	if (best && best->i.s.opt.reuse_port) {
		list_del(&best->i.in_port);
		list_add_tail(&p->users, &best->i.in_port);
	}
	return best;
}

static uint64_t realtime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Nobody has the port: what ICMP would tell the sender. */
static void tell_refused(struct udp *u, struct sockpkt *p,
                         const struct inet_end *to)
{
	const struct socket_options *o = &u->i.s.opt;
	bool want = u->i.s.family == AF_INET ? o->recv_err : o->recv_err6;

	if (want && u->errors.count < 16) {
		p->error = ECONNREFUSED;
		inet_format(&u->i, to, &p->from);
		memcpy(p->to, to->addr.byte, sizeof(p->to));
		sockpkt_push(&u->errors, p);
		socket_fail(&u->i.s, ECONNREFUSED);
		return;
	}
	if (u->connected)
		socket_fail(&u->i.s, ECONNREFUSED);
	sockpkt_free(u->i.s.kernel, p);
}

static void deliver(struct udp *u, struct sockpkt *p,
                    const struct inet_end *from, const struct inet_end *to)
{
	struct kernel *k = u->i.s.kernel;
	struct udp *r = find_receiver(u->i.ports, from, to);
	size_t cost = sockpkt_cost(p->size);
	size_t room;

	if (!r) {
		tell_refused(u, p, to);
		return;
	}
	room = (size_t)r->i.s.opt.recv_buf + QUEUE_SPARE;
	if ((r->i.s.shut & SOCKET_SHUT_READ) || r->rx.used + cost > room) {
		sockpkt_free(k, p);
		return;
	}
	inet_format(&r->i, from, &p->from);
	memcpy(p->to, to->addr.byte, sizeof(p->to));
	p->to_port = to->port;
	if (r->i.s.opt.timestamp || r->i.s.opt.timestamp_ns)
		p->time_ns = realtime();
	sockpkt_push(&r->rx, p);
	socket_wake(&r->i.s, POLLIN | POLLRDNORM);
}

/* Where a message goes, by its name or the connection.  0 or an errno. */
static long destination(struct udp *u, const struct sockmsg *m,
                        struct inet_end *to)
{
	struct inet *i = &u->i;
	long err;

	if (m->name.size == 0 ||
	    (i->s.family == AF_INET6 && m->name.size >= SOCKNAME_MIN &&
	     m->name.family == AF_UNSPEC)) {
		if (!u->connected)
			return -EDESTADDRREQ;
		*to = i->remote;
		return 0;
	}
	if (i->s.family == AF_INET && m->name.family == AF_UNSPEC) {
		struct sockname plain = m->name;

		plain.family = AF_INET;
		err = inet_parse(i, &plain, to);
	} else {
		err = inet_parse(i, &m->name, to);
	}
	if (err < 0)
		return err;
	if (to->port == 0)
		return -EINVAL;
	if (inet_is_broadcast(&to->addr) && !i->s.opt.broadcast)
		return -EACCES;
	if (inet_route(&to->addr) != INET_HERE)
		return -ENETUNREACH;
	return 0;
}

static void source(const struct udp *u, const struct sockmsg *m,
                   const struct inet_end *to, struct inet_end *from)
{
	*from = u->i.local;
	if (inet_is_any(&from->addr))
		from->addr = inet_source(&to->addr);
	if (m->has_source) {
		struct inet_end e;

		if (inet_parse(&u->i, &m->source, &e) == 0 &&
		    inet_route(&e.addr) == INET_HERE)
			from->addr = e.addr;
	}
}

/* How far a datagram may go, and its class: by the message or the socket. */
static void set_header(const struct socket *s, const struct sockmsg *m,
                       struct sockpkt *p)
{
	bool six = s->family == AF_INET6;
	int32_t hops = six ? s->opt.hops : s->opt.ttl;
	int32_t class = six ? s->opt.tclass : s->opt.tos;

	p->ttl = m->has_hops ? m->hops : (uint8_t)(hops < 0 ? 64 : hops);
	p->tos = m->has_class ? m->class : (uint8_t)MAX(class, 0);
}

static long udp_send(struct socket *s, struct sockmsg *m)
{
	struct udp *u = udp_of(s);
	size_t size = m->uio->left;
	struct inet_end from;
	struct inet_end to;
	struct sockpkt *p;
	long err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (size > DATA_MAX)
		return -EMSGSIZE;
	err = destination(u, m, &to);
	if (err < 0)
		return err;
	err = socket_error(s);
	if (err < 0)
		return err;
	if (s->shut & SOCKET_SHUT_WRITE)
		return -EPIPE;
	err = inet_autobind(&u->i);
	if (err < 0)
		return err;
	err = sockpkt_take(s->kernel, m->uio, &p);
	if (err < 0)
		return err == -ENOMEM ? -ENOBUFS : err;
	set_header(s, m, p);
	source(u, m, &to, &from);
	deliver(u, p, &from, &to);
	return (long)size;
}

static void put_time(const struct udp *u, const struct sockpkt *p,
                     struct cmsgout *o)
{
	abi_timespec ts = {(int64_t)(p->time_ns / 1000000000u),
	                   (int64_t)(p->time_ns % 1000000000u)};
	abi_timeval tv = {ts.sec, ts.nsec / 1000};

	if (p->time_ns == 0)
		return;
	if (u->i.s.opt.timestamp_ns)
		cmsg_put(o, SOL_SOCKET, SO_TIMESTAMPNS_OLD, &ts, sizeof(ts));
	else if (u->i.s.opt.timestamp)
		cmsg_put(o, SOL_SOCKET, SO_TIMESTAMP_OLD, &tv, sizeof(tv));
}

static void put_pktinfo(const struct udp *u, const struct sockpkt *p,
                        struct cmsgout *o)
{
	const struct socket_options *opt = &u->i.s.opt;
	int32_t ttl = p->ttl;

	if (opt->pktinfo) {
		struct in_pktinfo info = {.ipi_ifindex = INET_LOOPBACK_INDEX};

		memcpy(&info.ipi_spec_dst, p->to + 12, 4);
		memcpy(&info.ipi_addr, p->to + 12, 4);
		cmsg_put(o, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	}
	if (opt->recv_ttl)
		cmsg_put(o, SOL_IP, IP_TTL, &ttl, sizeof(ttl));
	if (opt->recv_tos)
		cmsg_put(o, SOL_IP, IP_TOS, &p->tos, sizeof(p->tos));
	if (opt->recv_pktinfo6) {
		struct in6_pktinfo info = {.ipi6_ifindex = INET_LOOPBACK_INDEX};

		memcpy(&info.ipi6_addr, p->to, 16);
		cmsg_put(o, SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
	if (opt->recv_hops)
		cmsg_put(o, SOL_IPV6, IPV6_HOPLIMIT, &ttl, sizeof(ttl));
	if (opt->recv_tclass) {
		int32_t tclass = p->tos;

		cmsg_put(o, SOL_IPV6, IPV6_TCLASS, &tclass, sizeof(tclass));
	}
}

/* struct sock_extended_err, then who said it: the receiver's host. */
static void put_error(const struct udp *u, const struct sockpkt *p,
                      struct cmsgout *o)
{
	bool six = u->i.s.family == AF_INET6;
	struct sock_extended_err e = {
		.ee_errno = (uint32_t)p->error,
		.ee_origin = six ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP,
		.ee_type = six ? ICMP6_UNREACH : ICMP_UNREACH,
		.ee_code = six ? ICMP6_PORT_UNREACH : ICMP_PORT_UNREACH,
	};
	struct inet_end who = {.port = 0};
	struct sockname name;
	uint8_t both[sizeof(e) + sizeof(struct sockaddr_in6)];

	memcpy(who.addr.byte, p->to, sizeof(p->to));
	inet_format(&u->i, &who, &name);
	memcpy(both, &e, sizeof(e));
	memcpy(both + sizeof(e), name.bytes, name.size);
	cmsg_put(o, six ? SOL_IPV6 : SOL_IP, six ? IPV6_RECVERR : IP_RECVERR,
	         both, sizeof(e) + name.size);
}

static long recv_error(struct udp *u, struct sockmsg *m)
{
	struct sockpkt *p = sockpkt_first(&u->errors);
	long n;

	if (!p)
		return -EAGAIN;
	n = sockpkt_give(p, m);
	if (n < 0)
		return n;
	m->out_flags |= MSG_ERRQUEUE;
	if (m->control)
		put_error(u, p, m->control);
	sockpkt_remove(&u->errors, p);
	sockpkt_free(u->i.s.kernel, p);
	p = sockpkt_first(&u->errors);
	u->i.s.err = p ? p->error : 0;
	return n;
}

static long udp_recv(struct socket *s, struct sockmsg *m)
{
	struct udp *u = udp_of(s);
	struct sockpkt *p = sockpkt_first(&u->rx);
	long n;

	if (m->flags & MSG_ERRQUEUE) {
		m->uio->nonblock = true;
		return recv_error(u, m);
	}
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	n = socket_error(s);
	if (n < 0)
		return n;
	if (!p)
		return s->shut & SOCKET_SHUT_READ ? 0 : -EAGAIN;
	n = sockpkt_give(p, m);
	if (n < 0)
		return n;
	if (m->control) {
		put_time(u, p, m->control);
		put_pktinfo(u, p, m->control);
	}
	if (!(m->flags & MSG_PEEK)) {
		sockpkt_remove(&u->rx, p);
		sockpkt_free(s->kernel, p);
	}
	return n;
}

static uint32_t udp_poll(struct socket *s, struct poller *p)
{
	struct udp *u = udp_of(s);
	uint32_t got = POLLOUT | POLLWRNORM | POLLWRBAND;

	(void)p;
	if (s->err || u->errors.count > 0)
		got |= POLLERR;
	if (s->shut & SOCKET_SHUT_READ)
		got |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (s->shut == SOCKET_SHUT_BOTH)
		got |= POLLHUP;
	if (u->rx.count > 0)
		got |= POLLIN | POLLRDNORM;
	return got;
}

static long disconnect(struct udp *u)
{
	u->connected = false;
	u->i.s.err = 0;
	inet_unbind_auto(&u->i);
	return 0;
}

static long udp_connect(struct socket *s, struct task *t,
                        const struct sockname *name, bool nonblock)
{
	struct udp *u = udp_of(s);
	struct inet_end to;
	long err;

	(void)t, (void)nonblock;
	if (name->size < SOCKNAME_MIN)
		return -EINVAL;
	if (name->family == AF_UNSPEC)
		return disconnect(u);
	err = inet_parse(&u->i, name, &to);
	if (err < 0)
		return err;
	if (inet_is_broadcast(&to.addr) && !s->opt.broadcast)
		return -EACCES;
	if (inet_route(&to.addr) != INET_HERE)
		return -ENETUNREACH;
	err = inet_autobind(&u->i);
	if (err < 0)
		return err;
	if (!u->i.addr_locked)
		u->i.local.addr = inet_source(&to.addr);
	u->i.remote = to;
	u->connected = true;
	return 0;
}

static long udp_name(struct socket *s, bool peer, struct sockname *out)
{
	if (peer && !udp_of(s)->connected)
		return -ENOTCONN;
	return inet_get_name(s, peer, out);
}

static long udp_shutdown(struct socket *s, int how)
{
	struct udp *u = udp_of(s);

	if (how != SHUT_WR)
		s->shut |= SOCKET_SHUT_READ;
	if (how != SHUT_RD)
		s->shut |= SOCKET_SHUT_WRITE;
	socket_wake(s, WAITQ_ANY);
	/* Linux does it, and says so. */
	return u->connected ? 0 : -ENOTCONN;
}

static size_t udp_readable(struct socket *s)
{
	struct sockpkt *p = sockpkt_first(&udp_of(s)->rx);

	return p ? p->size : 0;
}

static void udp_close(struct socket *s)
{
	struct udp *u = udp_of(s);

	ports_leave(&u->i);
	sockpkt_queue_fini(s->kernel, &u->rx);
	sockpkt_queue_fini(s->kernel, &u->errors);
}

static void udp_destroy(struct socket *s)
{
	socket_free(s, sizeof(struct udp));
}

static const struct socket_ops udp_ops = {
	.bind = inet_bind,
	.connect = udp_connect,
	.name = udp_name,
	.send = udp_send,
	.recv = udp_recv,
	.poll = udp_poll,
	.shutdown = udp_shutdown,
	.readable = udp_readable,
	.close = udp_close,
	.destroy = udp_destroy,
};

bool udp_is(const struct socket *s)
{
	return s->ops == &udp_ops;
}

long udp_create(struct kernel *k, int family, int protocol, struct socket **out)
{
	struct socket *s = socket_alloc(k, sizeof(struct udp), &udp_ops);
	struct udp *u;

	if (!s)
		return -ENOMEM;
	u = udp_of(s);
	inet_init(&u->i, family, SOCK_DGRAM, protocol,
	          protocol == IPPROTO_UDPLITE ? &k->net->udplite
	                                      : &k->net->udp);
	sockpkt_queue_init(&u->rx);
	sockpkt_queue_init(&u->errors);
	*out = s;
	return 0;
}
