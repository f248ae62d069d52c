/* SPDX-License-Identifier: Apache-2.0 */
/* Unix sockets: the three types, names, passing, credentials. */
#include "check.h"

#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un named(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	strcpy(a.sun_path, path);
	return a;
}

#define AT(a) ((struct sockaddr *)&(a))

static void pairs(void)
{
	char buf[32];
	int s[2], n;

	OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
	EQ(fcntl(s[0], F_GETFD), FD_CLOEXEC);
	EQ(send(s[0], "abc", 3, 0), 3);
	EQ(send(s[0], "def", 3, 0), 3);
	OK(ioctl(s[1], FIONREAD, &n));
	EQ(n, 6);
	EQ(recv(s[1], buf, 2, MSG_PEEK), 2);
	EQ(recv(s[1], buf, sizeof(buf), 0), 6);
	CHECK(!memcmp(buf, "abcdef", 6));
	FAILS(recv(s[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	OK(shutdown(s[0], SHUT_WR));
	EQ(recv(s[1], buf, 1, 0), 0);
	FAILS(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	EQ(send(s[1], "y", 1, 0), 1);
	EQ(recv(s[0], buf, 2, 0), 1);
	OK(close(s[1]));
	EQ(recv(s[0], buf, 1, 0), 0);
	FAILS(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	OK(close(s[0]));

	/* Messages keep their bounds; what does not fit is cut. */
	OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	EQ(send(s[0], "first", 5, 0), 5);
	EQ(send(s[0], "second", 6, 0), 6);
	EQ(recv(s[1], buf, 3, 0), 3);
	EQ(recv(s[1], buf, 3, MSG_TRUNC), 6);
	OK(close(s[0]));
	EQ(recv(s[1], buf, 1, 0), 0);
	OK(close(s[1]));
	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	EQ(send(s[0], "", 0, 0), 0);
	EQ(send(s[0], "x", 1, 0), 1);
	EQ(recv(s[1], buf, 9, 0), 0);
	EQ(recv(s[1], buf, 9, 0), 1);
	OK(close(s[0]));
	OK(close(s[1]));
	FAILS(socketpair(AF_INET, SOCK_STREAM, 0, s), EOPNOTSUPP);
	FAILS(socket(AF_UNIX, 77, 0), EINVAL);
	FAILS(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
	FAILS(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
}

static void client(void *arg)
{
	struct sockaddr_un a = named(arg);
	char buf[8];
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	OK(connect(s, AT(a), sizeof(a)));
	FAILS(connect(s, AT(a), sizeof(a)), EISCONN);
	EQ(send(s, "hello", 5, 0), 5);
	EQ(recv(s, buf, sizeof(buf), 0), 2);
}

static void streams(void)
{
	struct sockaddr_un a = named("sock"), peer;
	socklen_t len = sizeof(peer);
	struct ucred cred;
	struct stat st;
	char buf[8];
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c;
	pid_t pid;

	FAILS(connect(s, AT(a), sizeof(a)), ENOENT);
	FAILS(listen(s, 1), EINVAL);
	OK(bind(s, AT(a), sizeof(a)));
	peer = named("another");
	FAILS(bind(s, AT(peer), sizeof(peer)), EINVAL);
	OK(stat("sock", &st));
	CHECK(S_ISSOCK(st.st_mode));
	FAILS(open("sock", O_RDWR), ENXIO);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	FAILS(bind(c, AT(a), sizeof(a)), EADDRINUSE);
	FAILS(connect(c, AT(a), sizeof(a)), ECONNREFUSED);
	FAILS(accept(s, NULL, NULL), EINVAL);
	OK(close(c));
	OK(listen(s, 5));
	pid = child(client, "sock");
	c = accept4(s, AT(peer), &len, SOCK_CLOEXEC);
	OK(c);
	EQ(peer.sun_family, AF_UNIX);
	EQ(len, sizeof(sa_family_t)); /* it has no name */
	len = sizeof(cred);
	OK(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	EQ(cred.pid, pid);
	EQ(cred.uid, getuid());
	EQ(cred.gid, getgid());
	EQ(recv(c, buf, sizeof(buf), 0), 5);
	EQ(send(c, "ok", 2, 0), 2);
	passes(pid);
	len = sizeof(peer);
	OK(getsockname(c, AT(peer), &len));
	CHECK(!strcmp(peer.sun_path, "sock"));
	OK(close(c));
	OK(fcntl(s, F_SETFL, O_NONBLOCK));
	FAILS(accept(s, NULL, NULL), EAGAIN);
	OK(close(s));
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	FAILS(connect(c, AT(a), sizeof(a)), ECONNREFUSED);
	OK(unlink("sock"));
	put_file("plain", "");
	a = named("plain");
	FAILS(connect(c, AT(a), sizeof(a)), ECONNREFUSED);
	FAILS(bind(c, AT(a), sizeof(a)), EADDRINUSE);
	OK(close(c));
}

static void datagrams(void)
{
	struct sockaddr_un a = named("dg"), b = named("dg2"), from;
	socklen_t len = sizeof(from);
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	int c = socket(AF_UNIX, SOCK_DGRAM, 0);
	char buf[8];

	OK(bind(s, AT(a), sizeof(a)));
	OK(bind(c, AT(b), sizeof(b)));
	FAILS(send(c, "x", 1, 0), ENOTCONN);
	EQ(sendto(c, "dg", 2, 0, AT(a), sizeof(a)), 2);
	EQ(recvfrom(s, buf, sizeof(buf), 0, AT(from), &len), 2);
	CHECK(!strcmp(from.sun_path, "dg2"));
	EQ(sendto(s, "back", 4, 0, AT(from), len), 4);
	EQ(recv(c, buf, sizeof(buf), 0), 4);
	OK(connect(c, AT(a), sizeof(a)));
	EQ(send(c, "x", 1, 0), 1);
	EQ(recv(s, buf, sizeof(buf), 0), 1);
	OK(close(s));
	FAILS(send(c, "x", 1, 0), ECONNREFUSED);
	FAILS(listen(c, 1), EOPNOTSUPP);
	OK(close(c));
}

static void abstract(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX}, got;
	socklen_t len, size;
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c, d;

	snprintf(a.sun_path + 1, 50, "guest-test-%d", getpid());
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	                   strlen(a.sun_path + 1));
	OK(bind(s, AT(a), size));
	OK(listen(s, 1));
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	OK(connect(c, AT(a), size));
	len = sizeof(got);
	OK(getpeername(c, AT(got), &len));
	EQ(len, size);
	CHECK(!memcmp(got.sun_path, a.sun_path, 20));
	OK(close(s));
	OK(close(c));
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	FAILS(connect(c, AT(a), size), ECONNREFUSED);
	/* Binding to no name gives one. */
	OK(bind(c, AT(a), sizeof(sa_family_t)));
	len = sizeof(got);
	OK(getsockname(c, AT(got), &len));
	EQ(len, sizeof(sa_family_t) + 6);
	EQ(got.sun_path[0], 0);
	d = socket(AF_UNIX, SOCK_STREAM, 0);
	FAILS(bind(d, AT(got), 1), EINVAL);
	FAILS(bind(d, AT(got), 200), EINVAL);
	OK(close(c));
	OK(close(d));
}

union control {
	char bytes[CMSG_SPACE(sizeof(int) * 8) + CMSG_SPACE(64)];
	struct cmsghdr align;
};

static ssize_t send_fds(int s, const int *fds, size_t count)
{
	union control c;
	struct iovec iov = {"f", 1};
	struct msghdr m = {.msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = c.bytes,
	                   .msg_controllen = CMSG_SPACE(sizeof(int) * count)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(h), fds, sizeof(int) * count);
	return sendmsg(s, &m, 0);
}

static int recv_fds(int s, int *fds, size_t room, int flags, int *out)
{
	union control c;
	char buf[8];
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr m = {.msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = c.bytes,
	                   .msg_controllen = CMSG_LEN(sizeof(int) * room)};
	struct cmsghdr *h;

	OK(recvmsg(s, &m, flags));
	*out = m.msg_flags;
	h = CMSG_FIRSTHDR(&m);
	if (!h)
		return 0;
	EQ(h->cmsg_level, SOL_SOCKET);
	EQ(h->cmsg_type, SCM_RIGHTS);
	memcpy(fds, CMSG_DATA(h), h->cmsg_len - CMSG_LEN(0));
	return (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
}

static void passing(void)
{
	int s[2], p[2], fds[8], flags, bad = 0x7000;
	char c;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	OK(pipe(p));
	EQ(send_fds(s[0], p, 2), 1);
	OK(close(p[0]));
	OK(close(p[1])); /* alive in the message */
	EQ(recv_fds(s[1], fds, 8, MSG_CMSG_CLOEXEC, &flags), 2);
	EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	tell(fds[1]);
	await(fds[0]);
	/* Fewer places than descriptors: the rest is closed. */
	EQ(send_fds(s[0], fds, 2), 1);
	EQ(recv_fds(s[1], fds + 2, 1, 0, &flags), 1);
	CHECK(flags & MSG_CTRUNC);
	OK(close(fds[1]));
	OK(close(fds[2]));
	EQ(read(fds[0], &c, 1), 0); /* nobody holds the writing end */
	OK(close(fds[0]));
	FAILS(send_fds(s[0], &bad, 1), EBADF);
	/* A socket through itself, then nobody has it. */
	EQ(send_fds(s[0], &s[1], 1), 1);
	EQ(recv_fds(s[1], fds, 8, 0, &flags), 1);
	OK(close(s[1]));
	EQ(send(s[0], "x", 1, 0), 1);
	EQ(recv(fds[0], &c, 1, 0), 1);
	EQ(send_fds(s[0], fds, 1), 1);
	OK(close(fds[0]));
	OK(close(s[0]));
	/* A stream stops at a message with descriptors. */
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	OK(pipe(p));
	EQ(send(s[0], "a", 1, 0), 1);
	EQ(send_fds(s[0], p, 1), 1);
	EQ(send(s[0], "b", 1, 0), 1);
	/* What came before may come with it; what comes after may not. */
	EQ(recv(s[1], &c, 1, 0), 1);
	EQ(recv_fds(s[1], fds, 8, 0, &flags), 1);
	EQ(recv_fds(s[1], fds + 1, 8, 0, &flags), 0);
	OK(close(s[0]));
	OK(close(s[1]));
}

static void send_hello(void *arg)
{
	EQ(send(*(int *)arg, "hello", 5, 0), 5);
}

static void credentials(void)
{
	union control c;
	char buf[8];
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr m = {.msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = c.bytes,
	                   .msg_controllen = sizeof(c.bytes)};
	struct cmsghdr *h;
	struct ucred u;
	int s[2], on = 1;
	pid_t pid;

	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	OK(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	pid = child(send_hello, &s[0]);
	EQ(recvmsg(s[1], &m, 0), 5);
	h = CMSG_FIRSTHDR(&m);
	CHECK(h);
	EQ(h->cmsg_type, SCM_CREDENTIALS);
	memcpy(&u, CMSG_DATA(h), sizeof(u));
	EQ(u.pid, pid);
	EQ(u.uid, getuid());
	passes(pid);
	OK(close(s[0]));
	OK(close(s[1]));
}

static void options(void)
{
	socklen_t len = sizeof(int);
	struct timeval tv = {0, 1000};
	int s[2], v;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	OK(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &v, &len));
	EQ(v, SOCK_STREAM);
	OK(getsockopt(s[0], SOL_SOCKET, SO_DOMAIN, &v, &len));
	EQ(v, AF_UNIX);
	OK(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &v, &len));
	EQ(v, 0);
	OK(getsockopt(s[0], SOL_SOCKET, SO_ACCEPTCONN, &v, &len));
	EQ(v, 0);
	OK(getsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &v, &len));
	CHECK(v > 1000);
	FAILS(getsockopt(s[0], SOL_SOCKET, 9999, &v, &len), ENOPROTOOPT);
	OK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	FAILS(recv(s[0], &v, 1, 0), EAGAIN);
	FAILS(recv(0x7000, &v, 1, 0), EBADF);
	v = open("/dev/null", O_RDWR);
	FAILS(recv(v, &len, 1, 0), ENOTSOCK);
	OK(close(v));
	OK(close(s[0]));
	OK(close(s[1]));
}

/* A full stream blocks, and goes on when the other side reads. */
static void pour(void *arg)
{
	static char block[65536];
	int s = *(int *)arg;

	for (int i = 0; i < 64; i++)
		EQ(send(s, block, sizeof(block), 0), sizeof(block));
}

static void volume(void)
{
	static char buf[70000];
	long total = 0;
	ssize_t n;
	int s[2];
	pid_t pid;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	pid = child(pour, &s[0]);
	OK(close(s[0]));
	EQ(recv(s[1], buf, sizeof(buf), MSG_WAITALL), sizeof(buf));
	total = sizeof(buf);
	while ((n = recv(s[1], buf, sizeof(buf), 0)) > 0)
		total += n;
	EQ(total, 64L * 65536);
	passes(pid);
	OK(close(s[1]));
}

static void many_messages(void)
{
	struct mmsghdr v[3];
	struct iovec iov[3] = {{"a", 1}, {"bb", 2}, {"ccc", 3}};
	char buf[3][8];
	int s[2];

	memset(v, 0, sizeof(v));
	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	for (int i = 0; i < 3; i++) {
		v[i].msg_hdr.msg_iov = &iov[i];
		v[i].msg_hdr.msg_iovlen = 1;
	}
	EQ(sendmmsg(s[0], v, 3, 0), 3);
	EQ(v[2].msg_len, 3);
	for (int i = 0; i < 3; i++)
		iov[i] = (struct iovec){buf[i], 8};
	EQ(recvmmsg(s[1], v, 3, MSG_DONTWAIT, NULL), 3);
	EQ(v[0].msg_len, 1);
	EQ(v[2].msg_len, 3);
	CHECK(!memcmp(buf[2], "ccc", 3));
	OK(close(s[0]));
	OK(close(s[1]));
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	scratch();
	pairs();
	streams();
	datagrams();
	abstract();
	passing();
	credentials();
	options();
	volume();
	many_messages();
	return 0;
}
