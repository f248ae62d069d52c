/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything here describes one interface that never changes.
 */
#include "kernel/net/rtnetlink.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel/net/sockdev.h"

/* One answer under way. */
struct answer {
	const struct netlink_request *q;
	struct netlink_answer *to;
	uint32_t port;
	bool dump;
};

static const uint8_t lo4[4] = {127, 0, 0, 1};
static const uint8_t lo4_end[4] = {127, 255, 255, 255};
static const uint8_t lo4_net[4] = {127, 0, 0, 0};
static const uint8_t lo6[16] = {[15] = 1};

static void begin(struct answer *a, uint16_t type)
{
	netlink_begin(a->to, a->q, type, a->dump ? NLM_F_MULTI : 0, a->port);
}

static void done(struct answer *a)
{
	int32_t zero = 0;

	if (!a->dump)
		return;
	netlink_begin(a->to, a->q, NLMSG_DONE, NLM_F_MULTI, a->port);
	netlink_put(a->to, &zero, sizeof(zero));
	netlink_end(a->to);
}

/* The family a dump asks for: the first byte of any of its bodies. */
static uint8_t wanted_family(const struct netlink_request *q)
{
	return q->body.size > 0 ? q->body.at[0] : AF_UNSPEC;
}

static bool wants(const struct answer *a, uint8_t family)
{
	uint8_t want = wanted_family(a->q);

	return want == AF_UNSPEC || want == family;
}

static void link_stats(struct netlink_answer *to)
{
	struct rtnl_link_stats64 wide;
	struct rtnl_link_stats narrow;

	memset(&wide, 0, sizeof(wide));
	memset(&narrow, 0, sizeof(narrow));
	netlink_attr(to, IFLA_STATS64, &wide, sizeof(wide));
	netlink_attr(to, IFLA_STATS, &narrow, sizeof(narrow));
}

static void put_link(struct answer *a)
{
	static const uint8_t no_address[6];
	struct netlink_answer *to = a->to;
	struct ifinfomsg head = {
		.ifi_family = AF_UNSPEC,
		.ifi_type = SOCKDEV_TYPE,
		.ifi_index = SOCKDEV_INDEX,
		.ifi_flags = SOCKDEV_FLAGS | SOCKDEV_LOWER,
	};

	begin(a, RTM_NEWLINK);
	netlink_put(to, &head, sizeof(head));
	netlink_attr(to, IFLA_IFNAME, SOCKDEV_NAME, sizeof(SOCKDEV_NAME));
	netlink_attr_u32(to, IFLA_TXQLEN, SOCKDEV_QUEUE);
	netlink_attr_u8(to, IFLA_OPERSTATE, 0); /* IF_OPER_UNKNOWN */
	netlink_attr_u8(to, IFLA_LINKMODE, 0);
	netlink_attr_u32(to, IFLA_MTU, SOCKDEV_MTU);
	netlink_attr_u32(to, IFLA_MIN_MTU, 0);
	netlink_attr_u32(to, IFLA_MAX_MTU, 0);
	netlink_attr_u32(to, IFLA_GROUP, 0);
	netlink_attr_u32(to, IFLA_PROMISCUITY, 0);
	netlink_attr_u32(to, IFLA_NUM_TX_QUEUES, 1);
	netlink_attr_u32(to, IFLA_GSO_MAX_SEGS, 65535);
	netlink_attr_u32(to, IFLA_GSO_MAX_SIZE, 65536);
	netlink_attr_u32(to, IFLA_NUM_RX_QUEUES, 1);
	netlink_attr_u8(to, IFLA_CARRIER, 1);
	netlink_attr(to, IFLA_QDISC, "noqueue", sizeof("noqueue"));
	netlink_attr_u32(to, IFLA_CARRIER_CHANGES, 0);
	netlink_attr(to, IFLA_ADDRESS, no_address, sizeof(no_address));
	netlink_attr(to, IFLA_BROADCAST, no_address, sizeof(no_address));
	link_stats(to);
	netlink_end(to);
}

