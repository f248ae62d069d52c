/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends of the calls that bench/calls measures; runs in qubes.
 *
 *	callbench serve PATH            a socket service: echoes, or, if what
 *	                                comes first is "s", sends without end
 *	callbench round COUNT SERVICE   a byte to it and back, in a call each
 *	callbench first COUNT SERVICE   until a program's first byte
 *	callbench stream BYTES SERVICE  how fast it sends
 *	callbench at-once COUNT SERVICE so many calls open at the same time
 *	callbench new COUNT SERVICE TEMPLATE
 *	                                until the first byte of one in a new
 *	                                disposable
 *	callbench wait COUNT SERVICE    so many calls wait for an answer
 *
 * One line on standard output: the median in microseconds, or GB/s; of `wait`
 * the line "asked" before one with how many were answered.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "channel/agent.h"

#define TARGET "bench-dst"
#define CHUNK  65536
#define PEERS  16384  /* descriptors */
#define PAUSE  100000 /* us: for a disposable to be gone */

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void raise_limit(rlim_t files)
{
	struct rlimit limit = {files, files};

	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int make_socket(const char *path, struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (fd < 0 || strlen(path) >= sizeof(at->sun_path))
		fail("socket");
	(void)strcpy(at->sun_path, path);
	return fd;
}

/* ---- the service ---- */

enum phase { HEAD, ECHO, SEND }; /* what a connection is at */

static char chunk[CHUNK];

/* False: the connection is over. */
static bool echo(int fd, enum phase *phase)
{
	ssize_t n = read(fd, chunk, sizeof(chunk));
	char *at = chunk;

	if (n > 0 && *phase == HEAD) {
		/* "SERVICE+ARGUMENT SOURCE\0", by itself or with more. */
		at = memchr(chunk, 0, (size_t)n);
		if (!at)
			return false;
		at++;
		n -= at - chunk;
		*phase = ECHO;
		if (n == 0)
			return true;
	}
	if (n > 0 && *at == 's')
		*phase = SEND;
	return n > 0 && write(fd, at, (size_t)n) == n;
}

static bool flood(int fd)
{
	while (send(fd, chunk, sizeof(chunk), MSG_DONTWAIT) > 0)
		;
	return errno == EAGAIN;
}

static void attend(int poller, int fd, enum phase *phase)
{
	struct epoll_event e = {.events = EPOLLOUT, .data.fd = fd};
	enum phase before = *phase;
	bool goes_on = before == SEND ? flood(fd) : echo(fd, phase);

	if (!goes_on)
		close(fd);
	else if (*phase == SEND && before != SEND &&
	         epoll_ctl(poller, EPOLL_CTL_MOD, fd, &e) < 0)
		fail("epoll_ctl");
}

static void welcome(int poller, int door, enum phase phases[PEERS])
{
	int fd = accept(door, NULL, NULL);
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (fd < 0 || fd >= PEERS ||
	    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) < 0)
		fail("accept");
	phases[fd] = HEAD;
}

static int serve(const char *path)
{
	static enum phase phases[PEERS];
	struct sockaddr_un at;
	int door = make_socket(path, &at);
	int poller = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN, .data.fd = door};

	(void)signal(SIGPIPE, SIG_IGN);
	(void)unlink(path);
	raise_limit(PEERS);
	if (bind(door, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(door, 1024) < 0 || poller < 0 ||
	    epoll_ctl(poller, EPOLL_CTL_ADD, door, &e) < 0)
		fail(path);
	puts("ready");
	(void)fflush(stdout);
	for (;;) {
		if (epoll_wait(poller, &e, 1, -1) != 1)
			fail("epoll_wait");
		if (e.data.fd == door)
			welcome(poller, door, phases);
		else
			attend(poller, e.data.fd, &phases[e.data.fd]);
	}
}

/* ---- the caller ---- */

static void put_le32(uint8_t *to, size_t v)
{
	for (size_t i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

/* Early: the streams need not wait until it is decided about them. */
static int ask(const char *target, const char *service, bool early)
{
	uint8_t wire[512] = {0};
	struct sockaddr_un at;
	size_t size = AGENT_HEADER_SIZE + AGENT_NAME_SIZE + AGENT_IDENT_SIZE +
	              strlen(service) + 1;
	int fd = make_socket(AGENT_SOCKET, &at);

	if (size > sizeof(wire) || strlen(target) >= AGENT_NAME_SIZE ||
	    connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		fail(AGENT_SOCKET);
	put_le32(wire, AGENT_TRIGGER3 | (early ? AGENT_EARLY : 0));
	put_le32(wire + 4, size - AGENT_HEADER_SIZE);
	(void)strcpy((char *)wire + AGENT_HEADER_SIZE, target);
	(void)strcpy((char *)wire + AGENT_HEADER_SIZE + AGENT_NAME_SIZE, "b");
	(void)strcpy((char *)wire + AGENT_HEADER_SIZE + AGENT_NAME_SIZE +
	                     AGENT_IDENT_SIZE,
	             service);
	if (write(fd, wire, size) != (ssize_t)size)
		fail("ask");
	return fd;
}

static void answer(int fd, int streams[AGENT_STREAMS])
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * AGENT_STREAMS)];
	} rights;
	uint8_t wire[AGENT_ANSWER_SIZE];
	struct iovec iov = {wire, sizeof(wire)};
	struct msghdr m = {.msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = rights.room,
	                   .msg_controllen = sizeof(rights.room)};

	if (recvmsg(fd, &m, 0) != sizeof(wire) || m.msg_controllen == 0)
		fail("answer");
	memcpy(streams, CMSG_DATA(&rights.head), sizeof(int) * AGENT_STREAMS);
}

