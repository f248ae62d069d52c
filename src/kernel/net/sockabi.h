/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of the socket calls.  Linux's own headers for programs leave these
 * to libc, whose headers we do not use, so they stand here.
 */
#pragma once

#include <asm/socket.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <linux/netlink.h>
#include <linux/un.h>

#include <string.h>

#include "base/base.h"

/* Families. */
#define AF_UNSPEC  0
#define AF_UNIX    1
#define AF_INET    2
#define AF_INET6   10
#define AF_NETLINK 16
#define AF_PACKET  17
#define AF_MAX     46

/* Types, and what may be or'ed to them. */
#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_RDM       4
#define SOCK_SEQPACKET 5
#define SOCK_PACKET    10
#define SOCK_TYPE_MASK 0xf
#define SOCK_TYPE_END  11
#define SOCK_NONBLOCK  04000
#define SOCK_CLOEXEC   02000000

/* shutdown(2). */
#define SHUT_RD   0
#define SHUT_WR   1
#define SHUT_RDWR 2

/* Flags of send and receive. */
#define MSG_OOB          0x1
#define MSG_PEEK         0x2
#define MSG_DONTROUTE    0x4
#define MSG_CTRUNC       0x8
#define MSG_TRUNC        0x20
#define MSG_DONTWAIT     0x40
#define MSG_EOR          0x80
#define MSG_WAITALL      0x100
#define MSG_CONFIRM      0x800
#define MSG_ERRQUEUE     0x2000
#define MSG_NOSIGNAL     0x4000
#define MSG_MORE         0x8000
#define MSG_WAITFORONE   0x10000
#define MSG_FASTOPEN     0x20000000
#define MSG_CMSG_CLOEXEC 0x40000000

/* Option levels. */
#define SOL_IP      0
#define SOL_TCP     6
#define SOL_UDP     17
#define SOL_IPV6    41
#define SOL_UDPLITE 136
#define SOL_RAW     255
#define SOL_NETLINK 270

/* Options of SOL_UDPLITE. */
#define UDPLITE_SEND_CSCOV 10
#define UDPLITE_RECV_CSCOV 11

/* Control messages of level SOL_SOCKET. */
#define SCM_RIGHTS      1
#define SCM_CREDENTIALS 2

/* What listen(2) is cut to, as net.core.somaxconn says. */
#define SOMAXCONN 4096

/* The head of a control message, before padding to eight bytes. */
#define CMSG_HEAD 16u

/* struct ucred. */
struct sockcred {
	int32_t pid;
	uint32_t uid;
	uint32_t gid;
};

/* An address of any family, and how many bytes of it there are. */
struct sockname {
	uint32_t size;
	union {
		uint16_t family;
		uint8_t bytes[128];
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_nl nl;
	};
};

/*
 * An empty name of a family.  Initialisers do not do: they may leave bytes of
 * a union undefined, and names go to guests.
 */
static inline void sockname_clear(struct sockname *n, uint16_t family,
                                  uint32_t size)
{
	memset(n, 0, sizeof(*n));
	n->family = family;
	n->size = size;
}

/* A name has at least its family. */
#define SOCKNAME_MIN ((uint32_t)sizeof(uint16_t))
