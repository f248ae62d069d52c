/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qrexec-daemon: stands for us towards a qrexec-agent of Qubes OS in a machine of
 * its own.
 *
 * It is the client of the agent's control channel. Programs (qrexec-client) give
 * it commands for that machine at qrexec.DOMAIN; it chooses a port for each and
 * tells both sides. Calls that the machine asks for are put before the policy;
 * what that allows is asked of the manager, and we are the client of the data
 * channel.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "gateway/gwcalls.h"
#include "gateway/gwjail.h"
#include "gateway/gwplace.h"
#include "qrexec/qrname.h"

#define USER_DEFAULT "DEFAULT"

/* A program that gives commands, and the ports that it was given. */
struct client {
	struct gwlink link; /* fd -1: free */
};

/* A call of the machine's that policy looks at. */
struct pending {
	bool used;
	char ident[QRMSG_IDENT_SIZE];
	char *service;
	struct gwask ask;
};

struct daemon {
	uint32_t domain;
	uint32_t own;
	const char *name;
	const char *user; /* or NULL: as the agent thinks */
	char manager[PATHS_MAX];
	char policy[PATHS_MAX];
	struct gwchan door; /* to the agent */
	struct gwlink link; /* fd -1: not there yet */
	int listener;
	size_t listener_at;
	bool port_used[QRMSG_CONNECTIONS];
	struct client client[QRMSG_CONNECTIONS];
	struct pending pending[QRMSG_CONNECTIONS];
	struct gwcalls calls;
	struct gwpoll poll;
};

/* A free port, which is taken; 0: there is none. */
static uint32_t take_port(struct daemon *d)
{
	for (uint32_t i = 0; i < QRMSG_CONNECTIONS; i++)
		if (!d->port_used[i]) {
			d->port_used[i] = true;
			return QRMSG_PORT_DATA + i;
		}
	return 0;
}

static void give_port(struct daemon *d, uint32_t port)
{
	if (port >= QRMSG_PORT_DATA &&
	    port - QRMSG_PORT_DATA < QRMSG_CONNECTIONS)
		d->port_used[port - QRMSG_PORT_DATA] = false;
}

static void end_pending(struct pending *q)
{
	gwask_fini(&q->ask);
	free(q->service);
	*q = (struct pending){.used = false};
}

static void refuse(struct daemon *d, const char *ident)
{
	qrmsg_put_refused(&d->link.out, span_str(ident));
}

/* TRIGGER_SERVICE: put before the policy. */
static int take_trigger(struct daemon *d, uint32_t type, struct span body)
{
	struct pending *q = NULL;
	struct qrmsg_trigger t;
	char ident[QRMSG_IDENT_SIZE] = "";

	if (qrmsg_trigger_read(type, body, &t) < 0)
		return -EPROTO;
	memcpy(ident, t.ident.at, t.ident.size);
	for (size_t i = 0; i < ARRAY_LEN(d->pending) && !q; i++)
		if (!d->pending[i].used)
			q = &d->pending[i];
	if (!q) {
		refuse(d, ident);
		return 0;
	}
	*q = (struct pending){.used = true, .ask = {.fd = -1, .packed = -1}};
	memcpy(q->ident, ident, sizeof(ident));
	q->service = strndup((const char *)t.service.at, t.service.size);
	if (!q->service || gwask_policy(&q->ask, d->policy, d->domain,
	                                span_str(d->name), &t) < 0) {
		refuse(d, ident);
		end_pending(q);
	}
	return 0;
}

/* The policy allows it: both sides are told where to meet. */
static void allow(struct daemon *d, const struct pending *q,
                  const struct gwask_verdict *v)
{
	uint32_t port = take_port(d);
	struct gwchan_ends ends = {d->domain, d->own, port};
	struct gwask_call call = {
		.qube = span_str(v->target),
		.service = span_str(q->service),
		.source = span_str(d->name),
		.user = span_str(v->user),
	};

	if (port == 0 || !gwcalls_serve(&d->calls, d->domain, &ends, d->manager,
	                                &call, false)) {
		give_port(d, port);
		refuse(d, q->ident);
		return;
	}
	qrmsg_put_exec(&d->link.out, QRMSG_SERVICE_CONNECT,
	               &(struct qrmsg_exec){d->own, port, span_str(q->ident)});
}