static void put_addr(struct answer *a, uint8_t family)
{
	bool six = family == AF_INET6;
	struct netlink_answer *to = a->to;
	struct ifa_cacheinfo forever = {
		.ifa_prefered = UINT32_MAX,
		.ifa_valid = UINT32_MAX,
	};
	struct ifaddrmsg head = {
		.ifa_family = family,
		.ifa_prefixlen = six ? 128 : 8,
		.ifa_flags = IFA_F_PERMANENT,
		.ifa_scope = RT_SCOPE_HOST,
		.ifa_index = SOCKDEV_INDEX,
	};

	begin(a, RTM_NEWADDR);
	netlink_put(to, &head, sizeof(head));
	netlink_attr(to, IFA_ADDRESS, six ? lo6 : lo4,
	             six ? sizeof(lo6) : sizeof(lo4));
	if (!six) {
		netlink_attr(to, IFA_LOCAL, lo4, sizeof(lo4));
		netlink_attr(to, IFA_LABEL, SOCKDEV_NAME, sizeof(SOCKDEV_NAME));
	}
	netlink_attr_u32(to, IFA_FLAGS, IFA_F_PERMANENT);
	netlink_attr(to, IFA_CACHEINFO, &forever, sizeof(forever));
	netlink_end(to);
}

/* A route of the local table, as Linux makes them for an address of lo. */
struct route {
	uint8_t family;
	uint8_t bits;
	uint8_t type;
	uint8_t scope;
	const uint8_t *to;
};

static const struct route routes[] = {
	{AF_INET, 8, RTN_LOCAL, RT_SCOPE_HOST, lo4_net},
	{AF_INET, 32, RTN_LOCAL, RT_SCOPE_HOST, lo4},
	{AF_INET, 32, RTN_BROADCAST, RT_SCOPE_LINK, lo4_end},
	{AF_INET6, 128, RTN_LOCAL, RT_SCOPE_UNIVERSE, lo6},
};

static void put_route(struct answer *a, const struct route *r)
{
	bool six = r->family == AF_INET6;
	struct netlink_answer *to = a->to;
	struct rtmsg head = {
		.rtm_family = r->family,
		.rtm_dst_len = r->bits,
		.rtm_table = RT_TABLE_LOCAL,
		.rtm_protocol = RTPROT_KERNEL,
		.rtm_scope = r->scope,
		.rtm_type = r->type,
	};

	begin(a, RTM_NEWROUTE);
	netlink_put(to, &head, sizeof(head));
	netlink_attr_u32(to, RTA_TABLE, RT_TABLE_LOCAL);
	netlink_attr(to, RTA_DST, r->to, six ? sizeof(lo6) : sizeof(lo4));
	if (!six)
		netlink_attr(to, RTA_PREFSRC, lo4, sizeof(lo4));
	netlink_attr_u32(to, RTA_OIF, SOCKDEV_INDEX);
	netlink_end(to);
}

static void put_rule(struct answer *a, uint8_t family, uint32_t priority,
                     uint8_t table)
{
	struct netlink_answer *to = a->to;
	struct fib_rule_hdr head = {
		.family = family,
		.table = table,
		.action = FR_ACT_TO_TBL,
	};

	begin(a, RTM_NEWRULE);
	netlink_put(to, &head, sizeof(head));
	netlink_attr_u32(to, FRA_TABLE, table);
	if (priority > 0)
		netlink_attr_u32(to, FRA_PRIORITY, priority);
	netlink_end(to);
}

/* The attribute of a type behind a fixed head, or an empty span. */
static struct span find_attr(struct span body, size_t head, uint16_t type)
{
	struct reader r = {.rest = body};

	(void)rd_take(&r, head);
	while (!r.bad && r.rest.size >= 4) {
		uint16_t size = rd_le16(&r);
		uint16_t got = rd_le16(&r);
		struct span data;

		if (size < 4)
			break;
		data = rd_take(&r, size - 4u);
		if ((got & NLA_TYPE_MASK) == type)
			return data;
		(void)rd_take(&r, MIN(r.rest.size, (size_t)(-size & 3)));
	}
	return (struct span){NULL, 0};
}

