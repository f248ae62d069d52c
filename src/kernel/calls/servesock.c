/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/calls/servesock.h"

#include "kernel/calls/served.h"
#include "kernel/fs/hand.h"
#include "kernel/fs/inode.h"
#include "kernel/net/inet.h"
#include "kernel/net/unix.h"
#include "kernel/net/unix_conn.h"

int inet_pton(int family, const char *text, void *to);

static void room(struct waiter *w, uint32_t events)
{
	struct served *s = container_of(w, struct served, room);

	(void)events;
	loop_soon(&s->hub->kernel->loop, &s->again);
}

static void wait_at(struct served *s, struct waitq *q)
{
	waitq_remove(&s->room);
	s->room.wake = room;
	waitq_add(q, &s->room);
}

static long connect_unix(struct served *s, struct task *hand)
{
	struct inode *i = path_inode(&s->found.at);
	struct unix_sock *l;
	long err;

	if (!i || !i->bound || i->bound->type != SOCK_STREAM)
		return -ECONNREFUSED;
	l = unix_of(i->bound);
	if (!s->socket) {
		struct unix_sock *u = unix_create(hand->kernel, SOCK_STREAM);

		if (!u)
			return -ENOMEM;
		s->socket = &u->s;
	}
	err = unix_conn_join(unix_of(s->socket), hand, l);
	if (err == -EAGAIN)
		wait_at(s, &l->s.wait);
	return err;
}

static long make_name(const struct service_tcp *tcp, struct sockname *out)
{
	uint16_t port = (uint16_t)(tcp->port << 8 | tcp->port >> 8);

	sockname_clear(out, AF_INET, sizeof(out->in));
	out->in.sin_port = port;
	if (inet_pton(AF_INET, tcp->host, &out->in.sin_addr) == 1)
		return 0;
	sockname_clear(out, AF_INET6, sizeof(out->in6));
	out->in6.sin6_port = port;
	return inet_pton(AF_INET6, tcp->host, &out->in6.sin6_addr) == 1
	               ? 0
	               : -EINVAL;
}

static long connect_tcp(struct served *s, struct task *hand)
{
	struct sockname name;
	long err = make_name(&s->found.tcp, &name);

	if (err == 0 && !s->socket) {
		const struct socket_family *family = name.family == AF_INET
		                                             ? &inet_family
		                                             : &inet_family6;

		err = family->create(hand, SOCK_STREAM, 0, &s->socket);
	}
	if (err < 0)
		return err;
	err = s->socket->ops->connect(s->socket, hand, &name, false);
	if (err == -EAGAIN)
		wait_at(s, &s->socket->wait);
	return err;
}

int servesock_connect(struct served *s)
{
	struct task *hand;
	long err = hand_take(s->hub->kernel, &s->hub->root, &hand);

	if (err < 0)
		return (int)err;
	err = s->found.kind == SERVEFIND_SOCKET ? connect_unix(s, hand)
	                                        : connect_tcp(s, hand);
	hand_drop(hand);
	if (err == 0) {
		/* Our own coming was news to those who waited, us included. */
		waitq_remove(&s->room);
		list_del(&s->again.link);
	}
	return (int)err;
}

void servesock_drop(struct served *s)
{
	waitq_remove(&s->room);
	list_del(&s->again.link);
	if (s->socket)
		socket_drop(s->socket);
	s->socket = NULL;
}
