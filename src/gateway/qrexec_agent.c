/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qrexec-agent: stands for one of our qubes towards a qrexec-daemon of Qubes OS.
 *
 * It is the server of the control channel. What the daemon wants to be run is
 * asked of the manager, and its streams become a data channel on which we are
 * the client. What a local program asks for at our own socket, in the form of
 * channel/agent.h, goes to the daemon as TRIGGER_SERVICE; if it is allowed, we are
 * the server of the data channel.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "channel/agent.h"
#include "gateway/gwcalls.h"
#include "gateway/gwjail.h"
#include "gateway/gwplace.h"
#include "qrexec/qrcommand.h"
#include "qrexec/qrname.h"
#include "qrexec/vmexec.h"

/* A local program that asks; its request is in `in` until it is whole. */
struct local {
	int fd; /* -1: free */
	struct buffer in;
	char their_ident[AGENT_IDENT_SIZE];
	char ident[QRMSG_IDENT_SIZE]; /* ours; "": not asked yet */
	size_t at;
};

struct agent {
	uint32_t domain;
	uint32_t peer;
	const char *qube;
	char manager[PATHS_MAX];
	struct gwchan door; /* for the daemon */
	struct gwlink link; /* fd -1: no daemon */
	int listener;       /* for local programs, or -1 */
	size_t listener_at;
	uint64_t asked;
	struct local local[QRMSG_CONNECTIONS];
	struct gwcalls calls;
	struct gwpoll poll;
};

static void call_over(void *ctx, uint32_t domain, uint32_t port)
{
	struct agent *a = ctx;

	if (a->link.fd >= 0)
		qrmsg_put_port(&a->link.out, QRMSG_CONNECTION_TERMINATED,
		               domain, port);
}

static void end_local(struct local *l)
{
	base_close(&l->fd);
	l->ident[0] = '\0';
	buffer_fini(&l->in);
}

/* What a shell shall do becomes a call of qubes.VMExec. */
static void name_service(const struct qrcommand *c, struct buffer *to)
{
	char shell[] = "/bin/sh", option[] = "-c";
	autofree char *line = NULL;

	if (c->service) {
		buffer_put(to, c->full.at, c->full.size);
		return;
	}
	line = strndup((const char *)c->command.at, c->command.size);
	buffer_text(to, "qubes.VMExec+");
	if (line)
		vmexec_encode((char *[]){shell, option, line, NULL}, to);
	else
		to->bad = true;
}

/* EXEC_CMDLINE and JUST_EXEC. */
static int take_exec(struct agent *a, uint32_t type, struct span body)
{
	autobuffer struct buffer service = {0};
	struct qrcommand c;
	struct qrmsg_exec e;
	struct gwchan_ends ends;
	struct gwask_call call;
	bool room;

	if (qrmsg_exec_read(body, &e) < 0 || e.port < QRMSG_PORT_DATA)
		return -EPROTO;
	ends = (struct gwchan_ends){e.domain, a->domain, e.port};
	if (qrcommand_read(e.text, &c) < 0) {
		room = gwcalls_refuse(&a->calls, e.domain, &ends,
		                      QRMSG_NO_SERVICE);
	} else {
		name_service(&c, &service);
		call = (struct gwask_call){
			.qube = span_str(a->qube),
			.service = buffer_span(&service),
			.source = c.service ? c.source : span_str("dom0"),
			.user = c.user,
		};
		if (service.bad)
			return -ENOMEM;
		room = gwcalls_serve(&a->calls, e.domain, &ends, a->manager,
		                     &call, type == QRMSG_JUST_EXEC);
	}
	if (!room)
		call_over(a, e.domain, e.port);
	return 0;
}

static struct local *find_local(struct agent *a, struct span ident)
{
	for (size_t i = 0; i < ARRAY_LEN(a->local); i++)
		if (a->local[i].fd >= 0 && a->local[i].ident[0] &&
		    span_is(ident, a->local[i].ident))
			return &a->local[i];
	return NULL;
}

