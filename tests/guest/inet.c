/* SPDX-License-Identifier: Apache-2.0 */
/* TCP and UDP over loopback, IPv4 and IPv6. */
#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int family;

union addr {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t addr_size(void)
{
	return family == AF_INET ? sizeof(struct sockaddr_in)
	                         : sizeof(struct sockaddr_in6);
}

static union addr loopback(in_port_t port)
{
	union addr a;

	memset(&a, 0, sizeof(a));
	if (family == AF_INET) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = port;
		a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else {
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = port;
		a.v6.sin6_addr = in6addr_loopback;
	}
	return a;
}

static in_port_t port_of(const union addr *a)
{
	return family == AF_INET ? a->v4.sin_port : a->v6.sin6_port;
}

static int listener(union addr *at)
{
	int s = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = addr_size();

	OK(s);
	*at = loopback(0);
	OK(bind(s, &at->any, addr_size()));
	OK(listen(s, 8));
	OK(getsockname(s, &at->any, &len));
	EQ(len, addr_size());
	CHECK(port_of(at) != 0);
	return s;
}

static int connected(const union addr *at)
{
	int s = socket(family, SOCK_STREAM, 0);

	OK(s);
	OK(connect(s, &at->any, addr_size()));
	return s;
}

static void stream(void)
{
	union addr at, peer, mine;
	socklen_t len = sizeof(peer);
	int l = listener(&at), c = connected(&at), s, n;
	char buf[64];

	s = accept(l, &peer.any, &len);
	OK(s);
	EQ(len, addr_size());
	len = sizeof(mine);
	OK(getsockname(c, &mine.any, &len));
	EQ(port_of(&mine), port_of(&peer));
	len = sizeof(mine);
	OK(getpeername(c, &mine.any, &len));
	EQ(port_of(&mine), port_of(&at));
	EQ(send(c, "hello world", 11, 0), 11);
	EQ(recv(s, buf, 5, MSG_PEEK | MSG_WAITALL), 5);
	EQ(recv(s, buf, 11, MSG_WAITALL), 11);
	CHECK(!memcmp(buf, "hello world", 11));
	OK(ioctl(s, FIONREAD, &n));
	EQ(n, 0);
	FAILS(recv(s, buf, 1, MSG_DONTWAIT), EAGAIN);
	EQ(send(s, "answer", 6, 0), 6);
	EQ(recv(c, buf, 6, MSG_WAITALL), 6);
	/* Half closed. */
	OK(shutdown(c, SHUT_WR));
	EQ(recv(s, buf, 1, 0), 0);
	FAILS(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
	EQ(send(s, "still", 5, 0), 5);
	EQ(recv(c, buf, 5, MSG_WAITALL), 5);
	OK(close(s));
	EQ(recv(c, buf, 1, 0), 0);
	OK(close(c));
	OK(close(l));
}

static void errors(void)
{
	union addr at, other;
	int l = listener(&at), s = socket(family, SOCK_STREAM, 0), n;
	socklen_t len = sizeof(n);

	FAILS(bind(s, &at.any, addr_size()), EADDRINUSE);
	FAILS(bind(s, &at.any, 3), EINVAL);
	FAILS(recv(s, &n, 1, 0), ENOTCONN);
	FAILS(send(s, &n, 1, MSG_NOSIGNAL), EPIPE);
	FAILS(getpeername(s, &other.any, &len), ENOTCONN);
	FAILS(shutdown(s, SHUT_WR), ENOTCONN);
	FAILS(accept(s, NULL, NULL), EINVAL);
	OK(close(l));
	FAILS(connect(s, &at.any, addr_size()), ECONNREFUSED);
	OK(close(s));
	s = socket(family, SOCK_STREAM, 0);
	other = at;
	other.any.sa_family = 99;
	FAILS(connect(s, &other.any, addr_size()), EAFNOSUPPORT);
	FAILS(connect(s, NOWHERE, addr_size()), EFAULT);
	FAILS(setsockopt(s, SOL_SOCKET, 9999, &n, sizeof(n)), ENOPROTOOPT);
	OK(close(s));
	FAILS(socket(family, SOCK_STREAM, 9999), EINVAL);
	FAILS(socket(family, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
}

static void not_blocking(void)
{
	union addr at;
	int l = listener(&at), c, s, err;
	socklen_t len = sizeof(err);
	struct pollfd pf;

	OK(fcntl(l, F_SETFL, O_NONBLOCK));
	FAILS(accept(l, NULL, NULL), EAGAIN);
	c = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (connect(c, &at.any, addr_size()) < 0)
		EQ(errno, EINPROGRESS);
	pf = (struct pollfd){c, POLLOUT, 0};
	EQ(poll(&pf, 1, -1), 1);
	EQ(pf.revents, POLLOUT);
	OK(getsockopt(c, SOL_SOCKET, SO_ERROR, &err, &len));
	EQ(err, 0);
	pf = (struct pollfd){l, POLLIN, 0};
	EQ(poll(&pf, 1, -1), 1);
	s = accept4(l, NULL, NULL, SOCK_NONBLOCK);
	OK(s);
	CHECK(fcntl(s, F_GETFL) & O_NONBLOCK);
	FAILS(recv(s, &err, 1, 0), EAGAIN);
	OK(close(l));
	OK(close(c));
	pf = (struct pollfd){s, POLLIN | POLLRDHUP, 0};
	EQ(poll(&pf, 1, -1), 1);
	CHECK(pf.revents & POLLIN && pf.revents & POLLRDHUP);
	OK(close(s));
	/* Refused, and told when asked. */
	c = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (connect(c, &at.any, addr_size()) < 0 && errno == EINPROGRESS) {
		pf = (struct pollfd){c, POLLOUT, 0};
		EQ(poll(&pf, 1, -1), 1);
		OK(getsockopt(c, SOL_SOCKET, SO_ERROR, &err, &len));
		EQ(err, ECONNREFUSED);
	} else {
		EQ(errno, ECONNREFUSED);
	}
	OK(close(c));
}

static void options(void)
{
	union addr at;
	int l = listener(&at), on = 1, v, s;
	struct linger lg = {1, 0};
	socklen_t len = sizeof(v);

	OK(getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, &v, &len));
	EQ(v, 1);
	OK(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	OK(getsockopt(l, SOL_SOCKET, SO_REUSEADDR, &v, &len));
	EQ(v, 1);
	s = connected(&at);
	OK(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	OK(getsockopt(s, IPPROTO_TCP, TCP_NODELAY, &v, &len));
	EQ(v, 1);
	OK(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
	OK(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &(int){65536}, 4));
	OK(getsockopt(s, SOL_SOCKET, SO_SNDBUF, &v, &len));
	CHECK(v >= 65536);
	OK(getsockopt(s, SOL_SOCKET, SO_PROTOCOL, &v, &len));
	EQ(v, IPPROTO_TCP);
	FAILS(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, 1), EINVAL);
	/* Closed in anger: the other side is told. */
	v = accept(l, NULL, NULL);
	OK(v);
	OK(setsockopt(s, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg)));
	OK(close(s));
	FAILS(recv(v, &lg, 1, 0), ECONNRESET);
	OK(close(v));
	OK(close(l));
	if (family == AF_INET6) {
		s = socket(AF_INET6, SOCK_STREAM, 0);
		OK(setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
		OK(getsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &v, &len));
		EQ(v, 1);
		OK(close(s));
	}
}

/* A server that was there a moment ago can come again. */
static void again(void)
{
	union addr at;
	int l = listener(&at), c, s, on = 1;

	OK(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	c = connected(&at);
	s = accept(l, NULL, NULL);
	OK(s);
	OK(close(s)); /* the server closes first: TIME_WAIT is its */
	OK(close(c));
	OK(close(l));
	l = socket(family, SOCK_STREAM, 0);
	OK(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	OK(bind(l, &at.any, addr_size()));
	OK(listen(l, 1));
	OK(close(l));
}

static void datagrams(void)
{
	union addr at = loopback(0), from;
	int s = socket(family, SOCK_DGRAM, 0);
	int c = socket(family, SOCK_DGRAM, 0), n;
	socklen_t len = sizeof(at);
	char buf[64];

	OK(bind(s, &at.any, addr_size()));
	OK(getsockname(s, &at.any, &len));
	EQ(sendto(c, "one", 3, 0, &at.any, addr_size()), 3);
	EQ(sendto(c, "", 0, 0, &at.any, addr_size()), 0);
	EQ(sendto(c, "three", 5, 0, &at.any, addr_size()), 5);
	len = sizeof(from);
	EQ(recvfrom(s, buf, sizeof(buf), 0, &from.any, &len), 3);
	CHECK(port_of(&from) != 0);
	EQ(recv(s, buf, sizeof(buf), 0), 0);
	OK(ioctl(s, FIONREAD, &n));
	EQ(n, 5);
	EQ(recv(s, buf, 2, MSG_PEEK | MSG_TRUNC), 5);
	EQ(recv(s, buf, 2, 0), 2); /* the rest is lost */
	FAILS(recv(s, buf, 1, MSG_DONTWAIT), EAGAIN);
	EQ(sendto(s, "back", 4, 0, &from.any, len), 4);
	EQ(recv(c, buf, sizeof(buf), 0), 4);
	FAILS(send(s, "x", 1, 0), EDESTADDRREQ);
	/* Connected: only that peer, and its absence is told. */
	OK(connect(c, &at.any, addr_size()));
	EQ(send(c, "x", 1, 0), 1);
	EQ(recv(s, buf, 1, 0), 1);
	OK(close(s));
	EQ(send(c, "x", 1, 0), 1);
	FAILS(recv(c, buf, 1, 0), ECONNREFUSED);
	from.any.sa_family = AF_UNSPEC;
	OK(connect(c, &from.any, sizeof(from)));
	FAILS(send(c, "x", 1, 0), EDESTADDRREQ);
	OK(close(c));
}

static void serve(void *arg)
{
	int l = *(int *)arg;
	static char buf[100000];

	for (int i = 0; i < 3; i++) {
		int s = accept(l, NULL, NULL);
		long total = 0;
		ssize_t n;

		OK(s);
		while ((n = recv(s, buf, sizeof(buf), 0)) > 0)
			total += n;
		EQ(n, 0);
		EQ(send(s, &total, sizeof(total), 0), sizeof(total));
		OK(close(s));
	}
}

static void volume(void)
{
	static char block[1 << 20];
	union addr at;
	int l = listener(&at);
	long total;
	pid_t pid = child(serve, &l);

	for (int i = 0; i < 3; i++) {
		int c = connected(&at);

		for (int k = 0; k < 4; k++)
			EQ(send(c, block, sizeof(block), 0), sizeof(block));
		OK(shutdown(c, SHUT_WR));
		EQ(recv(c, &total, sizeof(total), MSG_WAITALL), sizeof(total));
		EQ(total, 4L << 20);
		OK(close(c));
	}
	passes(pid);
	OK(close(l));
}

/* IPv4 clients of an IPv6 server appear as mapped addresses. */
static void mapped(void)
{
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6}, peer;
	struct sockaddr_in a4 = {.sin_family = AF_INET};
	socklen_t len = sizeof(a6);
	int l = socket(AF_INET6, SOCK_STREAM, 0), c, s, off = 0;

	OK(setsockopt(l, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)));
	OK(bind(l, (struct sockaddr *)&a6, sizeof(a6)));
	OK(listen(l, 1));
	OK(getsockname(l, (struct sockaddr *)&a6, &len));
	a4.sin_port = a6.sin6_port;
	a4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c = socket(AF_INET, SOCK_STREAM, 0);
	OK(connect(c, (struct sockaddr *)&a4, sizeof(a4)));
	len = sizeof(peer);
	s = accept(l, (struct sockaddr *)&peer, &len);
	OK(s);
	CHECK(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
	OK(close(s));
	OK(close(c));
	OK(close(l));
}

static bool available(void)
{
	union addr a = loopback(0);
	int s = socket(family, SOCK_STREAM, 0);
	bool ok = s >= 0 && bind(s, &a.any, addr_size()) == 0;

	if (s >= 0)
		close(s);
	return ok;
}

int main(void)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < COUNT(families); i++) {
		family = families[i];
		if (!available()) {
			if (family == AF_INET)
				SKIP("no loopback here");
			continue;
		}
		stream();
		errors();
		not_blocking();
		options();
		again();
		datagrams();
		volume();
		if (family == AF_INET6)
			mapped();
	}
	return 0;
}
