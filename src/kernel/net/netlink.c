/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/netlink.h"

#include <linux/poll.h>
#include <string.h>

#include "kernel/core/limits.h"
#include "kernel/net/cmsg.h"
#include "kernel/net/netstack.h"
#include "kernel/net/rtnetlink.h"
#include "kernel/task/cred.h"
#include "kernel/task/process.h"

#define REQUEST_MAX 65536u /* one datagram of requests */
#define HEAD        16u    /* struct nlmsghdr */
#define FIRST_TYPE  16u    /* below are the protocol's own: NOOP, ERROR... */

int netlink_next(struct reader *r, struct netlink_request *out)
{
	struct span all = r->rest;
	struct netlink_request q;
	uint32_t size;

	if (all.size < HEAD)
		return 0;
	size = rd_le32(r);
	q.type = rd_le16(r);
	q.flags = rd_le16(r);
	q.seq = rd_le32(r);
	q.port = rd_le32(r);
	if (size < HEAD || size > all.size)
		return 0;
	q.whole = (struct span){all.at, size};
	q.body = rd_take(r, size - HEAD);
	(void)rd_take(r, MIN(r->rest.size, (size_t)(-size & 3u)));
	*out = q;
	return 1;
}

void netlink_put(struct netlink_answer *a, const void *data, size_t size)
{
	size_t padded = (size + 3) & ~(size_t)3;

	if (a->bad || padded > sizeof(a->bytes) - a->size) {
		a->bad = true;
		return;
	}
	memset(a->bytes + a->size, 0, padded);
	if (size > 0)
		memcpy(a->bytes + a->size, data, size);
	a->size += padded;
}

void netlink_begin(struct netlink_answer *a, const struct netlink_request *q,
                   uint16_t type, uint16_t flags, uint32_t port)
{
	struct nlmsghdr h = {
		.nlmsg_type = type,
		.nlmsg_flags = flags,
		.nlmsg_seq = q->seq,
		.nlmsg_pid = port,
	};

	a->start = a->size;
	netlink_put(a, &h, sizeof(h));
}

/* Writes a length that is known only now. */
static void patch(struct netlink_answer *a, size_t at, size_t size, size_t v)
{
	if (!a->bad)
		memcpy(a->bytes + at, &v, size);
}

void netlink_end(struct netlink_answer *a)
{
	patch(a, a->start, 4, a->size - a->start);
}

void netlink_attr(struct netlink_answer *a, uint16_t type, const void *data,
                  size_t size)
{
	struct nlattr h = {
		.nla_len = (uint16_t)(sizeof(h) + size),
		.nla_type = type,
	};

	netlink_put(a, &h, sizeof(h));
	netlink_put(a, data, size);
}

void netlink_attr_u32(struct netlink_answer *a, uint16_t type, uint32_t v)
{
	netlink_attr(a, type, &v, sizeof(v));
}

void netlink_attr_u8(struct netlink_answer *a, uint16_t type, uint8_t v)
{
	netlink_attr(a, type, &v, sizeof(v));
}

size_t netlink_nest(struct netlink_answer *a, uint16_t type)
{
	size_t at = a->size;

	netlink_attr(a, type, NULL, 0);
	return at;
}

void netlink_nest_end(struct netlink_answer *a, size_t at)
{
	patch(a, at, 2, a->size - at);
}

/* Queues what was written as one datagram. */
static long flush(struct netlink *n, struct netlink_answer *a)
{
	struct kernel *k = n->s.kernel;
	struct sockpkt *p;

	if (a->size == 0 || a->bad)
		return a->bad ? -ENOBUFS : 0;
	if (n->rx.used + sockpkt_cost(a->size) > (size_t)n->s.opt.recv_buf) {
		socket_fail(&n->s, ENOBUFS);
		return 0;
	}
	p = sockpkt_create(k, a->size);
	if (!p)
		return -ENOMEM;
	memcpy(p->data, a->bytes, a->size);
	p->from.size = sizeof(p->from.nl);
	p->from.nl = (struct sockaddr_nl){.nl_family = AF_NETLINK};
	p->has_cred = true; /* the kernel's: pid 0, root */
	sockpkt_push(&n->rx, p);
	a->size = 0;
	socket_wake(&n->s, POLLIN | POLLRDNORM);
	return 0;
}

