/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/relay.h"

#include <string.h>

#include "base/visible.h"

void relay_init(struct relay *r, int from, int to)
{
	r->from = from;
	r->to = to;
	r->lines = false;
	r->visible = false;
	r->leaves = false;
	r->left = false;
	r->start = 0;
	r->size = 0;
}

void relay_want(const struct relay *r, struct pollfd want[2])
{
	bool full = r->size > 0;

	want[0] = (struct pollfd){
		.fd = full || r->to < 0 ? -1 : r->from,
		.events = POLLIN,
	};
	want[1] = (struct pollfd){
		.fd = full ? r->to : -1,
		.events = POLLOUT,
	};
}

/* From the front half of `data` into all of it. */
static size_t end_lines(struct relay *r, size_t size)
{
	size_t more = 0;

	for (size_t i = 0; i < size; i++)
		more += r->data[i] == '\n';
	for (size_t i = size, to = size + more; i-- > 0;) {
		r->data[--to] = r->data[i];
		if (r->data[i] == '\n')
			r->data[--to] = '\r';
	}
	return size + more;
}

/* What was typed before that still goes. */
static void look_for_leave(struct relay *r)
{
	const uint8_t *at = memchr(r->data, RELAY_LEAVE, r->size);

	if (!at)
		return;
	r->size = (size_t)(at - r->data);
	r->from = -1;
	r->left = true;
}

static void drain(struct relay *r)
{
	ssize_t n = write(r->to, r->data + r->start, r->size);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		r->to = -1;
		r->size = 0;
		return;
	}
	r->start += (size_t)n;
	r->size -= (size_t)n;
}

void relay_move(struct relay *r, const struct pollfd ready[2])
{
	if (ready[0].fd >= 0 && ready[0].revents && r->size == 0) {
		size_t room = sizeof(r->data) / (r->lines ? 2 : 1);
		ssize_t n = read(r->from, r->data, room);

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			r->from = -1;
		} else if (n > 0) {
			r->start = 0;
			r->size = (size_t)n;
			if (r->leaves)
				look_for_leave(r);
			if (r->visible)
				visible_filter(r->data, r->size);
			if (r->lines)
				r->size = end_lines(r, r->size);
			drain(r);
		}
	} else if (ready[1].fd >= 0 && ready[1].revents) {
		drain(r);
	}
}