static void step_pending(struct daemon *d, const struct gwpoll *p)
{
	for (size_t i = 0; i < ARRAY_LEN(d->pending); i++) {
		struct pending *q = &d->pending[i];
		struct gwask_verdict v;
		int got = q->used ? gwask_step(&q->ask, p) : -EAGAIN;

		if (got == -EAGAIN)
			continue;
		if (got == 0 && gwask_read_verdict(&q->ask, &v) == 0)
			allow(d, q, &v);
		else
			refuse(d, q->ident);
		end_pending(q);
	}
}

static int take_agent(struct daemon *d, const struct qrmsg_header *h,
                      struct span body)
{
	struct qrmsg_exec e;

	switch (h->type) {
	case QRMSG_TRIGGER_SERVICE3:
	case QRMSG_TRIGGER_SERVICE4:
		return take_trigger(d, h->type, body);
	case QRMSG_CONNECTION_TERMINATED:
		if (qrmsg_port_read(body, &e) < 0)
			return -EPROTO;
		give_port(d, e.port);
		return 0;
	default:
		return -EPROTO;
	}
}

/* DEFAULT is the user that we were told of, if any. */
static int put_command(struct daemon *d, uint32_t type, struct qrmsg_exec e)
{
	autobuffer struct buffer text = {0};
	size_t len = strlen(USER_DEFAULT);

	if (d->user && e.text.size > len && e.text.at[len] == ':' &&
	    memcmp(e.text.at, USER_DEFAULT, len) == 0) {
		buffer_text(&text, d->user);
		buffer_put(&text, e.text.at + len, e.text.size - len);
		e.text = buffer_span(&text);
	}
	if (text.bad || e.text.size >= QRMSG_EXEC_MAX - 8)
		return -ENOMEM;
	qrmsg_put_exec(&d->link.out, type, &e);
	return 0;
}

static int put_connect(struct daemon *d, const struct qrmsg_exec *e)
{
	qrmsg_put_exec(&d->link.out, QRMSG_SERVICE_CONNECT, e);
	return 0;
}

/* A command or the second half of a call, from a program here. */
static int take_client(struct daemon *d, struct client *c,
                       const struct qrmsg_header *h, struct span body)
{
	bool exec = h->type == QRMSG_EXEC_CMDLINE || h->type == QRMSG_JUST_EXEC;
	struct qrmsg_exec e;

	if ((!exec && h->type != QRMSG_SERVICE_CONNECT) ||
	    qrmsg_exec_read(body, &e) < 0 || d->link.version == 0)
		return -EPROTO;
	if (exec && e.port == 0) {
		e.port = take_port(d);
		if (e.port == 0)
			return -EAGAIN;
	}
	if (exec)
		qrmsg_put_port(&c->link.out, h->type, d->domain, e.port);
	return exec ? put_command(d, h->type, e) : put_connect(d, &e);
}

static void step_clients(struct daemon *d, const struct gwpoll *p)
{
	struct qrmsg_header h;
	struct span body;

	for (size_t i = 0; i < ARRAY_LEN(d->client); i++) {
		struct client *c = &d->client[i];
		int got = c->link.fd < 0 ? -EAGAIN : gwlink_step(&c->link, p);

		if (got == -EAGAIN)
			continue;
		while (got == 0 && d->link.out.size < GWLINK_BEHIND_MAX &&
		       (got = gwlink_next(&c->link, &h, &body)) > 0) {
			got = take_client(d, c, &h, body);
			gwlink_taken(&c->link, &h);
		}
		if (got < 0)
			gwlink_fini(&c->link);
	}
	if (!gwpoll_got(p, d->listener_at))
		return;
	for (size_t i = 0; i < ARRAY_LEN(d->client); i++) {
		int fd;

		if (d->client[i].link.fd >= 0)
			continue;
		fd = gwchan_accept(d->listener);
		if (fd >= 0)
			gwlink_init(&d->client[i].link, fd);
		return;
	}
}

/* 0, or a negative errno: the agent has gone, or does what it may not. */
static int step_agent(struct daemon *d, const struct gwpoll *p)
{
	struct qrmsg_header h;
	struct span body;
	int got;

	if (d->link.fd < 0) {
		got = gwchan_step(&d->door, p);
		if (got >= 0)
			gwlink_init(&d->link, got);
		return got >= 0 || got == -EAGAIN ? 0 : got;
	}
	got = gwlink_step(&d->link, p);
	while (got == 0 && d->link.out.size < GWLINK_BEHIND_MAX &&
	       (got = gwlink_next(&d->link, &h, &body)) > 0) {
		got = take_agent(d, &h, body);
		gwlink_taken(&d->link, &h);
	}
	return got;
}

