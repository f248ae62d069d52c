/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket calls of a testbed's task, as short as a test wants them.  What is
 * not expected to fail is checked here.
 */
#pragma once

#include <asm/unistd.h>
#include <endian.h>
#include <string.h>

#include "kernel/net/netstack.h"
#include "kernel/net/scm.h"
#include "kernel/net/sockabi.h"
#include "kernel/testbed.h"

static inline int make(struct testbed *bed, int family, int type)
{
	long fd = testbed_call(bed, __NR_socket, family, type, 0);

	assert_true(fd >= 0);
	return (int)fd;
}

static inline void pair(struct testbed *bed, int type, int fd[2])
{
	assert_int_equal(
		testbed_call(bed, __NR_socketpair, AF_UNIX, type, 0, fd), 0);
}

static inline long put(struct testbed *bed, int fd, const char *text)
{
	return testbed_call(bed, __NR_sendto, fd, text, strlen(text), 0);
}

/* Receives at most 255 bytes into a string of the test's. */
static inline long get(struct testbed *bed, int fd, char buf[256], int flags)
{
	long n;

	memset(buf, 0, 256);
	n = testbed_call(bed, __NR_recvfrom, fd, buf, 255, flags);
	return n;
}

/* Receives without waiting, and compares. */
static inline void expect(struct testbed *bed, int fd, const char *text)
{
	char buf[256];

	assert_int_equal(get(bed, fd, buf, MSG_DONTWAIT), strlen(text));
	assert_string_equal(buf, text);
}

static inline long shut(struct testbed *bed, int fd)
{
	return testbed_call(bed, __NR_close, fd);
}

/* poll(2) without waiting: what of `want`, and of errors, holds. */
static inline int events(struct testbed *bed, int fd, int want)
{
	abi_pollfd p = {.fd = fd, .events = (int16_t)want};

	assert_true(testbed_call(bed, __NR_poll, &p, 1, 0) >= 0);
	return p.revents;
}

static inline struct sockname v4(uint32_t addr, unsigned port)
{
	struct sockname n = {.size = sizeof(n.in)};

	n.in.sin_family = AF_INET;
	n.in.sin_port = htobe16((uint16_t)port);
	n.in.sin_addr.s_addr = htobe32(addr);
	return n;
}

static inline struct sockname v6(unsigned last, unsigned port)
{
	struct sockname n = {.size = sizeof(n.in6)};

	n.in6.sin6_family = AF_INET6;
	n.in6.sin6_port = htobe16((uint16_t)port);
	n.in6.sin6_addr.s6_addr[15] = (uint8_t)last;
	return n;
}

/* A path, or an abstract name if it begins with '@'. */
static inline struct sockname local(const char *path)
{
	struct sockname n = {.size = (uint32_t)(2 + strlen(path))};

	n.un.sun_family = AF_UNIX;
	memcpy(n.un.sun_path, path, strlen(path));
	if (path[0] == '@')
		n.un.sun_path[0] = 0;
	return n;
}

static inline long bind_to(struct testbed *bed, int fd, struct sockname n)
{
	return testbed_call(bed, __NR_bind, fd, n.bytes, n.size);
}

static inline long connect_to(struct testbed *bed, int fd, struct sockname n)
{
	return testbed_call(bed, __NR_connect, fd, n.bytes, n.size);
}

static inline long put_to(struct testbed *bed, int fd, const char *text,
                          struct sockname n)
{
	return testbed_call(bed, __NR_sendto, fd, text, strlen(text), 0,
	                    n.bytes, n.size);
}

static inline struct sockname name_of(struct testbed *bed, int fd, bool peer)
{
	struct sockname n = {.size = sizeof(n.bytes)};

	assert_int_equal(
		testbed_call(bed, peer ? __NR_getpeername : __NR_getsockname,
	                     fd, n.bytes, &n.size),
		0);
	return n;
}

static inline unsigned port_of(struct testbed *bed, int fd)
{
	return be16toh(name_of(bed, fd, false).in.sin_port);
}

static inline long set(struct testbed *bed, int fd, int level, int option,
                       int value)
{
	return testbed_call(bed, __NR_setsockopt, fd, level, option, &value,
	                    sizeof(value));
}

static inline int option(struct testbed *bed, int fd, int level, int opt)
{
	int value = -1;
	int size = sizeof(value);

	assert_int_equal(testbed_call(bed, __NR_getsockopt, fd, level, opt,
	                              &value, &size),
	                 0);
	return value;
}

/* One control message with ints or other data, for sendmsg. */
struct ancillary {
	uint64_t size;
	int32_t level;
	int32_t type;
	int32_t data[8];
};

static inline long send_control(struct testbed *bed, int fd, const char *text,
                                struct ancillary *c)
{
	abi_iovec iov = {(uint64_t)text, strlen(text)};
	abi_msghdr m = {
		.iov = (uint64_t)&iov,
		.iov_count = 1,
		.control = (uint64_t)c,
		.control_size = c ? MAX(CMSG_HEAD,
	                                MIN(round_up(c->size, 8), sizeof(*c)))
	                          : 0,
	};

	return testbed_call(bed, __NR_sendmsg, fd, &m, 0);
}

static inline long send_fd(struct testbed *bed, int fd, int what)
{
	struct ancillary c = {CMSG_HEAD + 4, SOL_SOCKET, SCM_RIGHTS, {what}};

	return send_control(bed, fd, "x", &c);
}

/* recvmsg with room for one control message; *flags: MSG_* reported. */
static inline long recv_control(struct testbed *bed, int fd, char buf[256],
                                struct ancillary *c, int *flags)
{
	abi_iovec iov = {(uint64_t)buf, 255};
	abi_msghdr m = {
		.iov = (uint64_t)&iov,
		.iov_count = 1,
		.control = (uint64_t)c,
		.control_size = c ? sizeof(*c) : 0,
	};
	long n;

	memset(buf, 0, 256);
	if (c)
		memset(c, 0, sizeof(*c));
	n = testbed_call(bed, __NR_recvmsg, fd, &m, MSG_DONTWAIT);
	*flags = (int)m.flags;
	return n;
}
