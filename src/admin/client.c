/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/client.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "admin/launcher.h"
#include "admin/request.h"
#include "base/rights.h"

#define ANSWER_MAX ((size_t)64 << 20)

/* A connected socket, or a negative errno without a sentence. */
static int try_connect(int runtime)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	autoclose int sock = -1;

	/* By the held folder: whatever its path is, and however long. */
	(void)snprintf(name.sun_path, sizeof(name.sun_path),
	               "/proc/self/fd/%d/manager.sock", runtime);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	if (connect(sock, (const struct sockaddr *)&name, sizeof(name)) < 0)
		return -errno;
	return take_fd(&sock);
}

static bool is_absent(int err)
{
	return err == -ENOENT || err == -ECONNREFUSED;
}

int client_connect_running(const struct paths *p, struct fault *f)
{
	autoclose int runtime = paths_open(p, PATHS_RUNTIME, f);
	int sock;

	if (runtime < 0)
		return runtime;
	sock = try_connect(runtime);
	if (is_absent(sock))
		return fault_set(f, -ESRCH, "the manager does not run");
	if (sock < 0)
		return fault_set(f, sock, "connect to %s/manager.sock: %s",
		                 p->at[PATHS_RUNTIME], strerror(-sock));
	return sock;
}

int client_connect(const struct paths *p, struct fault *f)
{
	autoclose int runtime = paths_open(p, PATHS_RUNTIME, f);
	int sock, err;

	if (runtime < 0)
		return runtime;
	sock = try_connect(runtime);
	if (is_absent(sock)) {
		err = launcher_start(p, f);
		if (err < 0)
			return err;
		sock = try_connect(runtime);
	}
	if (sock < 0)
		return fault_set(f, sock, "connect to %s/manager.sock: %s",
		                 p->at[PATHS_RUNTIME], strerror(-sock));
	return sock;
}