/* RTM_GETLINK of one interface: by index, or by name. */
static bool is_our_link(const struct netlink_request *q)
{
	struct reader r = {.rest = q->body};
	struct span name;
	uint32_t index;

	(void)rd_take(&r, 4);
	index = rd_le32(&r);
	if (index != 0)
		return index == SOCKDEV_INDEX;
	name = find_attr(q->body, sizeof(struct ifinfomsg), IFLA_IFNAME);
	if (name.size > 0 && name.at[name.size - 1] == 0)
		name.size--;
	return span_is(name, SOCKDEV_NAME);
}

static long get_link(struct answer *a)
{
	if (!a->dump) {
		if (a->q->body.size < sizeof(struct ifinfomsg))
			return -EINVAL;
		if (!is_our_link(a->q))
			return -ENODEV;
	}
	put_link(a);
	return 0;
}

static long get_addr(struct answer *a)
{
	if (!a->dump)
		return -EOPNOTSUPP;
	if (wants(a, AF_INET))
		put_addr(a, AF_INET);
	if (wants(a, AF_INET6))
		put_addr(a, AF_INET6);
	return 0;
}

/* Which route an address takes: to us, or there is none. */
static long get_one_route(struct answer *a)
{
	uint8_t family = wanted_family(a->q);
	struct span to = find_attr(a->q->body, sizeof(struct rtmsg), RTA_DST);

	if (family == AF_INET && to.size == sizeof(lo4) && to.at[0] == 127) {
		struct route r = routes[0];

		r.bits = 32;
		r.to = to.at;
		put_route(a, &r);
		return 0;
	}
	if (family == AF_INET6 && to.size == sizeof(lo6) &&
	    memcmp(to.at, lo6, sizeof(lo6)) == 0) {
		put_route(a, &routes[3]);
		return 0;
	}
	return -ENETUNREACH;
}

static long get_route(struct answer *a)
{
	if (!a->dump)
		return get_one_route(a);
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (wants(a, routes[i].family))
			put_route(a, &routes[i]);
	return 0;
}

static void put_rules(struct answer *a, uint8_t family)
{
	if (!wants(a, family))
		return;
	put_rule(a, family, 0, RT_TABLE_LOCAL);
	put_rule(a, family, 32766, RT_TABLE_MAIN);
	if (family == AF_INET)
		put_rule(a, family, 32767, RT_TABLE_DEFAULT);
}

static long get_rule(struct answer *a)
{
	if (!a->dump)
		return -EOPNOTSUPP;
	put_rules(a, AF_INET);
	put_rules(a, AF_INET6);
	return 0;
}

/* Nothing of that kind is there. */
static long get_nothing(struct answer *a)
{
	return a->dump ? 0 : -ENOENT;
}

static const struct {
	uint16_t type;
	long (*get)(struct answer *a);
} gets[] = {
	{RTM_GETLINK, get_link},        {RTM_GETADDR, get_addr},
	{RTM_GETROUTE, get_route},      {RTM_GETRULE, get_rule},
	{RTM_GETNEIGH, get_nothing},    {RTM_GETQDISC, get_nothing},
	{RTM_GETTCLASS, get_nothing},   {RTM_GETTFILTER, get_nothing},
	{RTM_GETNEIGHTBL, get_nothing}, {RTM_GETADDRLABEL, get_nothing},
	{RTM_GETNETCONF, get_nothing},  {RTM_GETMULTICAST, get_nothing},
	{RTM_GETANYCAST, get_nothing},  {RTM_GETMDB, get_nothing},
	{RTM_GETNSID, get_nothing},     {RTM_GETSTATS, get_nothing},
};

/* The kind of a request is in the two low bits of its type: 2 asks. */
#define KIND_GET 2

long rtnetlink_answer(const struct netlink_request *q, uint32_t port,
                      struct netlink_answer *to, bool admin)
{
	struct answer a = {
		.q = q,
		.to = to,
		.port = port,
		.dump = (q->flags & NLM_F_DUMP) == NLM_F_DUMP,
	};
	long err;

	if ((q->type & 3) != KIND_GET)
		return admin ? -EOPNOTSUPP : -EPERM;
	for (size_t i = 0; i < ARRAY_LEN(gets); i++) {
		if (gets[i].type != q->type)
			continue;
		err = gets[i].get(&a);
		if (err < 0)
			return err;
		done(&a);
		return a.dump ? 1 : 0;
	}
	return -EOPNOTSUPP;
}