static void gather(struct daemon *d, struct gwpoll *p)
{
	bool room = d->link.out.size < GWLINK_BEHIND_MAX;
	bool free_client = false;

	gwpoll_begin(p);
	if (d->link.fd < 0)
		gwchan_poll(&d->door, p);
	else
		gwlink_poll(&d->link, p, room);
	for (size_t i = 0; i < ARRAY_LEN(d->client); i++) {
		gwlink_poll(&d->client[i].link, p, room);
		free_client = free_client || d->client[i].link.fd < 0;
	}
	/* Before the agent is there, programs wait in the queue. */
	d->listener_at = GWPOLL_NONE;
	if (d->link.version > 0 && free_client)
		d->listener_at = gwpoll_add(p, d->listener, POLLIN);
	for (size_t i = 0; i < ARRAY_LEN(d->pending); i++)
		if (d->pending[i].used)
			gwask_poll(&d->pending[i].ask, p);
	gwcalls_poll(&d->calls, p);
}

static int serve(struct daemon *d, struct fault *f)
{
	struct gwpoll *p = &d->poll;
	int err = 0;

	while (err == 0) {
		gather(d, p);
		err = gwpoll_wait(p);
		if (err == 0)
			err = step_agent(d, p);
		if (err == 0) {
			step_clients(d, p);
			step_pending(d, p);
			gwcalls_step(&d->calls, p);
		}
	}
	if (err == -ECONNRESET)
		return 0;
	return fault_set(f, err, "the agent of %s: %s", d->name,
	                 strerror(-err));
}

static const struct option options[] = {
	{"directory", required_argument, NULL, 'd'},
	{"domain", required_argument, NULL, 'o'},
	{"manager", required_argument, NULL, 'm'},
	{"policy", required_argument, NULL, 'p'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: qrexec-daemon [OPTION...] DOMAIN NAME [USER]\n"
	"      --directory=DIR  where channels are (or $VCHAN_SOCKET_DIR)\n"
	"      --domain=NUMBER  our own number, if it is not 0\n"
	"      --manager=PATH, --policy=PATH   the manager's sockets\n";

struct wish {
	const char *directory;
	const char *manager;
	const char *policy;
};

static bool read_options(int argc, char *argv[], struct daemon *d,
                         struct wish *w)
{
	int c;

	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (c == 'd')
			w->directory = optarg;
		else if (c == 'm')
			w->manager = optarg;
		else if (c == 'p')
			w->policy = optarg;
		else if (c != 'o' || !gwplace_number(optarg, &d->own))
			return false;
	}
	if (argc - optind < 2 || argc - optind > 3 ||
	    !gwplace_number(argv[optind], &d->domain))
		return false;
	d->name = argv[optind + 1];
	d->user = argc - optind > 2 ? argv[optind + 2] : NULL;
	return *d->name && qrname_qube_ok(span_str(d->name)) &&
	       (!d->user || qrname_ident_ok(span_str(d->user)));
}

static int begin(struct daemon *d, const struct wish *w, struct fault *f)
{
	struct gwchan_ends ends = {d->domain, d->own, QRMSG_PORT_CONTROL};
	char socket[32], link[QRMSG_QUBE_SIZE + 8];
	int err = gwplace_socket(w->manager, "manager.sock", d->manager, f);

	if (err == 0)
		err = gwplace_socket(w->policy, "policy.sock", d->policy, f);
	if (err == 0)
		err = gwplace_enter(w->directory, f);
	if (err < 0)
		return err;
	(void)snprintf(socket, sizeof(socket), "qrexec.%u", d->domain);
	(void)snprintf(link, sizeof(link), "qrexec.%s", d->name);
	d->listener = gwchan_bind(socket, f);
	if (d->listener < 0)
		return d->listener;
	(void)unlink(link);
	if (symlink(socket, link) < 0)
		return fault_errno(f, "make %s", link);
	gwchan_connect(&d->door, &ends, true);
	return gwjail_enter(f);
}

int main(int argc, char *argv[])
{
	struct daemon *d = calloc(1, sizeof(*d));
	struct wish w = {0};
	struct fault f;

	if (!d || !read_options(argc, argv, d, &w)) {
		(void)fputs(help, stderr);
		return QRMSG_PROBLEM;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	d->link.fd = d->listener = -1;
	for (size_t i = 0; i < ARRAY_LEN(d->client); i++)
		d->client[i].link.fd = -1;
	if (begin(d, &w, &f) == 0 && serve(d, &f) == 0)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "%s: %s\n", argv[0], f.text);
	return QRMSG_PROBLEM;
}