/* NLMSG_ERROR; with the request's body only if there was an error. */
static void put_error(struct netlink *n, struct netlink_answer *a,
                      const struct netlink_request *q, long err)
{
	bool cut = n->s.opt.nl_cap_ack || err == 0;
	int32_t code = (int32_t)err;

	netlink_begin(a, q, NLMSG_ERROR, cut ? NLM_F_CAPPED : 0, n->port);
	netlink_put(a, &code, sizeof(code));
	netlink_put(a, q->whole.at, cut ? HEAD : q->whole.size);
	netlink_end(a);
}

/* Asks whoever answers for the protocol.  1: answered in full by itself. */
static long dispatch(struct netlink *n, struct task *t,
                     const struct netlink_request *q, struct netlink_answer *a)
{
	if (n->s.protocol == NETLINK_ROUTE)
		return rtnetlink_answer(
			q, n->port, a,
			t && cred_capable(t->cred, CRED_CAP_NET_ADMIN));
	return n->s.protocol == NETLINK_GENERIC ? -ENOENT : -ECONNREFUSED;
}

static long handle(struct netlink *n, struct task *t, struct span wire,
                   struct netlink_answer *a)
{
	struct reader r = {.rest = wire};
	struct netlink_request q;

	while (netlink_next(&r, &q)) {
		long err = 0;

		a->size = 0;
		a->bad = false;
		if ((q.flags & NLM_F_REQUEST) && q.type >= FIRST_TYPE)
			err = dispatch(n, t, &q, a);
		else if (!(q.flags & NLM_F_ACK))
			continue;
		if (err < 0)
			a->size = 0;
		if (err < 0 || (err == 0 && (q.flags & NLM_F_ACK)))
			put_error(n, a, &q, err);
		err = flush(n, a);
		if (err < 0)
			return err;
	}
	return 0;
}

static bool port_taken(const struct netlink *n, uint32_t port)
{
	list_for_each (l, &n->s.kernel->net->sockets) {
		struct socket *s = list_entry(l, struct socket, in_stack);

		if (s->family == AF_NETLINK && s->protocol == n->s.protocol &&
		    s != &n->s && netlink_of(s)->port == port)
			return true;
	}
	return false;
}

static long autobind(struct netlink *n, struct task *t)
{
	uint32_t port = t ? (uint32_t)t->process->pid : 1;

	if (n->port)
		return 0;
	while (port == 0 || port_taken(n, port))
		port = 0x80000000u | n->s.kernel->net->next_netlink++;
	n->port = port;
	return 0;
}

static long check_name(const struct sockname *name)
{
	if (name->size < sizeof(name->nl) || name->family != AF_NETLINK)
		return -EINVAL;
	return 0;
}

static long nl_bind(struct socket *s, struct task *t,
                    const struct sockname *name)
{
	struct netlink *n = netlink_of(s);
	long err = check_name(name);

	if (err < 0)
		return err;
	if (n->port && name->nl.nl_pid && name->nl.nl_pid != n->port)
		return -EINVAL;
	if (!n->port && name->nl.nl_pid) {
		if (port_taken(n, name->nl.nl_pid))
			return -EADDRINUSE;
		n->port = name->nl.nl_pid;
	}
	n->groups = name->nl.nl_groups;
	return autobind(n, t);
}

static long nl_connect(struct socket *s, struct task *t,
                       const struct sockname *name, bool nonblock)
{
	struct netlink *n = netlink_of(s);
	long err;

	(void)nonblock;
	if (name->size >= SOCKNAME_MIN && name->family == AF_UNSPEC) {
		n->peer_port = 0;
		n->peer_groups = 0;
		return 0;
	}
	err = check_name(name);
	if (err < 0)
		return err;
	n->peer_port = name->nl.nl_pid;
	n->peer_groups = name->nl.nl_groups;
	return autobind(n, t);
}

static long nl_name(struct socket *s, bool peer, struct sockname *out)
{
	struct netlink *n = netlink_of(s);

	sockname_clear(out, AF_NETLINK, sizeof(out->nl));
	out->nl.nl_pid = peer ? n->peer_port : n->port;
	out->nl.nl_groups = peer ? n->peer_groups : n->groups;
	return 0;
}

