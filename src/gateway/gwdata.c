/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gwdata.h"

#include <sys/socket.h>

#include "base/visible.h"

/* What a pipe takes without waiting once poll(2) says that it takes some. */
#define PIECE 4096u

void gwdata_init(struct gwdata *d, enum gwdata_role role,
                 const int streams[GWDATA_STREAMS])
{
	bool server = role == GWDATA_SERVER;

	*d = (struct gwdata){
		.role = role,
		.link = {.fd = -1, .at = GWPOLL_NONE},
		.status = streams[GWDATA_STATUS],
		.status_at = GWPOLL_NONE,
	};
	for (size_t i = 0; i < 2; i++) {
		d->from[i] = (struct gwdata_from){.fd = -1, .at = GWPOLL_NONE};
		d->to[i] = (struct gwdata_to){
			.fd = -1, .ended = true, .at = GWPOLL_NONE};
	}
	if (server) {
		d->to[0].fd = streams[GWDATA_IN];
		d->to[0].type = QRMSG_DATA_STDIN;
		d->to[0].ended = false;
		d->from[0].fd = streams[GWDATA_OUT];
		d->from[0].type = QRMSG_DATA_STDOUT;
		d->from[1].fd = streams[GWDATA_ERRORS];
		d->from[1].type = QRMSG_DATA_STDERR;
		return;
	}
	d->from[0].fd = streams[GWDATA_IN];
	d->from[0].type = QRMSG_DATA_STDIN;
	for (size_t i = 0; i < 2; i++) {
		d->to[i].fd = streams[GWDATA_OUT + i];
		d->to[i].type = QRMSG_DATA_STDOUT + (uint32_t)i;
		d->to[i].ended = false;
	}
}

static void let_go(int *fd)
{
	base_close(fd);
	*fd = -1;
}

void gwdata_fini(struct gwdata *d)
{
	for (size_t i = 0; i < 2; i++) {
		let_go(&d->from[i].fd);
		let_go(&d->to[i].fd);
		buffer_fini(&d->to[i].waiting);
	}
	let_go(&d->status);
	gwlink_fini(&d->link);
}

void gwdata_set_code(struct gwdata *d, uint32_t code)
{
	for (unsigned i = 0; i < 4; i++)
		d->code[i] = (uint8_t)(code >> 8 * i);
	d->code_size = 4;
}

uint32_t gwdata_code(const struct gwdata *d)
{
	struct reader r = {.rest = {d->code, 4}};

	return d->code_size == 4 ? rd_le32(&r) : QRMSG_PROBLEM;
}

void gwdata_attach(struct gwdata *d, int fd)
{
	gwlink_init(&d->link, fd);
}

void gwdata_poll(struct gwdata *d, struct gwpoll *p)
{
	bool room = gwlink_room(&d->link);
	bool waiting = false;

	if (d->link.fd < 0)
		return;
	for (size_t i = 0; i < 2; i++) {
		struct gwdata_to *t = &d->to[i];

		d->from[i].at = room ? gwpoll_add(p, d->from[i].fd, POLLIN)
		                     : GWPOLL_NONE;
		t->at = t->waiting.size > 0 ? gwpoll_add(p, t->fd, POLLOUT)
		                            : GWPOLL_NONE;
		waiting = waiting || t->waiting.size > 0;
	}
	d->status_at = GWPOLL_NONE;
	if (d->role == GWDATA_SERVER && d->code_size < 4)
		d->status_at = gwpoll_add(p, d->status, POLLIN);
	gwlink_poll(&d->link, p, !waiting);
}

/* One read of a local stream becomes one message. */
static void read_local(struct gwdata *d, struct gwdata_from *s)
{
	size_t size = qrmsg_chunk(d->link.version);
	struct buffer *out = &d->link.out;
	uint8_t *to = buffer_reserve(out, QRMSG_HEADER_SIZE + size);
	ssize_t n;

	if (!to) {
		d->over = true;
		return;
	}
	n = read(s->fd, to + QRMSG_HEADER_SIZE, size);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		n = 0;
		let_go(&s->fd);
	}
	qrmsg_header_write((struct qrmsg_header){s->type, (uint32_t)n}, to);
	out->size += QRMSG_HEADER_SIZE + (size_t)n;
}

