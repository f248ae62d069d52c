/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/proc_net.h"

#include <string.h>

#include "kernel/net/netstack.h"

#pragma weak netstack_each /* is there a network at all? */

struct list_of {
	struct text *out;
	unsigned count;
	bool six; /* IPv6 addresses */
};

typedef bool each(const struct netstack_row *row, void *ctx);

static void walk(const struct pseudo_ctx *c, enum netstack_table table,
                 each *add, struct list_of *l)
{
	if (netstack_each && c->kernel->net)
		netstack_each(c->kernel, table, add, l);
}

/* One word of an address as the kernel prints it: in host order. */
static void add_address(struct text *out, const uint8_t *at, bool six,
                        uint16_t port)
{
	for (size_t i = 0; i < (six ? 4u : 1u); i++) {
		uint32_t word;

		memcpy(&word, at + 4 * i, sizeof(word));
		text_add(out, "%08X", word);
	}
	text_add(out, ":%04X ", port);
}

static bool add_inet(const struct netstack_row *r, void *ctx)
{
	struct list_of *l = ctx;

	text_add(l->out, "%4u: ", l->count++);
	add_address(l->out, r->local, l->six, r->local_port);
	add_address(l->out, r->remote, l->six, r->remote_port);
	text_add(l->out,
	         "%02X %08zX:%08zX 00:00000000 00000000 %5u        0 %llu "
	         "%u 0000000000000000 20 0 0 10 -1\n",
	         r->state, r->unsent, r->unread, r->uid,
	         (unsigned long long)r->ino, r->refs);
	return !l->out->failed;
}

static long inet(const struct pseudo_ctx *c, struct text *out,
                 enum netstack_table table, bool six)
{
	struct list_of l = {out, 0, six};

	text_add(out, six ? "  sl  local_address                         "
	                    "remote_address                        st tx_queue "
	                    "rx_queue tr tm->when retrnsmt   uid  timeout "
	                    "inode\n"
	                  : "  sl  local_address rem_address   st tx_queue "
	                    "rx_queue tr tm->when retrnsmt   uid  timeout "
	                    "inode\n");
	walk(c, table, add_inet, &l);
	return 0;
}

long proc_net_tcp(const struct pseudo_ctx *c, struct text *out)
{
	return inet(c, out, NETSTACK_TCP, false);
}

long proc_net_tcp6(const struct pseudo_ctx *c, struct text *out)
{
	return inet(c, out, NETSTACK_TCP6, true);
}

long proc_net_udp(const struct pseudo_ctx *c, struct text *out)
{
	return inet(c, out, NETSTACK_UDP, false);
}

long proc_net_udp6(const struct pseudo_ctx *c, struct text *out)
{
	return inet(c, out, NETSTACK_UDP6, true);
}

static bool add_unix(const struct netstack_row *r, void *ctx)
{
	struct list_of *l = ctx;

	text_add(l->out, "0000000000000000: %08X %08X %08X %04X %02X %5llu",
	         r->refs, 0, r->listening ? 0x10000 : 0, r->type, r->state,
	         (unsigned long long)r->ino);
	if (r->path[0])
		text_add(l->out, " %s", r->path);
	text_add(l->out, "\n");
	return !l->out->failed;
}

long proc_net_unix(const struct pseudo_ctx *c, struct text *out)
{
	struct list_of l = {out, 0, false};

	text_add(out, "Num       RefCount Protocol Flags    Type St Inode "
	              "Path\n");
	walk(c, NETSTACK_UNIX, add_unix, &l);
	return 0;
}

static bool add_netlink(const struct netstack_row *r, void *ctx)
{
	struct list_of *l = ctx;

	text_add(l->out,
	         "0000000000000000 %-3d %-10u %08x %-8zu %-8zu 0 %-8u "
	         "0 %llu\n",
	         r->protocol, r->netlink_port, r->netlink_groups, r->unread,
	         r->unsent, r->refs, (unsigned long long)r->ino);
	return !l->out->failed;
}

long proc_net_netlink(const struct pseudo_ctx *c, struct text *out)
{
	struct list_of l = {out, 0, false};

	text_add(out, "sk               Eth Pid        Groups   Rmem     Wmem"
	              "     Dump  Locks    Drops    Inode\n");
	walk(c, NETSTACK_NETLINK, add_netlink, &l);
	return 0;
}

static bool count(const struct netstack_row *r, void *ctx)
{
	struct list_of *l = ctx;

	(void)r;
	l->count++;
	return true;
}

long proc_net_sockstat(const struct pseudo_ctx *c, struct text *out)
{
	struct list_of tcp = {out, 0, false};
	struct list_of udp = {out, 0, false};
	struct list_of local = {out, 0, false};

	walk(c, NETSTACK_TCP, count, &tcp);
	walk(c, NETSTACK_UDP, count, &udp);
	walk(c, NETSTACK_UNIX, count, &local);
	text_add(out,
	         "sockets: used %u\nTCP: inuse %u orphan 0 tw 0 alloc %u "
	         "mem 0\n",
	         tcp.count + udp.count + local.count, tcp.count, tcp.count);
	text_add(out,
	         "UDP: inuse %u mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\n"
	         "FRAG: inuse 0 memory 0\n",
	         udp.count);
	return 0;
}