static long to_kernel(struct netlink *n, struct sockmsg *m)
{
	struct kernel *k = n->s.kernel;
	size_t size = m->uio->left;
	struct netlink_answer *a;
	uint8_t *wire;
	long err = -ENOBUFS;

	a = limits_alloc(k, sizeof(*a));
	wire = limits_alloc(k, MAX(size, (size_t)1));
	if (!a || !wire)
		goto done;
	err = -EFAULT;
	if (size > 0 && uio_take(m->uio, wire, size) < 0)
		goto done;
	err = handle(n, m->task, (struct span){wire, size}, a);
done:
	limits_free(k, wire, MAX(size, (size_t)1));
	limits_free(k, a, sizeof(*a));
	return err < 0 ? err : (long)size;
}

static long nl_send(struct socket *s, struct sockmsg *m)
{
	struct netlink *n = netlink_of(s);
	uint32_t port = n->peer_port;
	uint32_t groups = n->peer_groups;
	long err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->name.size > 0) {
		err = check_name(&m->name);
		if (err < 0)
			return err;
		port = m->name.nl.nl_pid;
		groups = m->name.nl.nl_groups;
	}
	if (m->uio->left > MIN((size_t)REQUEST_MAX, socket_send_room(s) - 32))
		return -EMSGSIZE;
	err = autobind(n, m->task);
	if (err < 0)
		return err;
	if ((port || groups) && m->task &&
	    !cred_capable(m->task->cred, CRED_CAP_NET_ADMIN))
		return -EPERM;
	if (port || groups)
		return -ECONNREFUSED;
	return to_kernel(n, m);
}

static long nl_recv(struct socket *s, struct sockmsg *m)
{
	struct netlink *n = netlink_of(s);
	struct sockpkt *p = sockpkt_first(&n->rx);
	long got;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	got = socket_error(s);
	if (got < 0)
		return got;
	if (!p)
		return -EAGAIN;
	got = sockpkt_give(p, m);
	if (got < 0)
		return got;
	m->has_cred = p->has_cred;
	m->cred = p->cred;
	if (m->control && s->opt.nl_pktinfo) {
		struct nl_pktinfo info = {.group = 0};

		cmsg_put(m->control, SOL_NETLINK, NETLINK_PKTINFO, &info,
		         sizeof(info));
	}
	if (!(m->flags & MSG_PEEK)) {
		sockpkt_remove(&n->rx, p);
		sockpkt_free(s->kernel, p);
	}
	return got;
}

static uint32_t nl_poll(struct socket *s, struct poller *p)
{
	struct netlink *n = netlink_of(s);
	uint32_t got = POLLOUT | POLLWRNORM | POLLWRBAND;

	(void)p;
	if (s->err)
		got |= POLLERR;
	if (n->rx.count > 0)
		got |= POLLIN | POLLRDNORM;
	return got;
}

static size_t nl_readable(struct socket *s)
{
	struct sockpkt *p = sockpkt_first(&netlink_of(s)->rx);

	return p ? p->size : 0;
}

static void nl_close(struct socket *s)
{
	sockpkt_queue_fini(s->kernel, &netlink_of(s)->rx);
}

static void nl_destroy(struct socket *s)
{
	socket_free(s, sizeof(struct netlink));
}

static const struct socket_ops netlink_ops = {
	.bind = nl_bind,
	.connect = nl_connect,
	.name = nl_name,
	.send = nl_send,
	.recv = nl_recv,
	.poll = nl_poll,
	.readable = nl_readable,
	.close = nl_close,
	.destroy = nl_destroy,
};

void netlink_describe(struct socket *s, struct netstack_row *r)
{
	r->netlink_port = netlink_of(s)->port;
	r->netlink_groups = netlink_of(s)->groups;
}

static long create(struct task *t, int type, int protocol, struct socket **out)
{
	struct socket *s;

	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	switch (protocol) {
	case NETLINK_ROUTE:
	case NETLINK_USERSOCK:
	case NETLINK_KOBJECT_UEVENT:
	case NETLINK_GENERIC:
		break;
	default:
		return -EPROTONOSUPPORT;
	}
	s = socket_alloc(t->kernel, sizeof(struct netlink), &netlink_ops);
	if (!s)
		return -ENOMEM;
	s->family = AF_NETLINK;
	s->type = (uint16_t)type;
	s->protocol = protocol;
	sockpkt_queue_init(&netlink_of(s)->rx);
	*out = s;
	return 0;
}

const struct socket_family netlink_family = {
	.family = AF_NETLINK,
	.create = create,
};
