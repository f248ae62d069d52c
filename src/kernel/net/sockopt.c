/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/sockopt.h"

#include <linux/tcp.h>
#include <linux/udp.h>
#include <string.h>

#include "kernel/net/inet.h"
#include "kernel/net/sockdev.h"
#include "kernel/net/tcp.h"
#include "kernel/net/unix.h"
#include "kernel/task/cred.h"

#define SEND_BUF_MIN 4608
#define RECV_BUF_MIN 2304
#define BUF_MAX      212992 /* net.core.wmem_max and rmem_max */
#define FORCE_MAX    (1 << 30)
#define NSEC         1000000000u

#ifndef IP_RECVFRAGSIZE
#define IP_RECVFRAGSIZE 25
#endif

static long put(struct optval *v, const void *from, size_t size)
{
	memcpy(v->bytes, from, size);
	v->size = size;
	return 0;
}

static long put_int(struct optval *v, int32_t n)
{
	return put(v, &n, sizeof(n));
}

#define GET(name)                                                \
	static long get_##name(struct socket *s, struct task *t, \
	                       struct optval *v)
#define SET(name)                                                \
	static long set_##name(struct socket *s, struct task *t, \
	                       const struct optval *v)

#define get_none NULL
#define set_none NULL

GET(type)
{
	(void)t;
	return put_int(v, s->type);
}

GET(domain)
{
	(void)t;
	return put_int(v, s->family);
}

GET(protocol)
{
	(void)t;
	return put_int(v, s->protocol);
}

GET(error)
{
	(void)t;
	return put_int(v, -socket_error(s));
}

GET(accepting)
{
	bool unix_listens = s->family == AF_UNIX && unix_of(s)->listening;

	(void)t;
	return put_int(v, unix_listens || tcp_listens(s));
}

GET(cookie)
{
	(void)t;
	return put(v, &s->ino, sizeof(s->ino));
}

/* Linux keeps, and reports, twice what it was told. */
static int32_t doubled(int32_t n, int32_t max, int32_t min)
{
	n = n < 0 || n > max ? max : n;
	return MAX(2 * n, min);
}

GET(send_buf)
{
	(void)t;
	return put_int(v, s->opt.send_buf);
}

SET(send_buf)
{
	(void)t;
	s->opt.send_buf = doubled(v->number, BUF_MAX, SEND_BUF_MIN);
	s->opt.send_buf_set = true;
	socket_wake(s, 0x4 /* POLLOUT */);
	return 0;
}

GET(recv_buf)
{
	(void)t;
	return put_int(v, s->opt.recv_buf);
}

SET(recv_buf)
{
	(void)t;
	s->opt.recv_buf = doubled(v->number, BUF_MAX, RECV_BUF_MIN);
	s->opt.recv_buf_set = true;
	return 0;
}

SET(send_force)
{
	if (!cred_capable(t->cred, CRED_CAP_NET_ADMIN))
		return -EPERM;
	s->opt.send_buf = doubled(v->number, FORCE_MAX / 2, SEND_BUF_MIN);
	s->opt.send_buf_set = true;
	return 0;
}

SET(recv_force)
{
	if (!cred_capable(t->cred, CRED_CAP_NET_ADMIN))
		return -EPERM;
	s->opt.recv_buf = doubled(v->number, FORCE_MAX / 2, RECV_BUF_MIN);
	s->opt.recv_buf_set = true;
	return 0;
}

GET(recv_low)
{
	(void)t;
	return put_int(v, s->opt.rcv_lowat);
}

SET(recv_low)
{
	(void)t;
	s->opt.rcv_lowat = v->number < 0 ? INT32_MAX : MAX(v->number, 1);
	return 0;
}

GET(linger)
{
	int32_t both[2] = {s->opt.linger_on, s->opt.linger_s};

	(void)t;
	return put(v, both, sizeof(both));
}

SET(linger)
{
	int32_t both[2];

	(void)t;
	memcpy(both, v->bytes, sizeof(both));
	s->opt.linger_on = both[0] != 0;
	if (both[0])
		s->opt.linger_s = both[1];
	return 0;
}

static long put_timeout(struct optval *v, uint64_t ns)
{
	abi_timeval tv = {(int64_t)(ns / NSEC), (int64_t)(ns % NSEC / 1000)};

	return put(v, &tv, sizeof(tv));
}

