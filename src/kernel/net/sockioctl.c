/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/net/sockioctl.h"

#include <asm-generic/ioctls.h>
#include <linux/sockios.h>
#include <string.h>

#include "kernel/fs/sigio.h"
#include "kernel/net/inet.h"
#include "kernel/net/sockdev.h"
#include "kernel/net/tcp.h"

/* struct ifreq: a name, then what the request is about. */
struct ifreq_wire {
	char name[16];
	union {
		int32_t number;
		int16_t flags;
		struct sockaddr_in addr;
		uint8_t bytes[24];
		uint64_t pointer;
	};
};

/* struct ifconf. */
struct ifconf_wire {
	int32_t size;
	int32_t pad;
	uint64_t buf;
};

static_assert(sizeof(struct ifreq_wire) == 40, "struct ifreq");
static_assert(sizeof(struct ifconf_wire) == 16, "struct ifconf");

static long put_int(struct task *t, uaddr_t arg, size_t value)
{
	int32_t v = (int32_t)MIN(value, (size_t)INT32_MAX);

	return user_write(t, arg, &v, sizeof(v));
}

static long readable(struct socket *s, struct task *t, uaddr_t arg)
{
	if (tcp_listens(s) || !s->ops->readable)
		return s->ops->readable ? -EINVAL : -ENOTTY;
	return put_int(t, arg, s->ops->readable(s));
}

static struct sockaddr_in address(uint32_t host_order)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = __builtin_bswap32(host_order),
	};
}

static long get_conf(struct task *t, uaddr_t arg)
{
	struct ifconf_wire c;
	struct ifreq_wire r = {.name = SOCKDEV_NAME};

	if (user_read(t, arg, &c, sizeof(c)) < 0)
		return -EFAULT;
	if (c.buf == 0) {
		c.size = sizeof(r);
	} else if (c.size < (int32_t)sizeof(r)) {
		c.size = 0;
	} else {
		r.addr = address(SOCKDEV_ADDR4);
		if (user_write(t, (uaddr_t){c.buf}, &r, sizeof(r)) < 0)
			return -EFAULT;
		c.size = sizeof(r);
	}
	return user_write(t, arg, &c, sizeof(c));
}

/* Fills in the answer about "lo".  -ENOTTY for what we do not know. */
static long ask(struct ifreq_wire *r, uint32_t cmd)
{
	switch (cmd) {
	case SIOCGIFFLAGS:
		r->flags = SOCKDEV_FLAGS;
		return 0;
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
		r->addr = address(SOCKDEV_ADDR4);
		return 0;
	case SIOCGIFNETMASK:
		r->addr = address(SOCKDEV_MASK4);
		return 0;
	case SIOCGIFBRDADDR:
		r->addr = address(0);
		return 0;
	case SIOCGIFMETRIC:
		r->number = 0;
		return 0;
	case SIOCGIFMTU:
		r->number = SOCKDEV_MTU;
		return 0;
	case SIOCGIFINDEX:
		r->number = SOCKDEV_INDEX;
		return 0;
	case SIOCGIFTXQLEN:
		r->number = SOCKDEV_QUEUE;
		return 0;
	case SIOCGIFHWADDR:
		memset(r->bytes, 0, sizeof(r->bytes));
		r->flags = (int16_t)SOCKDEV_TYPE;
		return 0;
	case SIOCGIFMAP:
		memset(r->bytes, 0, sizeof(r->bytes));
		return 0;
	case SIOCETHTOOL:
		return -EOPNOTSUPP;
	default:
		return -ENOTTY;
	}
}

static long about_device(struct task *t, uint32_t cmd, uaddr_t arg)
{
	struct ifreq_wire r;
	long err;

	if (user_read(t, arg, &r, sizeof(r)) < 0)
		return -EFAULT;
	if (cmd == SIOCGIFNAME) {
		if (r.number != SOCKDEV_INDEX)
			return -ENODEV;
		memset(r.name, 0, sizeof(r.name));
		memcpy(r.name, SOCKDEV_NAME, sizeof(SOCKDEV_NAME));
		return user_write(t, arg, &r, sizeof(r));
	}
	r.name[sizeof(r.name) - 1] = 0;
	if (strcmp(r.name, SOCKDEV_NAME) != 0)
		return -ENODEV;
	err = ask(&r, cmd);
	return err < 0 ? err : user_write(t, arg, &r, sizeof(r));
}

static bool changes_device(uint32_t cmd)
{
	switch (cmd) {
	case SIOCSIFFLAGS:
	case SIOCSIFADDR:
	case SIOCSIFDSTADDR:
	case SIOCSIFBRDADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFMETRIC:
	case SIOCSIFMTU:
	case SIOCSIFNAME:
	case SIOCSIFHWADDR:
	case SIOCSIFTXQLEN:
	case SIOCADDMULTI:
	case SIOCDELMULTI:
	case SIOCADDRT:
	case SIOCDELRT:
		return true;
	default:
		return false;
	}
}

static long owner(struct socket *s, struct task *t, uint32_t cmd, uaddr_t arg)
{
	int32_t pid;

	if (cmd == SIOCGPGRP || cmd == FIOGETOWN) {
		pid = s->file ? s->file->owner : 0;
		return user_write(t, arg, &pid, sizeof(pid));
	}
	if (user_read(t, arg, &pid, sizeof(pid)) < 0)
		return -EFAULT;
	return s->file ? sigio_own(s->file, t, pid, false) : 0;
}

long sockioctl_run(struct socket *s, struct task *t, uint32_t cmd, uaddr_t arg)
{
	switch (cmd) {
	case FIONREAD:
		return readable(s, t, arg);
	case TIOCOUTQ:
		if (!s->ops->unsent)
			return put_int(t, arg, 0);
		return put_int(t, arg, s->ops->unsent(s));
	case SIOCATMARK:
		if (!tcp_is(s))
			return -ENOTTY;
		return put_int(t, arg,
		               tcp_of(s)->has_urgent && !tcp_of(s)->rx.used);
	case SIOCGPGRP:
	case FIOGETOWN:
	case SIOCSPGRP:
	case FIOSETOWN:
		return owner(s, t, cmd, arg);
	case SIOCGIFCONF:
		return get_conf(t, arg);
	case SIOCGSTAMP_OLD:
	case SIOCGSTAMPNS_OLD:
		return -ENOENT;
	default:
		break;
	}
	if (changes_device(cmd))
		return -EPERM;
	if ((cmd & ~0xffu) == 0x8900)
		return about_device(t, cmd, arg);
	return -ENOTTY;
}
