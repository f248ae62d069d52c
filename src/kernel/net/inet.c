/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/inet.h"

#include <endian.h>
#include <string.h>

#include "kernel/net/tcp.h"
#include "kernel/net/udp.h"
#include "kernel/task/cred.h"

#define PORT_UNPRIVILEGED 1024u /* net.ipv4.ip_unprivileged_port_start */
#define SIN6_OLD_SIZE     24u   /* without sin6_scope_id */

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};

static struct inet_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	struct inet_addr r;

	memcpy(r.byte, v4_prefix, sizeof(v4_prefix));
	r.byte[12] = a;
	r.byte[13] = b;
	r.byte[14] = c;
	r.byte[15] = d;
	return r;
}

static struct inet_addr v6(uint8_t last)
{
	return (struct inet_addr){.byte = {[15] = last}};
}

bool inet_is_v4(const struct inet_addr *a)
{
	return memcmp(a->byte, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool inet_same(const struct inet_addr *a, const struct inet_addr *b)
{
	return memcmp(a->byte, b->byte, sizeof(a->byte)) == 0;
}

bool inet_is_any(const struct inet_addr *a)
{
	struct inet_addr any4 = v4(0, 0, 0, 0);
	struct inet_addr any6 = v6(0);

	return inet_same(a, &any4) || inet_same(a, &any6);
}

bool inet_is_multicast(const struct inet_addr *a)
{
	if (inet_is_v4(a))
		return (a->byte[12] & 0xf0) == 0xe0;
	return a->byte[0] == 0xff;
}

bool inet_is_broadcast(const struct inet_addr *a)
{
	struct inet_addr all = v4(255, 255, 255, 255);
	struct inet_addr lo = v4(127, 255, 255, 255);

	return inet_same(a, &all) || inet_same(a, &lo);
}

static bool is_loopback(const struct inet_addr *a)
{
	struct inet_addr one = v6(1);

	if (inet_is_v4(a))
		return a->byte[12] == 127;
	return inet_same(a, &one);
}

enum inet_way inet_route(const struct inet_addr *to)
{
	return is_loopback(to) ? INET_HERE : INET_NOWHERE;
}

struct inet_addr inet_any(const struct inet *i)
{
	return i->s.family == AF_INET ? v4(0, 0, 0, 0) : v6(0);
}

struct inet_addr inet_source(const struct inet_addr *to)
{
	return inet_is_v4(to) ? v4(127, 0, 0, 1) : v6(1);
}

void inet_init(struct inet *i, int family, int type, int protocol,
               struct ports *ports)
{
	struct socket_options *o = &i->s.opt;

	i->s.family = (uint16_t)family;
	i->s.type = (uint16_t)type;
	i->s.protocol = protocol;
	i->ports = ports;
	i->local.addr = inet_any(i);
	i->remote.addr = inet_any(i);
	list_init(&i->in_port);
	list_init(&i->in_listeners);
	o->ttl = 64;
	o->multicast_ttl = 1;
	o->multicast_loop = 1;
	o->multicast_all = 1;
	o->mtu_discover = 1;
	o->hops = -1;
	o->multicast_hops = 1;
	o->multicast6_loop = 1;
	o->multicast6_all = 1;
	o->mtu_discover6 = 1;
	o->auto_flow = 1;
	o->incoming_cpu = -1;
}

/* The bytes of a name as an end, if it has the shape of one. */
static long read_name(const struct sockname *n, struct inet_end *out)
{
	if (n->size < SOCKNAME_MIN)
		return -EINVAL;
	if (n->family == AF_INET) {
		if (n->size < sizeof(n->in))
			return -EINVAL;
		out->addr = v4(0, 0, 0, 0);
		memcpy(out->addr.byte + 12, &n->in.sin_addr, 4);
		out->port = be16toh(n->in.sin_port);
		return 0;
	}
	if (n->family == AF_INET6) {
		if (n->size < SIN6_OLD_SIZE)
			return -EINVAL;
		memcpy(out->addr.byte, &n->in6.sin6_addr, 16);
		out->port = be16toh(n->in6.sin6_port);
		return 0;
	}
	return -EAFNOSUPPORT;
}

long inet_parse(const struct inet *i, const struct sockname *n,
                struct inet_end *out)
{
	struct inet_end e;
	long err = read_name(n, &e);

	if (err < 0)
		return err;
	if (i->s.family == AF_INET && n->family != AF_INET)
		return -EAFNOSUPPORT;
	if (i->s.family == AF_INET6 && inet_is_v4(&e.addr) && i->s.opt.v6_only)
		return -ENETUNREACH;
	if (inet_is_any(&e.addr))
		e.addr = inet_source(&e.addr);
	*out = e;
	return 0;
}

void inet_format(const struct inet *i, const struct inet_end *e,
                 struct sockname *out)
{
	memset(out, 0, sizeof(*out));
	out->family = i->s.family;
	if (i->s.family == AF_INET) {
		out->size = sizeof(out->in);
		out->in.sin_port = htobe16(e->port);
		memcpy(&out->in.sin_addr, e->addr.byte + 12, 4);
		return;
	}
	out->size = sizeof(out->in6);
	out->in6.sin6_port = htobe16(e->port);
	memcpy(&out->in6.sin6_addr, e->addr.byte, 16);
}

/* An IPv6 socket bound to "::" that takes IPv4 as well. */
static bool is_dual(const struct inet *i)
{
	struct inet_addr any6 = v6(0);

	return i->s.family == AF_INET6 && !i->s.opt.v6_only &&
	       inet_same(&i->local.addr, &any6);
}

bool inet_covers(const struct inet *i, const struct inet_addr *to)
{
	const struct inet_addr *own = &i->local.addr;

	if (is_dual(i))
		return true;
	if (inet_is_v4(own) != inet_is_v4(to))
		return false;
	return inet_is_any(own) || inet_same(own, to);
}

bool inet_overlap(const struct inet *a, const struct inet *b)
{
	if (is_dual(a) || is_dual(b))
		return true;
	if (inet_is_v4(&a->local.addr) != inet_is_v4(&b->local.addr))
		return false;
	return inet_is_any(&a->local.addr) || inet_is_any(&b->local.addr) ||
	       inet_same(&a->local.addr, &b->local.addr);
}

/* The name bind() was given, as far as it makes sense for the socket. */
static long parse_bind(const struct inet *i, const struct sockname *n,
                       struct inet_end *out)
{
	struct sockname plain = *n;
	struct inet_end e;
	long err;

	if (i->s.family == AF_INET) {
		if (n->size < sizeof(n->in))
			return -EINVAL;
		/* Old programs leave the family out for "any address". */
		if (n->family == AF_UNSPEC && n->in.sin_addr.s_addr == 0)
			plain.family = AF_INET;
		else if (n->family != AF_INET)
			return -EAFNOSUPPORT;
	} else {
		if (n->size < SIN6_OLD_SIZE)
			return -EINVAL;
		if (n->family != AF_INET6)
			return -EAFNOSUPPORT;
	}
	err = read_name(&plain, &e);
	if (err < 0)
		return err;
	if (i->s.family == AF_INET6 && i->s.opt.v6_only && inet_is_v4(&e.addr))
		return -EINVAL;
	*out = e;
	return 0;
}

static bool may_bind_addr(const struct inet *i, const struct inet_addr *a)
{
	if (inet_is_any(a) || is_loopback(a))
		return true;
	if (i->s.opt.free_bind || i->s.opt.transparent || i->s.opt.free_bind6)
		return true;
	return i->s.type == SOCK_DGRAM && inet_is_multicast(a);
}

long inet_bind(struct socket *s, struct task *t, const struct sockname *name)
{
	struct inet *i = inet_of(s);
	struct inet_addr old = i->local.addr;
	struct inet_end e;
	long err;

	err = parse_bind(i, name, &e);
	if (err < 0)
		return err;
	if (!may_bind_addr(i, &e.addr))
		return -EADDRNOTAVAIL;
	if (e.port != 0 && e.port < PORT_UNPRIVILEGED &&
	    !cred_capable(t->cred, CRED_CAP_NET_BIND_SERVICE))
		return -EACCES;
	if (i->port || i->addr_locked)
		return -EINVAL;
	i->local.addr = e.addr;
	s->uid = t->cred->euid;
	err = ports_bind(i, e.port);
	if (err < 0) {
		i->local.addr = old;
		return err;
	}
	i->addr_locked = !inet_is_any(&e.addr);
	i->port_locked = e.port != 0;
	return 0;
}

long inet_autobind(struct inet *i)
{
	int err;

	if (i->port)
		return 0;
	err = ports_bind(i, 0);
	return err == -EADDRINUSE ? -EAGAIN : err;
}

void inet_unbind_auto(struct inet *i)
{
	if (!i->addr_locked)
		i->local.addr = inet_any(i);
	if (!i->port_locked) {
		ports_leave(i);
		i->local.port = 0;
	}
	i->remote = (struct inet_end){.addr = inet_any(i)};
}

long inet_get_name(struct socket *s, bool peer, struct sockname *out)
{
	struct inet *i = inet_of(s);

	if (peer && i->remote.port == 0)
		return -ENOTCONN;
	inet_format(i, peer ? &i->remote : &i->local, out);
	return 0;
}

static long create(struct task *t, int family, int type, int protocol,
                   struct socket **out)
{
	switch (type) {
	case SOCK_STREAM:
		if (protocol != 0 && protocol != IPPROTO_TCP)
			return -EPROTONOSUPPORT;
		return tcp_create(t->kernel, family, out);
	case SOCK_DGRAM:
		/* Pinging needs the group to be in ping_group_range. */
		if (protocol == IPPROTO_ICMP && family == AF_INET)
			return -EACCES;
		if (protocol == IPPROTO_ICMPV6 && family == AF_INET6)
			return -EACCES;
		if (protocol == 0)
			protocol = IPPROTO_UDP;
		if (protocol != IPPROTO_UDP && protocol != IPPROTO_UDPLITE)
			return -EPROTONOSUPPORT;
		return udp_create(t->kernel, family, protocol, out);
	case SOCK_RAW:
		return protocol == 0 ? -EPROTONOSUPPORT : -EPERM;
	default:
		return -ESOCKTNOSUPPORT;
	}
}

static long create4(struct task *t, int type, int protocol, struct socket **out)
{
	if (protocol < 0 || protocol >= IPPROTO_MAX)
		return -EINVAL;
	return create(t, AF_INET, type, protocol, out);
}

static long create6(struct task *t, int type, int protocol, struct socket **out)
{
	if (protocol < 0 || protocol >= IPPROTO_MAX)
		return -EINVAL;
	return create(t, AF_INET6, type, protocol, out);
}

const struct socket_family inet_family = {
	.family = AF_INET,
	.create = create4,
};

const struct socket_family inet_family6 = {
	.family = AF_INET6,
	.create = create6,
};
