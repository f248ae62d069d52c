/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/netstack.h"

#include <string.h>

#include "kernel/net/netlink.h"
#include "kernel/net/scm.h"
#include "kernel/net/sockbuf.h"
#include "kernel/net/tcp.h"
#include "kernel/net/udp.h"
#include "kernel/net/unix.h"

#define STATE_FREE      1u /* of unix sockets, as enum socket_state has it */
#define STATE_CONNECTED 3u

int netstack_create(struct kernel *k)
{
	struct netstack *net = calloc(1, sizeof(*net));

	if (!net)
		return -ENOMEM;
	net->kernel = k;
	list_init(&net->sockets);
	for (size_t i = 0; i < NETSTACK_ABSTRACT; i++)
		list_init(&net->abstract[i]);
	ports_init(&net->tcp, k);
	ports_init(&net->udp, k);
	ports_init(&net->udplite, k);
	net->pool = sockbuf_pool_create();
	net->scm = scm_create(k);
	if (!net->pool || !net->scm) {
		sockbuf_pool_destroy(net->pool);
		scm_destroy(net->scm);
		free(net);
		return -ENOMEM;
	}
	k->net = net;
	return 0;
}

void netstack_destroy(struct kernel *k)
{
	struct netstack *net = k->net;

	if (!net)
		return;
	scm_settle(k);
	scm_destroy(net->scm);
	sockbuf_pool_destroy(net->pool);
	free(net);
	k->net = NULL;
}

static void describe_unix(struct socket *s, struct netstack_row *r)
{
	const struct unix_sock *u = unix_of(s);
	uint32_t at = SOCKNAME_MIN;
	size_t n = 0;

	r->listening = u->listening;
	r->state = u->connected && u->peer ? STATE_CONNECTED : STATE_FREE;
	for (; at < u->name.size && n < sizeof(r->path) - 1; at++) {
		uint8_t c = u->name.bytes[at];

		/* A path ends at its NUL; an abstract name may hold some. */
		if (c == 0 && n > 0 && r->path[0] != '@')
			break;
		r->path[n++] = c ? (char)c : '@';
	}
}

static void describe_inet(struct socket *s, struct netstack_row *r)
{
	const struct inet *i = inet_of(s);
	size_t skip = s->family == AF_INET ? 12 : 0;

	memcpy(r->local, i->local.addr.byte + skip, 16 - skip);
	memcpy(r->remote, i->remote.addr.byte + skip, 16 - skip);
	r->local_port = i->local.port;
	r->remote_port = i->remote.port;
	if (tcp_is(s)) {
		r->state = (uint8_t)tcp_of(s)->state;
		r->listening = r->state == TCP_LISTEN;
	} else {
		r->state = udp_of(s)->connected ? TCP_ESTABLISHED : TCP_CLOSE;
	}
}

static bool has_udp_port(struct socket *s)
{
	return udp_is(s) && s->protocol == IPPROTO_UDP && inet_of(s)->port;
}

static bool belongs(struct socket *s, enum netstack_table table)
{
	switch (table) {
	case NETSTACK_UNIX:
		return s->family == AF_UNIX;
	case NETSTACK_TCP:
		return s->family == AF_INET && tcp_is(s) && inet_of(s)->port;
	case NETSTACK_TCP6:
		return s->family == AF_INET6 && tcp_is(s) && inet_of(s)->port;
	case NETSTACK_UDP:
		return s->family == AF_INET && has_udp_port(s);
	case NETSTACK_UDP6:
		return s->family == AF_INET6 && has_udp_port(s);
	case NETSTACK_NETLINK:
		return s->family == AF_NETLINK;
	}
	return false;
}

void netstack_each(struct kernel *k, enum netstack_table table,
                   bool (*each)(const struct netstack_row *row, void *ctx),
                   void *ctx)
{
	if (!k->net)
		return;
	list_for_each (l, &k->net->sockets) {
		struct socket *s = list_entry(l, struct socket, in_stack);
		struct netstack_row r = {
			.ino = s->ino,
			.uid = s->uid,
			.refs = s->refs,
			.type = s->type,
			.protocol = s->protocol,
		};

		if (s->closed || !belongs(s, table))
			continue;
		r.unread = s->ops->readable ? s->ops->readable(s) : 0;
		r.unsent = s->ops->unsent ? s->ops->unsent(s) : 0;
		if (s->family == AF_UNIX)
			describe_unix(s, &r);
		else if (s->family == AF_NETLINK)
			netlink_describe(s, &r);
		else
			describe_inet(s, &r);
		if (!each(&r, ctx))
			return;
	}
}
