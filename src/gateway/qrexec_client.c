/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qrexec-client: has a command run by way of a qrexec-daemon, ours or that of
 * Qubes OS, and is its standard input and output, or a local program is; or joins
 * a call that one machine asked for with another.
 *
 * The daemon is believed; only what comes over the data channel is a stranger's,
 * and it is read behind the jail.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "gateway/gwchan.h"
#include "gateway/gwdata.h"
#include "gateway/gwjail.h"
#include "gateway/gwplace.h"
#include "qrexec/qrname.h"

struct wish {
	const char *directory;
	const char *domain;
	const char *local; /* -l: a line for a shell */
	char *joined;      /* -c: IDENT,NAME,DOMAIN */
	const char *ident; /* of -c */
	uint32_t source;   /* of -c */
	uint32_t own;
	bool filter_out;
	bool filter_errors;
	bool just_start;
	bool wait;
	const char *command;
};

struct client {
	struct gwlink daemon;
	struct gwpoll poll;
	struct gwdata data;
};

/* Waits for the next message of the daemon. */
static int next(struct client *c, struct qrmsg_header *h, struct span *body)
{
	int got;

	while ((got = gwlink_next(&c->daemon, h, body)) == 0) {
		gwpoll_begin(&c->poll);
		gwlink_poll(&c->daemon, &c->poll, true);
		got = gwpoll_wait(&c->poll);
		if (got == 0)
			got = gwlink_step(&c->daemon, &c->poll);
		if (got < 0)
			return got;
	}
	return got;
}

static int flush(struct client *c)
{
	while (c->daemon.out.size > 0) {
		int err;

		gwpoll_begin(&c->poll);
		gwlink_poll(&c->daemon, &c->poll, false);
		err = gwpoll_wait(&c->poll);
		if (err == 0)
			err = gwlink_step(&c->daemon, &c->poll);
		if (err < 0)
			return err;
	}
	return 0;
}

static int reach_daemon(struct client *c, const char *domain, struct fault *f)
{
	char path[QRMSG_QUBE_SIZE + 16];
	int fd;

	(void)snprintf(path, sizeof(path), "qrexec.%s", domain);
	fd = gwchan_reach(path);
	if (fd < 0)
		return fault_set(f, fd, "connect to %s: %s", path,
		                 strerror(-fd));
	gwlink_init(&c->daemon, fd);
	return 0;
}

/* Has it run; where to meet is in *where. */
static int negotiate(struct client *c, const struct wish *w, uint32_t type,
                     struct qrmsg_exec *where, struct fault *f)
{
	struct qrmsg_exec e = {w->joined ? w->source : w->own, 0,
	                       span_str(w->command)};
	struct qrmsg_header h;
	struct span body;
	int err = reach_daemon(c, w->domain, f);

	if (err < 0)
		return err;
	qrmsg_put_exec(&c->daemon.out, type, &e);
	err = next(c, &h, &body);
	if (err < 0 || h.type != type || qrmsg_port_read(body, where) < 0)
		return fault_set(f, err < 0 ? err : -EPROTO,
		                 "the daemon of %s did not run it", w->domain);
	gwlink_taken(&c->daemon, &h);
	return 0;
}

/* Waits for its HELLO: closing before it has come could lose what we sent. */
static int greet(struct client *c)
{
	struct qrmsg_header h;
	struct span body;
	int err = 0;

	while (err == 0 && c->daemon.version == 0) {
		gwpoll_begin(&c->poll);
		gwlink_poll(&c->daemon, &c->poll, true);
		err = gwpoll_wait(&c->poll);
		if (err == 0)
			err = gwlink_step(&c->daemon, &c->poll);
		if (err == 0)
			err = MIN(gwlink_next(&c->daemon, &h, &body), 0);
	}
	return err;
}

/* -c: tells the other machine's daemon where its agent is waited for. */
static int join(struct client *c, const struct wish *w,
                const struct qrmsg_exec *where, struct fault *f)
{
	struct gwlink target = c->daemon;
	struct qrmsg_header h;
	struct span body;
	char source[16];
	int err;

	(void)snprintf(source, sizeof(source), "%u", w->source);
	c->daemon = (struct gwlink){.fd = -1};
	err = reach_daemon(c, source, f);
	if (err < 0)
		return err;
	qrmsg_put_exec(&c->daemon.out, QRMSG_SERVICE_CONNECT,
	               &(struct qrmsg_exec){where->domain, where->port,
	                                    span_str(w->ident)});
	err = flush(c);
	if (err == 0)
		err = greet(c);
	if (err < 0)
		return fault_set(f, err, "join the call: %s", strerror(-err));
	while (w->wait && next(c, &h, &body) > 0)
		gwlink_taken(&c->daemon, &h);
	gwlink_fini(&target);
	return 0;
}

