/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gwlink.h"

#include <sys/socket.h>

#define WHOLE_MAX (QRMSG_HEADER_SIZE + QRMSG_BODY_MAX)

void gwlink_init(struct gwlink *l, int fd)
{
	*l = (struct gwlink){.fd = fd, .at = GWPOLL_NONE};
	qrmsg_put_number(&l->out, QRMSG_HELLO, QRMSG_VERSION);
}

void gwlink_fini(struct gwlink *l)
{
	base_close(&l->fd);
	buffer_fini(&l->in);
	buffer_fini(&l->out);
}

void gwlink_poll(struct gwlink *l, struct gwpoll *p, bool read)
{
	short events = 0;

	if (read && !l->ended && l->in.size < WHOLE_MAX)
		events = POLLIN;
	if (l->out.size > 0)
		events |= POLLOUT;
	l->at = events ? gwpoll_add(p, l->fd, events) : GWPOLL_NONE;
}

/* One read, at most what makes a whole message. */
static int pull(struct gwlink *l)
{
	size_t room = WHOLE_MAX - l->in.size;
	uint8_t *to = buffer_reserve(&l->in, room);
	ssize_t n;

	if (!to)
		return -ENOMEM;
	n = recv(l->fd, to, room, MSG_DONTWAIT);
	if (n > 0)
		l->in.size += (size_t)n;
	else if (n == 0 || errno == ECONNRESET)
		l->ended = true;
	else if (errno != EAGAIN && errno != EINTR)
		return -errno;
	return 0;
}

static int push(struct gwlink *l)
{
	ssize_t n;

	if (l->out.bad)
		return -ENOMEM;
	if (l->out.size == 0)
		return 0;
	n = send(l->fd, l->out.at, l->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		buffer_drop(&l->out, (size_t)n);
	else if (n < 0 && errno == EPIPE)
		/* What has come is still to be read. */
		buffer_clear(&l->out);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	return 0;
}

int gwlink_step(struct gwlink *l, const struct gwpoll *p)
{
	short got = gwpoll_got(p, l->at);
	int err = 0;

	l->at = GWPOLL_NONE;
	if (got & (POLLIN | POLLHUP | POLLERR) && l->in.size < WHOLE_MAX &&
	    !l->ended)
		err = pull(l);
	return err < 0 ? err : push(l);
}

static int take_hello(struct gwlink *l, const struct qrmsg_header *h,
                      struct span body)
{
	uint32_t theirs;
	int version;

	if (h->type != QRMSG_HELLO || qrmsg_number_read(body, &theirs) < 0)
		return -EPROTO;
	version = qrmsg_version(theirs);
	if (version < 0)
		return -EPROTO;
	l->version = (uint32_t)version;
	gwlink_taken(l, h);
	return 0;
}

int gwlink_next(struct gwlink *l, struct qrmsg_header *h, struct span *body)
{
	int err;

	while (l->in.size >= QRMSG_HEADER_SIZE) {
		err = qrmsg_header_read(l->in.at, h);
		if (err < 0)
			return err;
		if (h->size > l->in.size - QRMSG_HEADER_SIZE)
			break;
		*body = (struct span){l->in.at + QRMSG_HEADER_SIZE, h->size};
		if (l->version > 0)
			return h->type == QRMSG_HELLO ? -EPROTO : 1;
		err = take_hello(l, h, *body);
		if (err < 0)
			return err;
	}
	return l->ended ? -ECONNRESET : 0;
}

void gwlink_taken(struct gwlink *l, const struct qrmsg_header *h)
{
	buffer_drop(&l->in, QRMSG_HEADER_SIZE + h->size);
}

bool gwlink_room(const struct gwlink *l)
{
	return l->version > 0 && l->out.size < GWLINK_BEHIND_MAX;
}