static void answer_local(const struct local *l, uint32_t type, const int *fds,
                         size_t count)
{
	uint8_t wire[AGENT_ANSWER_SIZE] = {0};
	union {
		char bytes[CMSG_SPACE(AGENT_STREAMS * sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec iov = {wire, sizeof(wire)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	qrmsg_header_write((struct qrmsg_header){type, AGENT_IDENT_SIZE}, wire);
	memcpy(wire + AGENT_HEADER_SIZE, l->their_ident, AGENT_IDENT_SIZE);
	if (count > 0) {
		struct cmsghdr *c;

		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		*c = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(count * sizeof(int))};
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	/* Who does not take it has gone, and hears it by our closing. */
	(void)!sendmsg(l->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool make_pairs(int near[AGENT_STREAMS], int far[AGENT_STREAMS])
{
	for (size_t i = 0; i < AGENT_STREAMS; i++) {
		int ends[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) <
		    0) {
			while (i-- > 0) {
				close(near[i]);
				close(far[i]);
			}
			return false;
		}
		near[i] = ends[0];
		far[i] = ends[1];
	}
	return true;
}

static int take_connect(struct agent *a, struct span body)
{
	int near[AGENT_STREAMS], far[AGENT_STREAMS];
	struct gwchan_ends ends;
	struct qrmsg_exec e;
	struct local *l;

	if (qrmsg_exec_read(body, &e) < 0 || e.port < QRMSG_PORT_DATA)
		return -EPROTO;
	l = find_local(a, e.text);
	ends = (struct gwchan_ends){a->domain, e.domain, e.port};
	if (!l || !make_pairs(near, far)) {
		call_over(a, e.domain, e.port);
		return 0;
	}
	if (gwcalls_join(&a->calls, e.domain, &ends, near))
		answer_local(l, AGENT_ALLOWED, far, AGENT_STREAMS);
	else
		call_over(a, e.domain, e.port);
	for (size_t i = 0; i < AGENT_STREAMS; i++)
		close(far[i]);
	end_local(l);
	return 0;
}

static int take_refused(struct agent *a, struct span body)
{
	struct span ident;
	struct local *l;
	int err = qrmsg_refused_read(body, &ident);

	if (err < 0)
		return err;
	l = find_local(a, ident);
	if (l) {
		answer_local(l, AGENT_REFUSED, NULL, 0);
		end_local(l);
	}
	return 0;
}

static int take_control(struct agent *a, const struct qrmsg_header *h,
                        struct span body)
{
	switch (h->type) {
	case QRMSG_EXEC_CMDLINE:
	case QRMSG_JUST_EXEC:
		return take_exec(a, h->type, body);
	case QRMSG_SERVICE_CONNECT:
		return take_connect(a, body);
	case QRMSG_SERVICE_REFUSED:
		return take_refused(a, body);
	default:
		return -EPROTO;
	}
}

/* The daemon has gone: nobody answers for what was asked. */
static void lose_daemon(struct agent *a)
{
	gwlink_fini(&a->link);
	gwcalls_drop(&a->calls);
	for (size_t i = 0; i < ARRAY_LEN(a->local); i++)
		if (a->local[i].fd >= 0)
			end_local(&a->local[i]);
}

static void step_daemon(struct agent *a, const struct gwpoll *p)
{
	struct qrmsg_header h;
	struct span body;
	int got;

	if (a->link.fd < 0) {
		got = gwchan_step(&a->door, p);
		if (got >= 0)
			gwlink_init(&a->link, got);
		return;
	}
	got = gwlink_step(&a->link, p);
	while (got == 0 && (got = gwlink_next(&a->link, &h, &body)) > 0) {
		got = take_control(a, &h, body);
		gwlink_taken(&a->link, &h);
	}
	if (got < 0)
		lose_daemon(a);
}

/* A whole request goes to the daemon under a name of ours. */
static int forward(struct agent *a, struct local *l,
                   const struct qrmsg_header *h)
{
	struct span body = {l->in.at + QRMSG_HEADER_SIZE, h->size};
	struct qrmsg_trigger t;

	if (qrmsg_trigger_read(h->type, body, &t) < 0 || a->link.version == 0)
		return -EPROTO;
	memset(l->their_ident, 0, sizeof(l->their_ident));
	memcpy(l->their_ident, t.ident.at, t.ident.size);
	(void)snprintf(l->ident, sizeof(l->ident), "SOCKET%llu",
	               (unsigned long long)++a->asked);
	t.ident = span_str(l->ident);
	if (a->link.out.size > GWLINK_BEHIND_MAX)
		return -EAGAIN;
	qrmsg_put_trigger(&a->link.out, h->type, &t);
	return 0;
}

static int read_local(struct agent *a, struct local *l)
{
	size_t most = QRMSG_HEADER_SIZE + QRMSG_BODY_MAX;
	uint8_t *to = buffer_reserve(&l->in, most - l->in.size);
	struct qrmsg_header h;
	ssize_t n;

	if (!to)
		return -ENOMEM;
	n = recv(l->fd, to, most - l->in.size, MSG_DONTWAIT);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR)
		               ? 0
		               : -ECONNRESET;
	/* Behind its one request there may only be the end. */
	if (l->ident[0])
		return -EPROTO;
	l->in.size += (size_t)n;
	if (l->in.size < QRMSG_HEADER_SIZE)
		return 0;
	if (qrmsg_header_read(l->in.at, &h) < 0 ||
	    l->in.size - QRMSG_HEADER_SIZE > h.size)
		return -EPROTO;
	if (l->in.size - QRMSG_HEADER_SIZE < h.size)
		return 0;
	return forward(a, l, &h);
}

static void accept_local(struct agent *a)
{
	int fd = gwchan_accept(a->listener);

	for (size_t i = 0; fd >= 0 && i < ARRAY_LEN(a->local); i++)
		if (a->local[i].fd < 0) {
			a->local[i].fd = fd;
			return;
		}
	base_close(&fd);
}

static void step_locals(struct agent *a, const struct gwpoll *p)
{
	for (size_t i = 0; i < ARRAY_LEN(a->local); i++) {
		struct local *l = &a->local[i];

		if (l->fd >= 0 && gwpoll_got(p, l->at) && read_local(a, l) < 0)
			end_local(l);
	}
	if (gwpoll_got(p, a->listener_at))
		accept_local(a);
}

static int serve(struct agent *a, struct fault *f)
{
	struct gwpoll *p = &a->poll;
	int err;

	for (;;) {
		gwpoll_begin(p);
		if (a->link.fd < 0)
			gwchan_poll(&a->door, p);
		else
			gwlink_poll(&a->link, p,
			            gwlink_room(&a->link) ||
			                    a->link.version == 0);
		a->listener_at = gwpoll_add(p, a->listener, POLLIN);
		for (size_t i = 0; i < ARRAY_LEN(a->local); i++)
			a->local[i].at = gwpoll_add(p, a->local[i].fd, POLLIN);
		gwcalls_poll(&a->calls, p);
		err = gwpoll_wait(p);
		if (err < 0)
			return fault_set(f, err, "wait: %s", strerror(-err));
		step_daemon(a, p);
		step_locals(a, p);
		gwcalls_step(&a->calls, p);
	}
}

static const struct option options[] = {
	{"directory", required_argument, NULL, 'd'},
	{"local", required_argument, NULL, 'l'},
	{"manager", required_argument, NULL, 'm'},
	{"peer", required_argument, NULL, 'p'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: qrexec-agent [OPTION...] DOMAIN QUBE\n"
	"      --directory=DIR  where channels are (or $VCHAN_SOCKET_DIR)\n"
	"      --local=NAME     a socket there, where programs ask for calls\n"
	"      --peer=DOMAIN    the daemon's number, if it is not 0\n"
	"      --manager=PATH   the manager's socket\n";

struct wish {
	const char *directory;
	const char *local;
	const char *manager;
};

static bool read_options(int argc, char *argv[], struct agent *a,
                         struct wish *w)
{
	int c;

	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (c == 'd')
			w->directory = optarg;
		else if (c == 'l')
			w->local = optarg;
		else if (c == 'm')
			w->manager = optarg;
		else if (c != 'p' || !gwplace_number(optarg, &a->peer))
			return false;
	}
	if (argc - optind != 2 || !gwplace_number(argv[optind], &a->domain) ||
	    !qrname_qube_ok(span_str(argv[optind + 1])))
		return false;
	a->qube = argv[optind + 1];
	return true;
}

static int begin(struct agent *a, const struct wish *w, struct fault *f)
{
	struct gwchan_ends ends = {a->domain, a->peer, QRMSG_PORT_CONTROL};
	int err = gwplace_socket(w->manager, "manager.sock", a->manager, f);

	if (err == 0)
		err = gwplace_enter(w->directory, f);
	if (err == 0)
		err = gwchan_listen(&a->door, &ends, true, f);
	if (err == 0 && w->local) {
		a->listener = gwchan_bind(w->local, f);
		err = MIN(a->listener, 0);
	}
	return err < 0 ? err : gwjail_enter(f);
}

int main(int argc, char *argv[])
{
	struct agent *a = calloc(1, sizeof(*a));
	struct wish w = {0};
	struct fault f;

	if (!a || !read_options(argc, argv, a, &w)) {
		(void)fputs(help, stderr);
		return QRMSG_PROBLEM;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	a->link.fd = a->listener = -1;
	a->calls.over = call_over;
	a->calls.ctx = a;
	for (size_t i = 0; i < ARRAY_LEN(a->local); i++)
		a->local[i].fd = -1;
	if (begin(a, &w, &f) == 0 && serve(a, &f) == 0)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "%s: %s\n", argv[0], f.text);
	return QRMSG_PROBLEM;
}