static long take_timeout(const struct optval *v, uint64_t *ns)
{
	abi_timeval tv;

	memcpy(&tv, v->bytes, sizeof(tv));
	if (tv.usec < 0 || tv.usec >= 1000000)
		return -EDOM;
	/* Linux returns at once for a negative one; the shortest wait does. */
	if (tv.sec < 0)
		*ns = 1;
	else if (tv.sec > INT32_MAX)
		*ns = 0;
	else
		*ns = (uint64_t)tv.sec * NSEC + (uint64_t)tv.usec * 1000;
	return 0;
}

GET(recv_time)
{
	(void)t;
	return put_timeout(v, s->opt.recv_timeout_ns);
}

SET(recv_time)
{
	(void)t;
	return take_timeout(v, &s->opt.recv_timeout_ns);
}

GET(send_time)
{
	(void)t;
	return put_timeout(v, s->opt.send_timeout_ns);
}

SET(send_time)
{
	(void)t;
	return take_timeout(v, &s->opt.send_timeout_ns);
}

/* The two kinds of time stamps exclude each other. */
GET(stamp)
{
	(void)t;
	return put_int(v, s->opt.timestamp && !s->opt.timestamp_ns);
}

SET(stamp)
{
	(void)t;
	s->opt.timestamp = v->number != 0;
	s->opt.timestamp_ns = 0;
	return 0;
}

GET(stamp_ns)
{
	(void)t;
	return put_int(v, s->opt.timestamp_ns);
}

SET(stamp_ns)
{
	(void)t;
	s->opt.timestamp_ns = v->number != 0;
	return 0;
}

GET(mark)
{
	(void)t;
	return put_int(v, s->opt.mark);
}

SET(mark)
{
	if (!cred_capable(t->cred, CRED_CAP_NET_ADMIN) &&
	    !cred_capable(t->cred, CRED_CAP_NET_RAW))
		return -EPERM;
	s->opt.mark = v->number;
	return 0;
}

GET(peer_cred)
{
	struct sockcred nobody = {0, UINT32_MAX, UINT32_MAX};

	(void)t;
	return put(v, s->has_peer_cred ? &s->peer_cred : &nobody,
	           sizeof(nobody));
}

/* We keep the peer's group only, which is all a process started here has. */
GET(peer_groups)
{
	(void)t;
	if (!s->has_peer_cred)
		return -ENODATA;
	if (v->asked < sizeof(s->peer_cred.gid))
		return -ERANGE;
	return put(v, &s->peer_cred.gid, sizeof(s->peer_cred.gid));
}

GET(peer_name)
{
	struct sockname n;
	long err;

	(void)t;
	if (!s->ops->name)
		return -EOPNOTSUPP;
	err = s->ops->name(s, true, &n);
	if (err < 0)
		return -ENOTCONN;
	if (v->asked > n.size)
		return -EINVAL;
	return put(v, n.bytes, n.size);
}

GET(device)
{
	(void)s, (void)t;
	v->size = 0;
	return 0;
}

SET(device)
{
	char name[16] = {0};

	(void)s, (void)t;
	memcpy(name, v->bytes, MIN(v->size, sizeof(name) - 1));
	return name[0] == 0 || strcmp(name, SOCKDEV_NAME) == 0 ? 0 : -ENODEV;
}

/* On netlink nothing arrives that a filter could hold back. */
SET(filter)
{
	(void)t, (void)v;
	return s->family == AF_NETLINK ? 0 : -ENOPROTOOPT;
}

SET(no_filter)
{
	(void)s, (void)t, (void)v;
	return -ENOENT;
}

GET(mem_info)
{
	uint32_t info[9] = {
		[1] = (uint32_t)s->opt.recv_buf,
		[3] = (uint32_t)s->opt.send_buf,
	};

	(void)t;
	return put(v, info, sizeof(info));
}

static long take_byte_or_int(const struct optval *v, int32_t *out)
{
	if (v->size >= sizeof(v->number))
		*out = v->number;
	else
		*out = v->bytes[0];
	return 0;
}

GET(ttl)
{
	(void)t;
	return put_int(v, s->opt.ttl);
}

SET(ttl)
{
	int32_t ttl;

	(void)t;
	(void)take_byte_or_int(v, &ttl);
	if (ttl != -1 && (ttl < 1 || ttl > 255))
		return -EINVAL;
	s->opt.ttl = ttl == -1 ? 64 : ttl;
	return 0;
}