static void end(int streams[AGENT_STREAMS])
{
	for (int i = 0; i < (int)AGENT_STREAMS; i++)
		close(streams[i]);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct subject {
	const char *target, *service;
	const char *say;  /* is sent first */
	useconds_t pause; /* behind each call */
};

/* The median of `count` calls until the first byte. */
static int measure(size_t count, const struct subject *s)
{
	double *us = calloc(count, sizeof(*us));

	if (!us)
		fail("memory");
	for (size_t i = 0; i < count; i++) {
		int streams[AGENT_STREAMS];
		double from = now_us();
		int asked = ask(s->target, s->service, true);
		char byte;

		answer(asked, streams);
		if (*s->say && write(streams[AGENT_IN], s->say, 1) != 1)
			fail("write");
		if (read(streams[AGENT_OUT], &byte, 1) != 1)
			fail("read");
		us[i] = now_us() - from;
		end(streams);
		close(asked);
		usleep(s->pause);
	}
	qsort(us, count, sizeof(*us), by_size);
	printf("%.0f\n", us[count / 2]);
	free(us);
	return 0;
}

static int stream(double bytes, const char *service)
{
	static char got[1 << 20];
	int streams[AGENT_STREAMS];
	double done = 0, from;

	answer(ask(TARGET, service, false), streams);
	if (write(streams[AGENT_IN], "s", 1) != 1)
		fail("write");
	from = now_us();
	while (done < bytes) {
		ssize_t n = read(streams[AGENT_OUT], got, sizeof(got));

		if (n <= 0)
			fail("read");
		done += (double)n;
	}
	printf("%.2f\n", done / (now_us() - from) / 1e3);
	end(streams);
	return 0;
}

static int at_once(size_t count, const char *service)
{
	int(*streams)[AGENT_STREAMS] = calloc(count, sizeof(*streams));
	int *asked = calloc(count, sizeof(*asked));
	double from = now_us();
	char byte;

	raise_limit(count * 5 + 64);
	if (!streams || !asked)
		fail("memory");
	for (size_t i = 0; i < count; i++)
		asked[i] = ask(TARGET, service, false);
	for (size_t i = 0; i < count; i++) {
		answer(asked[i], streams[i]);
		close(asked[i]);
		if (write(streams[i][AGENT_IN], "x", 1) != 1)
			fail("write");
	}
	for (size_t i = 0; i < count; i++)
		if (read(streams[i][AGENT_OUT], &byte, 1) != 1)
			fail("read");
	printf("%.0f\n", now_us() - from);
	for (size_t i = 0; i < count; i++)
		end(streams[i]);
	free(streams);
	free(asked);
	return 0;
}

/* In a new disposable of a template. */
static int measure_new(size_t count, const char *service, const char *template)
{
	char target[AGENT_NAME_SIZE];
	const struct subject s = {target, service, "", PAUSE};

	(void)snprintf(target, sizeof(target), "@dispvm:%s", template);
	return measure(count, &s);
}

static int await(size_t count, const char *service)
{
	int *asked = calloc(count, sizeof(*asked));
	size_t answered = 0;

	raise_limit(count + 64);
	if (!asked)
		fail("memory");
	for (size_t i = 0; i < count; i++)
		asked[i] = ask(TARGET, service, false);
	puts("asked");
	(void)fflush(stdout);
	for (size_t i = 0; i < count; i++) {
		uint8_t wire[AGENT_ANSWER_SIZE];

		answered += recv(asked[i], wire, sizeof(wire), MSG_WAITALL) ==
		            sizeof(wire);
		close(asked[i]);
	}
	printf("%zu\n", answered);
	free(asked);
	return 0;
}

int main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";
	struct subject s = {TARGET, argc > 3 ? argv[3] : "", "", 0};

	if (argc == 3 && strcmp(what, "serve") == 0)
		return serve(argv[2]);
	if (argc == 4 && strcmp(what, "round") == 0)
		s.say = "x";
	if (argc == 4 &&
	    (strcmp(what, "round") == 0 || strcmp(what, "first") == 0))
		return measure(strtoul(argv[2], NULL, 10), &s);
	if (argc == 5 && strcmp(what, "new") == 0)
		return measure_new(strtoul(argv[2], NULL, 10), argv[3],
		                   argv[4]);
	if (argc == 4 && strcmp(what, "stream") == 0)
		return stream(strtod(argv[2], NULL), argv[3]);
	if (argc == 4 && strcmp(what, "at-once") == 0)
		return at_once(strtoul(argv[2], NULL, 10), argv[3]);
	if (argc == 4 && strcmp(what, "wait") == 0)
		return await(strtoul(argv[2], NULL, 10), argv[3]);
	(void)fprintf(stderr, "see the beginning of bench/callbench.c\n");
	return 2;
}
