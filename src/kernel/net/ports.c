/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sockets may share a port if their addresses do not overlap; or if both
 * have SO_REUSEADDR and none of them listens (of UDP: always); or if both have
 * SO_REUSEPORT and belong to the same user.
 */
#include "kernel/net/ports.h"

#include "kernel/core/limits.h"
#include "kernel/net/inet.h"

void ports_init(struct ports *ps, struct kernel *k)
{
	ps->kernel = k;
	ps->next = 0;
	for (size_t i = 0; i < PORTS_BUCKETS; i++)
		list_init(&ps->bucket[i]);
}

struct port *ports_find(struct ports *ps, uint16_t number)
{
	list_for_each (l, &ps->bucket[number % PORTS_BUCKETS]) {
		struct port *p = list_entry(l, struct port, link);

		if (p->number == number)
			return p;
	}
	return NULL;
}

static bool conflict(const struct inet *a, const struct inet *b)
{
	const struct socket_options *x = &a->s.opt;
	const struct socket_options *y = &b->s.opt;

	if (a == b || !inet_overlap(a, b))
		return false;
	if (x->reuse_port && y->reuse_port && a->s.uid == b->s.uid)
		return false;
	if (!x->reuse_addr || !y->reuse_addr)
		return true;
	return !list_empty(&a->in_listeners) || !list_empty(&b->in_listeners);
}

static bool taken(const struct inet *i, const struct port *p)
{
	list_for_each (l, &p->users)
		if (conflict(i, list_entry(l, struct inet, in_port)))
			return true;
	return false;
}

static struct port *create(struct ports *ps, uint16_t number)
{
	struct port *p = limits_alloc(ps->kernel, sizeof(*p));

	if (!p)
		return NULL;
	p->number = number;
	list_init(&p->users);
	list_init(&p->listeners);
	list_add_tail(&ps->bucket[number % PORTS_BUCKETS], &p->link);
	return p;
}

void ports_join(struct inet *i, struct port *p)
{
	i->port = p;
	i->local.port = p->number;
	list_add_tail(&p->users, &i->in_port);
}

static int bind_any(struct inet *i)
{
	struct ports *ps = i->ports;
	uint16_t count = PORTS_LAST - PORTS_FIRST + 1;

	for (uint16_t n = 0; n < count; n++) {
		uint16_t at = (uint16_t)((ps->next + n) % count);
		uint16_t number = (uint16_t)(PORTS_FIRST + at);
		struct port *p;

		if (ports_find(ps, number))
			continue;
		p = create(ps, number);
		if (!p)
			return -ENOMEM;
		ps->next = (uint16_t)((at + 1) % count);
		ports_join(i, p);
		return 0;
	}
	return -EADDRINUSE;
}

int ports_bind(struct inet *i, uint16_t number)
{
	struct port *p;

	assert(!i->port);
	if (number == 0)
		return bind_any(i);
	p = ports_find(i->ports, number);
	if (p && taken(i, p))
		return -EADDRINUSE;
	if (!p)
		p = create(i->ports, number);
	if (!p)
		return -ENOMEM;
	ports_join(i, p);
	return 0;
}

int ports_listen(struct inet *i)
{
	list_for_each (l, &i->port->listeners) {
		struct inet *other = list_entry(l, struct inet, in_listeners);

		if (other == i || !inet_overlap(i, other))
			continue;
		if (!i->s.opt.reuse_port || !other->s.opt.reuse_port ||
		    i->s.uid != other->s.uid)
			return -EADDRINUSE;
	}
	ports_unlisten(i);
	list_add_tail(&i->port->listeners, &i->in_listeners);
	return 0;
}

void ports_unlisten(struct inet *i)
{
	list_del(&i->in_listeners);
}

void ports_leave(struct inet *i)
{
	struct port *p = i->port;

	if (!p)
		return;
	list_del(&i->in_listeners);
	list_del(&i->in_port);
	i->port = NULL;
	if (list_empty(&p->users)) {
		list_del(&p->link);
		limits_free(i->ports->kernel, p, sizeof(*p));
	}
}
