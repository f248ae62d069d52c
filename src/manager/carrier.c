/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/carrier.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/hostcalls.h"
#include "channel/callmsg.h"

#include "base/hostcalls_words.h"
static const struct hostcalls_row rows[] = {
#include "manager/carrier.def"
};

/* One direction. */
struct way {
	int from, to;
	bool over;
	size_t at, size; /* what is not sent yet */
	uint8_t bytes[CARRIER_HEAD_MAX];
};

/* A socket whose connect(2) waits no longer than that. */
static int patient_socket(int family, unsigned patience_ms)
{
	const struct timeval patience = {
		.tv_sec = patience_ms / 1000,
		.tv_usec = (suseconds_t)(patience_ms % 1000) * 1000,
	};
	autoclose int s = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert(patience_ms > 0);
	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience,
	                        sizeof(patience)) < 0)
		return -errno;
	return take_fd(&s);
}

/* A path may be longer than the name of a socket: that is of a descriptor. */
static int connect_unix(const char *path, unsigned patience_ms)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	autoclose int at = open(path, O_PATH | O_CLOEXEC);
	autoclose int s = patient_socket(AF_UNIX, patience_ms);

	(void)snprintf(name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d",
	               at);
	if (at < 0 || s < 0 ||
	    connect(s, (const struct sockaddr *)&name, sizeof(name)) < 0)
		return -errno;
	return take_fd(&s);
}

static int connect_tcp(const struct service_tcp *tcp, unsigned patience_ms)
{
	struct sockaddr_in four_name = {
		.sin_family = AF_INET,
		.sin_port = htons(tcp->port),
	};
	struct sockaddr_in6 six_name = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(tcp->port),
	};
	bool four = inet_pton(AF_INET, tcp->host, &four_name.sin_addr) == 1;
	autoclose int s = patient_socket(four ? AF_INET : AF_INET6,
	                                 patience_ms);

	if (!four && inet_pton(AF_INET6, tcp->host, &six_name.sin6_addr) != 1)
		return -EINVAL;
	if (s < 0 || connect(s,
	                     four ? (const struct sockaddr *)&four_name
	                          : (const struct sockaddr *)&six_name,
	                     four ? sizeof(four_name) : sizeof(six_name)) < 0)
		return -errno;
	return take_fd(&s);
}

/* The receiver hears no more, and the sender is not heard. */
static void end(struct way *w)
{
	w->over = true;
	(void)shutdown(w->from, SHUT_RD);
	(void)shutdown(w->to, SHUT_WR);
}

static void receive(struct way *w)
{
	ssize_t n = recv(w->from, w->bytes, sizeof(w->bytes), MSG_DONTWAIT);

	w->at = 0;
	w->size = n > 0 ? (size_t)n : 0;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		end(w);
}

static void pass_on(struct way *w)
{
	ssize_t n = send(w->to, w->bytes + w->at, w->size - w->at,
	                 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n >= 0)
		w->at += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		end(w);
}

/* Only what it waits for is looked at, and whether its receiver has gone. */
static void look(const struct way *w, struct pollfd p[2])
{
	bool full = w->at < w->size;

	p[0] = (struct pollfd){.fd = w->over || full ? -1 : w->from,
	                       .events = POLLIN};
	p[1] = (struct pollfd){.fd = w->over ? -1 : w->to,
	                       .events = full ? POLLOUT : 0};
}

static void carry(struct way *w, const struct pollfd p[2])
{
	if (!w->over && p[0].revents)
		receive(w);
	if (!w->over && w->at < w->size)
		pass_on(w);
	else if (!w->over && (p[1].revents & (POLLERR | POLLHUP)))
		end(w);
}

/* 0 once both are over, or the one that the service's configuration says. */
static uint32_t both_ways(const struct carrier *c, struct way way[2])
{
	struct pollfd p[4];

	while (!(way[0].over && way[1].over)) {
		look(&way[0], p);
		look(&way[1], p + 2);
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return CALLMSG_EXIT_PROBLEM;
		carry(&way[0], p);
		carry(&way[1], p + 2);
		if ((way[0].over && c->config.exit_on_client_eof) ||
		    (way[1].over && c->config.exit_on_service_eof))
			break;
	}
	return 0;
}

_Noreturn void carrier_become(const struct carrier *c, int in, int out)
{
	int s = *c->path ? connect_unix(c->path, c->patience_ms)
	                 : connect_tcp(&c->tcp, c->patience_ms);
	struct way *way = calloc(2, sizeof(*way));

	assert(c->head.size <= CARRIER_HEAD_MAX);
	if (!way)
		_exit(CALLMSG_EXIT_PROBLEM);
	way[0].from = in;
	way[0].to = way[1].from = s;
	way[1].to = out;
	way[0].size = c->head.size;
	if (c->head.size > 0)
		memcpy(way[0].bytes, c->head.at, c->head.size);
	if (s < 0 || hostcalls_enter(rows, ARRAY_LEN(rows)) < 0)
		_exit(CALLMSG_EXIT_PROBLEM);
	_exit((int)both_ways(c, way));
}