/* What came for a local stream goes on as far as that takes it. */
static void write_local(struct gwdata *d, struct gwdata_to *t)
{
	struct buffer *b = &t->waiting;
	ssize_t n = send(t->fd, b->at, b->size, MSG_DONTWAIT | MSG_NOSIGNAL);
	bool sock = n >= 0 || errno != ENOTSOCK;

	if (!sock)
		n = write(t->fd, b->at, MIN(b->size, (size_t)PIECE));
	if (n > 0)
		buffer_drop(b, (size_t)n);
	else if (n < 0 && errno != EINTR && errno != EAGAIN) {
		/* Nobody reads it. A service, and a local program, may do
		 * without and still have an end; a caller whose own output has
		 * gone wants nothing more. */
		let_go(&t->fd);
		buffer_clear(b);
		d->over = d->over || (d->role == GWDATA_CALLER && !sock);
	}
}

static void read_status(struct gwdata *d)
{
	ssize_t n = read(d->status, d->code + d->code_size, 4 - d->code_size);

	if (n > 0)
		d->code_size += (size_t)n;
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		gwdata_set_code(d, QRMSG_PROBLEM);
}

static void write_status(struct gwdata *d)
{
	if (d->status >= 0)
		(void)!send(d->status, d->code, sizeof(d->code),
		            MSG_DONTWAIT | MSG_NOSIGNAL);
	let_go(&d->status);
}

static int take_data(struct gwdata *d, uint32_t type, struct span body)
{
	for (size_t i = 0; i < 2; i++) {
		struct gwdata_to *t = &d->to[i];

		if (t->type != type)
			continue;
		if (t->ended)
			return -EPROTO;
		t->ended = body.size == 0;
		if (t->fd < 0)
			return 0;
		buffer_put(&t->waiting, body.at, body.size);
		if (t->filter && !t->waiting.bad)
			visible_filter(t->waiting.at + t->waiting.size -
			                       body.size,
			               body.size);
		return t->waiting.bad ? -ENOMEM : 0;
	}
	return -EPROTO;
}

static int take(struct gwdata *d, const struct qrmsg_header *h,
                struct span body)
{
	uint32_t code;

	if (h->type != QRMSG_DATA_EXIT_CODE)
		return take_data(d, h->type, body);
	if (d->role != GWDATA_CALLER || d->code_size == 4 ||
	    qrmsg_number_read(body, &code) < 0)
		return -EPROTO;
	gwdata_set_code(d, code);
	return 0;
}

/* Whole messages, as long as what they bring has gone on. */
static int take_all(struct gwdata *d)
{
	struct qrmsg_header h;
	struct span body;
	int got = 0;

	while (d->to[0].waiting.size == 0 && d->to[1].waiting.size == 0 &&
	       (got = gwlink_next(&d->link, &h, &body)) > 0) {
		got = take(d, &h, body);
		if (got < 0)
			return got;
		gwlink_taken(&d->link, &h);
	}
	return got;
}

/* Streams that are through are closed; what has ended is told. */
static void settle(struct gwdata *d)
{
	bool drained = d->to[0].waiting.size == 0 && d->to[1].waiting.size == 0;

	for (size_t i = 0; i < 2; i++)
		if (d->to[i].ended && d->to[i].waiting.size == 0)
			let_go(&d->to[i].fd);
	if (d->role == GWDATA_CALLER) {
		if (d->code_size == 4 && drained) {
			write_status(d);
			d->over = true;
		}
		return;
	}
	if (d->from[0].fd < 0 && d->from[1].fd < 0 && d->code_size == 4 &&
	    !d->code_sent && d->link.version > 0) {
		qrmsg_put_number(&d->link.out, QRMSG_DATA_EXIT_CODE,
		                 gwdata_code(d));
		d->code_sent = true;
	}
	if (d->code_sent && d->link.out.size == 0)
		d->over = true;
}

void gwdata_step(struct gwdata *d, const struct gwpoll *p)
{
	int err;

	if (d->link.fd < 0)
		return;
	for (size_t i = 0; i < 2; i++) {
		if (gwpoll_got(p, d->to[i].at))
			write_local(d, &d->to[i]);
		if (gwpoll_got(p, d->from[i].at))
			read_local(d, &d->from[i]);
	}
	if (gwpoll_got(p, d->status_at))
		read_status(d);
	err = gwlink_step(&d->link, p);
	if (err == 0)
		err = take_all(d);
	settle(d);
	d->over = d->over || err < 0;
}
