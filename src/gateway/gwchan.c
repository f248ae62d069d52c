/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gwchan.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define BACKLOG 64

static int64_t now_ms(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void name_it(struct gwchan *c, const struct gwchan_ends *e,
                    bool for_ever)
{
	*c = (struct gwchan){.listener = -1, .at = GWPOLL_NONE};
	(void)snprintf(c->name, sizeof(c->name), "vchan.%u.%u.%u.sock",
	               e->server, e->client, e->port);
	c->until_ms = for_ever ? INT64_MAX : now_ms() + GWCHAN_WAIT_MS;
}

static bool address(const char *path, struct sockaddr_un *at)
{
	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(at->sun_path))
		return false;
	memcpy(at->sun_path, path, strlen(path));
	return true;
}

/* Is it one of ours, or root? */
static bool trusted(int sock)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
	       (who.uid == 0 || who.uid == getuid());
}

int gwchan_bind(const char *name, struct fault *f)
{
	struct sockaddr_un at;
	autoclose int sock = -1;

	if (!address(name, &at))
		return fault_set(f, -ENAMETOOLONG, "%s: too long", name);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return fault_errno(f, "make a socket");
	/* One that another program left behind is in nobody's way. */
	(void)unlink(name);
	if (bind(sock, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(sock, BACKLOG) < 0)
		return fault_errno(f, "listen on %s", name);
	return take_fd(&sock);
}

int gwchan_accept(int listener)
{
	autoclose int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (sock < 0)
		return errno == EMFILE || errno == ENFILE ? -errno : -EAGAIN;
	return trusted(sock) ? take_fd(&sock) : -EAGAIN;
}

int gwchan_reach(const char *path)
{
	struct sockaddr_un at;
	autoclose int sock = -1;

	if (!address(path, &at))
		return -ENAMETOOLONG;
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0 ||
	    connect(sock, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	return trusted(sock) ? take_fd(&sock) : -EPERM;
}

int gwchan_listen(struct gwchan *c, const struct gwchan_ends *e, bool for_ever,
                  struct fault *f)
{
	name_it(c, e, for_ever);
	c->listener = gwchan_bind(c->name, f);
	return c->listener < 0 ? c->listener : 0;
}

void gwchan_connect(struct gwchan *c, const struct gwchan_ends *e,
                    bool for_ever)
{
	name_it(c, e, for_ever);
}

void gwchan_fini(struct gwchan *c)
{
	if (c->listener >= 0)
		(void)unlink(c->name);
	base_close(&c->listener);
}

void gwchan_poll(struct gwchan *c, struct gwpoll *p)
{
	c->at = GWPOLL_NONE;
	if (c->listener >= 0)
		c->at = gwpoll_add(p, c->listener, POLLIN);
	if (c->listener < 0)
		gwpoll_timeout(p, GWCHAN_RETRY_MS);
	else if (c->until_ms != INT64_MAX)
		gwpoll_timeout(p, GWCHAN_WAIT_MS);
}

int gwchan_step(struct gwchan *c, const struct gwpoll *p)
{
	int got = -EAGAIN;

	if (c->listener < 0)
		got = gwchan_reach(c->name);
	else if (gwpoll_got(p, c->at))
		got = gwchan_accept(c->listener);
	if (got >= 0 || got == -EPERM || got == -EMFILE || got == -ENFILE)
		return got;
	return now_ms() < c->until_ms ? -EAGAIN : -ETIMEDOUT;
}