static int send_all(int sock, struct span s, struct fault *f)
{
	while (s.size > 0) {
		ssize_t n = send(sock, s.at, s.size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		/* It closed early, and may have said why. */
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (n < 0)
			return fault_errno(f, "send to the manager");
		s = span_from(s, (size_t)n);
	}
	return 0;
}

/* Connects and sends all of a request. */
static int send_request(const struct paths *p, const struct client_call *c,
                        struct fault *f)
{
	struct request r = {
		.method = span_str(c->method),
		.argument = span_str(c->argument ? c->argument : ""),
		.source = span_str("dom0"),
		.target = span_str(c->target ? c->target : "dom0"),
		.payload = c->payload,
	};
	autobuffer struct buffer b = {0};
	autoclose int sock = -1;
	struct request check;
	int err;

	request_format(&b, &r);
	if (b.bad)
		return fault_set(f, -ENOMEM, "out of memory");
	if (b.size > REQUEST_SIZE_MAX)
		return fault_set(f, -EMSGSIZE,
		                 "that is more than the %u bytes a request "
		                 "may have",
		                 REQUEST_SIZE_MAX);
	/* A blank in a name would make it another request. */
	err = request_parse(buffer_span(&b), &check);
	if (err < 0 || !span_eq(check.argument, r.argument) ||
	    !span_eq(check.target, r.target))
		return fault_set(f, -EINVAL,
		                 "'%s' cannot be a name: it has a blank or "
		                 "what is not ASCII, or is too long",
		                 c->argument && *c->argument ? c->argument
		                 : c->target                 ? c->target
		                                             : c->method);
	sock = client_connect(p, f);
	if (sock < 0)
		return sock;
	err = send_all(sock, buffer_span(&b), f);
	return err < 0 ? err : take_fd(&sock);
}

/*
 * Reads once, behind what is there.  1, 0 at the end, or a negative errno. A
 * descriptor that comes along goes to *fd if there is none yet.
 */
static int read_some(int sock, struct buffer *b, int *fd, struct fault *f)
{
	uint8_t *to = buffer_reserve(b, 16384);
	struct rights_got with;
	autoclose int got = -1;
	ssize_t n;

	if (!to)
		return fault_set(f, -ENOMEM, "out of memory");
	do
		n = rights_receive(sock, to, 16384, &got, 1, &with, 0);
	while (n == -EINTR);
	if (n == -ECONNRESET)
		return 0;
	if (n < 0)
		return fault_set(f, (int)n, "hear from the manager: %s",
		                 strerror((int)-n));
	if (fd && *fd < 0)
		*fd = take_fd(&got);
	b->size += (size_t)n;
	return n > 0;
}

static int judge(struct client_answer *a, struct fault *f)
{
	struct reply r;

	if (a->bytes.size == 0)
		return fault_set(f, -ECONNRESET,
		                 "the manager closed without an answer");
	if (reply_parse(buffer_span(&a->bytes), &r) < 0)
		return fault_set(f, -EPROTO,
		                 "the manager's answer makes no sense");
	if (r.kind == REPLY_EXCEPTION) {
		memcpy(a->type, r.type, sizeof(a->type));
		return fault_set(f, -EREMOTEIO, "%s", r.message);
	}
	a->data = r.data;
	return 0;
}

int client_finish(int sock, struct client_answer *out, struct fault *f)
{
	int err;

	*out = (struct client_answer){.fd = -1};
	(void)shutdown(sock, SHUT_WR);
	do {
		err = read_some(sock, &out->bytes, &out->fd, f);
		if (err > 0 && out->bytes.size > ANSWER_MAX)
			err = fault_set(f, -EMSGSIZE,
			                "the manager's answer is too long");
	} while (err > 0);
	if (err < 0)
		return err;
	buffer_put(&out->bytes, "", 1);
	if (out->bytes.bad)
		return fault_set(f, -ENOMEM, "out of memory");
	out->bytes.size--;
	return judge(out, f);
}

int client_begin(const struct paths *p, const struct client_call *c,
                 struct fault *f)
{
	return send_request(p, c, f);
}

int client_ask(const struct paths *p, const struct client_call *c,
               struct client_answer *out, struct fault *f)
{
	autoclose int sock = -1;

	*out = (struct client_answer){.fd = -1};
	sock = send_request(p, c, f);
	if (sock < 0)
		return sock;
	return client_finish(sock, out, f);
}

void client_answer_fini(struct client_answer *a)
{
	buffer_fini(&a->bytes);
	base_close(&a->fd);
}

int client_watch(const struct paths *p, const char *target,
                 struct client_events *out, struct fault *f)
{
	struct client_call c = {.method = "admin.Events", .target = target};
	struct client_events e = {.sock = -1};
	struct reply_event first;
	int err;

	e.sock = send_request(p, &c, f);
	if (e.sock < 0)
		return e.sock;
	(void)shutdown(e.sock, SHUT_WR);
	/* The first event says that we are heard. */
	err = client_next(&e, &first, f);
	if (err == 0)
		err = fault_set(f, -ECONNRESET, "the manager closed");
	if (err < 0) {
		client_events_fini(&e);
		return err;
	}
	*out = e;
	return 0;
}

int client_next(struct client_events *e, struct reply_event *out,
                struct fault *f)
{
	ssize_t size;
	int err;

	buffer_drop(&e->bytes, e->used);
	e->used = 0;
	for (;;) {
		size = reply_parse_event(buffer_span(&e->bytes), out);
		if (size > 0) {
			e->used = (size_t)size;
			return 1;
		}
		if (size < 0 || e->bytes.size > ANSWER_MAX)
			break;
		err = read_some(e->sock, &e->bytes, NULL, f);
		if (err <= 0)
			return err;
	}
	/* Not an event: all that may come instead is why there are none. */
	while ((err = read_some(e->sock, &e->bytes, NULL, f)) > 0)
		if (e->bytes.size > ANSWER_MAX)
			break;
	if (err == 0) {
		struct reply r;

		if (reply_parse(buffer_span(&e->bytes), &r) == 0 &&
		    r.kind == REPLY_EXCEPTION)
			return fault_set(f, -EREMOTEIO, "%s", r.message);
	}
	return fault_set(f, -EPROTO, "the manager's events make no sense");
}

void client_events_fini(struct client_events *e)
{
	base_close(&e->sock);
	buffer_fini(&e->bytes);
}