GET(mtu)
{
	(void)t;
	if (inet_of(s)->remote.port == 0)
		return -ENOTCONN;
	return put_int(v, INET_MTU - 1);
}

GET(nothing)
{
	(void)s, (void)t;
	v->size = 0;
	return 0;
}

SET(no_options)
{
	(void)s, (void)t;
	return v->size == 0 ? 0 : -EINVAL;
}

GET(transparent)
{
	(void)t;
	return put_int(v, s->opt.transparent);
}

SET(transparent)
{
	if (v->number && !cred_capable(t->cred, CRED_CAP_NET_ADMIN) &&
	    !cred_capable(t->cred, CRED_CAP_NET_RAW))
		return -EPERM;
	s->opt.transparent = v->number != 0;
	return 0;
}

static bool is_our_address(const uint8_t at[4])
{
	return at[0] == 127;
}

GET(multicast_if)
{
	(void)s, (void)t;
	return put_int(v, 0);
}

/* An address; or struct ip_mreqn, which may name the interface instead. */
SET(multicast_if)
{
	size_t at = v->size >= 8 ? 4 : 0;
	uint32_t addr;
	uint32_t index = 0;

	(void)t;
	memcpy(&addr, v->bytes + at, sizeof(addr));
	if (v->size >= 12)
		memcpy(&index, v->bytes + 8, sizeof(index));
	if (index == SOCKDEV_INDEX || (index == 0 && addr == 0))
		return 0;
	if (index == 0 && is_our_address(v->bytes + at))
		return 0;
	(void)s;
	return -EADDRNOTAVAIL;
}

/* Groups can be joined on "lo" only, where nobody sends to them. */
SET(join)
{
	uint32_t index = 0;

	(void)s, (void)t;
	if ((v->bytes[0] & 0xf0) != 0xe0)
		return -EINVAL;
	if (v->size >= 12)
		memcpy(&index, v->bytes + 8, sizeof(index));
	if (index == SOCKDEV_INDEX ||
	    (index == 0 && is_our_address(v->bytes + 4)))
		return 0;
	return -ENODEV;
}

SET(join6)
{
	uint32_t index;

	(void)s, (void)t;
	if (v->bytes[0] != 0xff)
		return -EINVAL;
	memcpy(&index, v->bytes + 16, sizeof(index));
	return index == SOCKDEV_INDEX ? 0 : -ENODEV;
}

SET(group)
{
	uint32_t index;

	(void)s, (void)t;
	memcpy(&index, v->bytes, sizeof(index));
	return index == SOCKDEV_INDEX ? 0 : -ENODEV;
}

SET(part)
{
	(void)s, (void)t, (void)v;
	return -EADDRNOTAVAIL;
}

GET(v6_only)
{
	(void)t;
	return put_int(v, s->opt.v6_only);
}

SET(v6_only)
{
	(void)t;
	if (inet_of(s)->port)
		return -EINVAL;
	s->opt.v6_only = v->number != 0;
	return 0;
}

GET(tcp_info)
{
	return tcp_get_info(s, t, v);
}

#define CONGESTION "cubic"

GET(congestion)
{
	char name[16] = CONGESTION;

	(void)s, (void)t;
	return put(v, name, sizeof(name));
}

SET(congestion)
{
	struct span name = {v->bytes, MIN(v->size, (size_t)15)};
	const void *nul = memchr(name.at, 0, name.size);

	(void)s, (void)t;
	if (nul)
		name.size = (size_t)((const uint8_t *)nul - name.at);
	return span_is(name, CONGESTION) || span_is(name, "reno") ? 0 : -ENOENT;
}

/* The table. */
enum kind { KIND_FLAG, KIND_NUMBER, KIND_FIXED, KIND_IGNORED, KIND_OWN };

struct row {
	int level;
	int option;
	enum kind kind;
	size_t offset; /* in struct socket_options; KIND_OWN: least size */
	int32_t min;   /* KIND_FIXED: the value */
	int32_t max;
	long (*get)(struct socket *s, struct task *t, struct optval *v);
	long (*set)(struct socket *s, struct task *t, const struct optval *v);
};

#define AT(field) offsetof(struct socket_options, field)
// clang-format off
#define FLAG(level, option, field) \
	{level, option, KIND_FLAG, AT(field), 0, 1, NULL, NULL},
#define NUMBER(level, option, field, min, max) \
	{level, option, KIND_NUMBER, AT(field), min, max, NULL, NULL},
