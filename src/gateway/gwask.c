/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gwask.h"

#include <sys/socket.h>

#include "admin/reply.h"
#include "admin/request.h"
#include "channel/callmsg.h"
#include "gateway/gwchan.h"
#include "qrexec/qrname.h"

static_assert((int)GWDATA_IN == (int)CALLMSG_IN &&
                      (int)GWDATA_OUT == (int)CALLMSG_OUT &&
                      (int)GWDATA_ERRORS == (int)CALLMSG_ERRORS &&
                      (int)GWDATA_STATUS == (int)CALLMSG_STATUS &&
                      (int)GWDATA_STREAMS == (int)CALLMSG_STREAMS,
              "streams of calls are those of data channels");

static int begin(struct gwask *a, const char *path, bool half)
{
	a->half = half;
	if (a->out.bad)
		return -ENOMEM;
	a->fd = gwchan_reach(path);
	return a->fd < 0 ? a->fd : 0;
}

static void put(struct buffer *b, const char *key, struct span value)
{
	buffer_text(b, key);
	buffer_put(b, value.at, value.size);
	buffer_text(b, "\n");
}

/* The target as bento.Call has it, of a name or a word of policy's. */
static void name_target(struct span qube, struct request *r)
{
	static const char disposable[] = "@dispvm";
	size_t len = strlen(disposable);

	r->target = span_is(qube, "@adminvm") ? span_str("dom0") : qube;
	if (qube.size < len || memcmp(qube.at, disposable, len) != 0)
		return;
	r->argument = span_str("dispvm");
	r->target = qube.size > len + 1 ? span_from(qube, len + 1)
	                                : span_str("dom0");
}

int gwask_call(struct gwask *a, const char *path, const struct gwask_call *c)
{
	struct request r = {
		.method = span_str("bento.Call"),
		.source = span_str("dom0"),
	};
	autobuffer struct buffer payload = {0};

	*a = (struct gwask){.fd = -1, .packed = -1, .at = GWPOLL_NONE};
	put(&payload, "service=", c->service);
	if (c->user.size > 0 && !span_is(c->user, "DEFAULT"))
		put(&payload, "user=", c->user);
	put(&payload, "source=", c->source);
	if (payload.bad)
		return -ENOMEM;
	r.payload = buffer_span(&payload);
	name_target(c->qube, &r);
	request_format(&a->out, &r);
	return begin(a, path, true);
}

int gwask_policy(struct gwask *a, const char *path, uint32_t domain,
                 struct span source, const struct qrmsg_trigger *t)
{
	*a = (struct gwask){.fd = -1, .packed = -1, .at = GWPOLL_NONE};
	buffer_printf(&a->out, "domain_id=%u\n", domain);
	put(&a->out, "source=", source);
	put(&a->out, "intended_target=", t->target);
	put(&a->out, "service_and_arg=", t->service);
	put(&a->out, "process_ident=", t->ident);
	if (t->source.size > 0)
		put(&a->out, "requested_source=", t->source);
	buffer_text(&a->out, "\n");
	return begin(a, path, false);
}

void gwask_poll(struct gwask *a, struct gwpoll *p)
{
	a->at = gwpoll_add(p, a->fd,
	                   a->out.size > 0 ? POLLIN | POLLOUT : POLLIN);
}

/* A descriptor that came along; of several, the first. */
static void take_packed(struct gwask *a, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		int fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		if (a->packed >= 0)
			close(fd);
		else
			a->packed = fd;
	}
}

/* 1: there may be more; 0: that was all; -EAGAIN, or another errno. */
static int pull(struct gwask *a)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	uint8_t *to = buffer_reserve(&a->in, 4096);
	struct iovec iov = {to, 4096};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	m.msg_control = control.bytes;
	m.msg_controllen = sizeof(control.bytes);
	if (!to)
		return -ENOMEM;
	n = recvmsg(a->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	take_packed(a, &m);
	a->in.size += (size_t)n;
	if (a->in.size > GWASK_ANSWER_MAX)
		return -EPROTO;
	return n > 0;
}

int gwask_step(struct gwask *a, const struct gwpoll *p)
{
	short got = gwpoll_got(p, a->at);
	ssize_t n;
	int err;

	if (got & POLLOUT && a->out.size > 0) {
		n = send(a->fd, a->out.at, a->out.size,
		         MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		buffer_drop(&a->out, n > 0 ? (size_t)n : 0);
		if (a->out.size == 0 && a->half)
			(void)shutdown(a->fd, SHUT_WR);
	}
	if (!(got & (POLLIN | POLLHUP | POLLERR)))
		return -EAGAIN;
	err = pull(a);
	return err > 0 ? -EAGAIN : err;
}

int gwask_streams(struct gwask *a, int streams[GWDATA_STREAMS])
{
	struct control_fds fds = {0};
	struct control c;
	struct reply r;
	int err, got;

	if (reply_parse(buffer_span(&a->in), &r) < 0)
		return -EPROTO;
	if (r.kind != REPLY_OK || a->packed < 0)
		return -EACCES;
	got = control_receive(a->packed, CONTROL_CLIENT, &c, &fds);
	err = got == 1 && c.kind == CONTROL_allowed
	              ? callmsg_take_streams(&fds, 0, streams)
	              : -EPROTO;
	control_close(&fds);
	return err;
}

/* The value of a line KEY=VALUE as a text of its own; "" without one. */
static int line(struct span answer, const char *key, char *to, size_t room)
{
	size_t len = strlen(key);

	to[0] = '\0';
	while (answer.size > 0) {
		const uint8_t *end = memchr(answer.at, '\n', answer.size);
		size_t size = end ? (size_t)(end - answer.at) : answer.size;

		if (size >= len && memcmp(answer.at, key, len) == 0) {
			if (size - len >= room)
				return -EPROTO;
			memcpy(to, answer.at + len, size - len);
			to[size - len] = '\0';
			return 0;
		}
		answer = span_from(answer, end ? size + 1 : size);
	}
	return 0;
}

int gwask_read_verdict(const struct gwask *a, struct gwask_verdict *out)
{
	struct span answer = buffer_span(&a->in);
	struct gwask_verdict v = {0};
	char result[8];

	if (line(answer, "result=", result, sizeof(result)) < 0 ||
	    line(answer, "target=", v.target, sizeof(v.target)) < 0 ||
	    line(answer, "user=", v.user, sizeof(v.user)) < 0 ||
	    strcmp(result, "allow") != 0 || !*v.target)
		return -EACCES;
	*out = v;
	return 0;
}

void gwask_fini(struct gwask *a)
{
	base_close(&a->fd);
	base_close(&a->packed);
	a->fd = a->packed = -1;
	buffer_fini(&a->in);
	buffer_fini(&a->out);
}
