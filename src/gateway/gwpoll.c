/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gwpoll.h"

void gwpoll_begin(struct gwpoll *p)
{
	p->count = 0;
	p->timeout_ms = -1;
}

size_t gwpoll_add(struct gwpoll *p, int fd, short events)
{
	if (fd < 0 || p->count == GWPOLL_MAX)
		return GWPOLL_NONE;
	p->fds[p->count] = (struct pollfd){.fd = fd, .events = events};
	return p->count++;
}

void gwpoll_timeout(struct gwpoll *p, int ms)
{
	if (p->timeout_ms < 0 || ms < p->timeout_ms)
		p->timeout_ms = ms;
}

int gwpoll_wait(struct gwpoll *p)
{
	while (poll(p->fds, p->count, p->timeout_ms) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

short gwpoll_got(const struct gwpoll *p, size_t at)
{
	return at < p->count ? p->fds[at].revents : 0;
}