#define FIXED(level, option, value) \
	{level, option, KIND_FIXED, 0, value, value, NULL, NULL},
#define IGNORED(level, option) \
	{level, option, KIND_IGNORED, 0, 0, 0, NULL, NULL},
#define OWN(level, option, size, get, set) \
	{level, option, KIND_OWN, size, 0, 0, get_##get, set_##set},
// clang-format on
static const struct row rows[] = {
#include "kernel/net/sockopts.def"
};

bool sockopt_row(size_t n, int *level, int *option)
{
	if (n >= ARRAY_LEN(rows))
		return false;
	*level = rows[n].level;
	*option = rows[n].option;
	return true;
}

/* Which sockets have options of a level; 0 or the errno others get. */
static long has_level(const struct socket *s, int level)
{
	bool inet = s->family == AF_INET || s->family == AF_INET6;

	switch (level) {
	case SOL_SOCKET:
		return 0;
	case SOL_IP:
		return inet ? 0 : -EOPNOTSUPP;
	case SOL_IPV6:
		if (s->family == AF_INET6)
			return 0;
		return inet ? -ENOPROTOOPT : -EOPNOTSUPP;
	case SOL_TCP:
		if (tcp_is(s))
			return 0;
		return inet ? -ENOPROTOOPT : -EOPNOTSUPP;
	case SOL_UDP:
		if (inet && s->type == SOCK_DGRAM)
			return 0;
		return inet ? -ENOPROTOOPT : -EOPNOTSUPP;
	case SOL_UDPLITE:
		return s->protocol == IPPROTO_UDPLITE && inet ? 0
		                                              : -ENOPROTOOPT;
	case SOL_NETLINK:
		return s->family == AF_NETLINK ? 0 : -ENOPROTOOPT;
	default:
		return inet || s->family == AF_NETLINK ? -ENOPROTOOPT
		                                       : -EOPNOTSUPP;
	}
}

static long find(const struct socket *s, int level, int option,
                 const struct row **out)
{
	long err = has_level(s, level);

	if (err < 0)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].level == level && rows[i].option == option) {
			*out = &rows[i];
			return 0;
		}
	}
	return -ENOPROTOOPT;
}

static int32_t *field(struct socket *s, const struct row *r)
{
	return (int32_t *)(void *)((char *)&s->opt + r->offset);
}

/* A level whose options may also be given as one byte. */
static bool takes_byte(int level)
{
	return level == SOL_IP;
}

static long set_int(struct socket *s, const struct row *r,
                    const struct optval *v)
{
	int32_t n;

	if (v->size < sizeof(n) && (v->size == 0 || !takes_byte(r->level)))
		return -EINVAL;
	(void)take_byte_or_int(v, &n);
	if (r->kind == KIND_FLAG)
		n = n != 0;
	if (r->kind == KIND_FIXED || r->kind == KIND_IGNORED)
		return 0;
	if (n < r->min || n > r->max)
		return -EINVAL;
	*field(s, r) = n;
	return 0;
}

long sockopt_set(struct socket *s, struct task *t, int level, int option,
                 const struct optval *v)
{
	const struct row *r = NULL;
	long err = find(s, level, option, &r);

	if (err < 0)
		return err;
	if (r->kind != KIND_OWN)
		err = set_int(s, r, v);
	else if (!r->set)
		return -ENOPROTOOPT;
	else if (v->size < r->offset)
		return -EINVAL;
	else
		err = r->set(s, t, v);
	if (err == 0 && s->ops->changed)
		s->ops->changed(s);
	return err;
}

long sockopt_get(struct socket *s, struct task *t, int level, int option,
                 struct optval *v)
{
	const struct row *r = NULL;
	long err = find(s, level, option, &r);

	if (err < 0)
		return err;
	switch (r->kind) {
	case KIND_OWN:
		return r->get ? r->get(s, t, v) : -ENOPROTOOPT;
	case KIND_FIXED:
		return put_int(v, r->min);
	case KIND_IGNORED:
		return -ENOPROTOOPT;
	case KIND_FLAG:
	case KIND_NUMBER:
		break;
	}
	err = put_int(v, *field(s, r));
	/* A caller with room for a byte gets one, as from Linux. */
	if (takes_byte(level) && v->asked > 0 && v->asked < sizeof(int32_t) &&
	    v->number >= 0 && v->number <= 255)
		v->size = 1;
	return err;
}