/* Starts the local program; its ends of the streams are ours then. */
static pid_t start_local(const char *line, int streams[GWDATA_STREAMS])
{
	int in[2], out[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		(void)signal(SIGPIPE, SIG_DFL);
		if (dup2(out[1], STDIN_FILENO) < 0 ||
		    dup2(in[1], STDOUT_FILENO) < 0)
			_exit(126);
		(void)execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	close(in[1]);
	close(out[1]);
	streams[GWDATA_IN] = in[0];
	streams[GWDATA_OUT] = out[0];
	return child;
}

/* Waits for the other side of the data channel. */
static int meet(struct client *c, struct gwchan *chan, struct fault *f)
{
	int got;

	do {
		gwpoll_begin(&c->poll);
		gwchan_poll(chan, &c->poll);
		got = gwpoll_wait(&c->poll);
		if (got == 0)
			got = gwchan_step(chan, &c->poll);
	} while (got == -EAGAIN);
	return got < 0 ? fault_set(f, got, "wait for the channel: %s",
	                           strerror(-got))
	               : got;
}

static int carry(struct client *c, const struct wish *w,
                 const struct qrmsg_exec *where, struct fault *f)
{
	struct gwchan_ends ends = {w->own, where->domain, where->port};
	int streams[GWDATA_STREAMS] = {STDIN_FILENO, STDOUT_FILENO,
	                               STDERR_FILENO, -1};
	struct gwchan chan;
	pid_t child = 0;
	int err = gwchan_listen(&chan, &ends, false, f);

	if (err < 0)
		return err;
	if (w->local)
		child = start_local(w->local, streams);
	if (child < 0)
		return fault_errno(f, "start the local program");
	err = gwjail_enter(f);
	if (err == 0)
		err = meet(c, &chan, f);
	gwchan_fini(&chan);
	if (err < 0)
		return err;
	gwdata_init(&c->data, GWDATA_CALLER, streams);
	c->data.to[0].filter = w->filter_out;
	c->data.to[1].filter = w->filter_errors;
	gwdata_attach(&c->data, err);
	while (!c->data.over) {
		gwpoll_begin(&c->poll);
		gwdata_poll(&c->data, &c->poll);
		err = gwpoll_wait(&c->poll);
		if (err < 0)
			return fault_set(f, err, "wait: %s", strerror(-err));
		gwdata_step(&c->data, &c->poll);
	}
	err = (int)MIN(gwdata_code(&c->data), 255u);
	gwdata_fini(&c->data);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

/* The exit status, or a negative errno. */
static int run(struct client *c, const struct wish *w, struct fault *f)
{
	uint32_t type = w->just_start ? QRMSG_JUST_EXEC : QRMSG_EXEC_CMDLINE;
	struct qrmsg_exec where;
	int err = gwplace_enter(w->directory, f);

	if (err == 0)
		err = negotiate(c, w, type, &where, f);
	if (err < 0)
		return err;
	return w->joined ? join(c, w, &where, f) : carry(c, w, &where, f);
}

static const struct option options[] = {
	{"directory", required_argument, NULL, 'D'},
	{"own-domain", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"usage: qrexec-client [OPTION...] -d NAME|DOMAIN USER:COMMAND\n"
	"  -l LINE              a local program is its input and output\n"
	"  -c IDENT,NAME,DOMAIN another machine's call is\n"
	"  -W                   with -c: wait until it is over\n"
	"  -e                   only start it\n"
	"  -t, -T               filter its output, its errors\n"
	"  --directory=DIR      where channels are (or $VCHAN_SOCKET_DIR)\n"
	"  --own-domain=NUMBER  our own number, if it is not 0\n";

/* IDENT,NAME,DOMAIN */
static bool read_joined(struct wish *w)
{
	char *name = strchr(w->joined, ',');
	char *number = name ? strchr(name + 1, ',') : NULL;

	if (!number)
		return false;
	*name = *number = '\0';
	w->ident = w->joined;
	return qrname_ident_ok(span_str(w->ident)) &&
	       gwplace_number(number + 1, &w->source);
}

static bool read_option(int c, struct wish *w)
{
	switch (c) {
	case 'D':
		w->directory = optarg;
		return true;
	case 'o':
		return gwplace_number(optarg, &w->own);
	case 'd':
		w->domain = optarg;
		return true;
	case 'l':
		w->local = optarg;
		return true;
	case 'c':
		w->joined = optarg;
		return read_joined(w);
	case 'W':
		w->wait = true;
		return true;
	case 'e':
		w->just_start = true;
		return true;
	case 't':
		w->filter_out = true;
		return true;
	case 'T':
		w->filter_errors = true;
		return true;
	default:
		return false;
	}
}

int main(int argc, char *argv[])
{
	struct client *c = calloc(1, sizeof(*c));
	struct wish w = {0};
	struct fault f;
	bool good = c != NULL;
	int o, got;

	while (good && (o = getopt_long(argc, argv, "+d:l:c:WetTh", options,
	                                NULL)) != -1)
		good = read_option(o, &w);
	if (!good || argc - optind != 1 || !w.domain ||
	    !qrname_qube_ok(span_str(w.domain)) || !*argv[optind] ||
	    strlen(argv[optind]) >= QRMSG_EXEC_MAX - 8 ||
	    (w.joined && (w.local || w.just_start))) {
		(void)fputs(help, stderr);
		return QRMSG_PROBLEM;
	}
	w.command = argv[optind];
	(void)signal(SIGPIPE, SIG_IGN);
	got = run(c, &w, &f);
	if (got >= 0)
		return got;
	(void)fprintf(stderr, "%s: %s\n", argv[0], f.text);
	return QRMSG_PROBLEM;
}
