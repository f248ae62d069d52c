/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dial.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cli/verbs.h"
#include "supervise/relay.h"

enum { IN, OUT, ERRORS, RELAYS };

static int take_streams(int sock, int streams[CALLMSG_STREAMS], struct fault *f)
{
	struct control_fds fds = {0};
	struct control c;
	int got = control_receive(sock, CONTROL_CLIENT, &c, &fds);
	int err = got == 1 && c.kind == CONTROL_allowed
	                  ? callmsg_take_streams(&fds, 0, streams)
	                  : -EPROTO;

	control_close(&fds);
	return err < 0 ? fault_set(f, err, "take the call's streams: %s",
	                           strerror(-err))
	               : 0;
}

void dial_to(struct dial *d, const char *target)
{
	static const char new[] = "@dispvm:";

	d->disposable = strncmp(target, new, strlen(new)) == 0;
	d->qube = d->disposable ? target + strlen(new) : target;
}

int dial_open(const struct dial *d, struct query *q,
              int streams[CALLMSG_STREAMS], struct fault *f)
{
	struct client_call call = {
		.method = "bento.Call",
		.argument = d->disposable ? "dispvm" : NULL,
		.target = d->qube,
	};
	autobuffer struct buffer b = {0};
	int err;

	/* A blank or a line end would make it another request. */
	if (strpbrk(d->service, " \n") || (d->user && strpbrk(d->user, " \n")))
		return fault_set(f, -EINVAL, "'%s' cannot be called",
		                 d->service);
	buffer_printf(&b, "service=%s\n", d->service);
	if (d->user)
		buffer_printf(&b, "user=%s\n", d->user);
	if (d->no_start)
		buffer_text(&b, "start=no\n");
	if (b.bad)
		return fault_set(f, -ENOMEM, "out of memory");
	call.payload = buffer_span(&b);
	q->doing = d->no_start ? NULL : "starting";
	err = query_with(q, &call, f);
	if (err < 0)
		return err;
	if (q->answer.fd < 0)
		return fault_set(f, -EPROTO, "the manager gave no streams");
	return take_streams(q->answer.fd, streams, f);
}

/* The four bytes of an exit status, as they come. */
struct status {
	int from; /* -1: it is over */
	uint8_t wire[4];
	size_t size;
};

static void read_status(struct status *s)
{
	ssize_t n = read(s->from, s->wire + s->size, sizeof(s->wire) - s->size);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	s->size += n > 0 ? (size_t)n : 0;
	if (n <= 0 || s->size == sizeof(s->wire))
		s->from = -1;
}

static int judge(const struct status *s)
{
	struct reader r = {.rest = {s->wire, s->size}};
	uint32_t status = rd_le32(&r);

	return r.bad ? VERBS_OURS : (int)MIN(status, 255u);
}

/* One round.  The relays' ends that have been reached are let go. */
static void carry_once(struct relay *relay, struct status *s,
                       int streams[CALLMSG_STREAMS])
{
	struct pollfd p[2 * RELAYS + 1];

	for (size_t i = 0; i < RELAYS; i++)
		relay_want(&relay[i], &p[2 * i]);
	p[2 * RELAYS] = (struct pollfd){.fd = s->from, .events = POLLIN};
	if (poll(p, ARRAY_LEN(p), -1) < 0)
		return;
	for (size_t i = 0; i < RELAYS; i++)
		relay_move(&relay[i], &p[2 * i]);
	if (p[2 * RELAYS].revents)
		read_status(s);
	/* The service sees the end of our input, and has no more of it after
	 * its own. */
	if (s->from < 0)
		relay[IN].from = relay[IN].to = -1;
	if (relay_ended(&relay[IN]) && streams[CALLMSG_IN] >= 0) {
		close(streams[CALLMSG_IN]);
		streams[CALLMSG_IN] = relay[IN].to = -1;
	}
}

int dial_carry(int streams[CALLMSG_STREAMS], uint32_t how)
{
	autofree struct relay *relay = calloc(RELAYS, sizeof(*relay));
	autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct status s = {.from = streams[CALLMSG_STATUS]};
	bool no_output = how & DIAL_NO_OUTPUT;

	if (!relay || null < 0) {
		callmsg_close(streams);
		return VERBS_OURS;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < CALLMSG_STREAMS; i++)
		(void)fcntl(streams[i], F_SETFL, O_NONBLOCK);
	relay_init(&relay[IN], how & DIAL_NO_INPUT ? null : STDIN_FILENO,
	           streams[CALLMSG_IN]);
	relay_init(&relay[OUT], streams[CALLMSG_OUT],
	           no_output ? null : STDOUT_FILENO);
	relay_init(&relay[ERRORS], streams[CALLMSG_ERRORS],
	           no_output ? null : STDERR_FILENO);
	relay[OUT].visible = how & DIAL_VISIBLE && isatty(STDOUT_FILENO);
	relay[ERRORS].visible = how & DIAL_VISIBLE && isatty(STDERR_FILENO);
	while (s.from >= 0 || !relay_ended(&relay[OUT]) ||
	       !relay_ended(&relay[ERRORS]))
		carry_once(relay, &s, streams);
	callmsg_close(streams);
	return judge(&s);
}

static int start(int streams[CALLMSG_STREAMS], char *const command[],
                 pid_t *pid, struct fault *f)
{
	posix_spawn_file_actions_t actions;
	int err;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return fault_set(f, -ENOMEM, "out of memory");
	err = posix_spawn_file_actions_adddup2(&actions, streams[CALLMSG_OUT],
	                                       STDIN_FILENO);
	if (err == 0)
		err = posix_spawn_file_actions_adddup2(
			&actions, streams[CALLMSG_IN], STDOUT_FILENO);
	if (err == 0)
		err = posix_spawnp(pid, command[0], &actions, NULL, command,
		                   environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (err != 0)
		return fault_set(f, -err, "run %s: %s", command[0],
		                 strerror(err));
	return 0;
}

int dial_command(int streams[CALLMSG_STREAMS], char *const command[],
                 struct fault *f)
{
	int status;
	pid_t pid;

	if (start(streams, command, &pid, f) < 0) {
		callmsg_close(streams);
		return VERBS_OURS;
	}
	close(take_fd(&streams[CALLMSG_IN]));
	close(take_fd(&streams[CALLMSG_OUT]));
	status = dial_carry(streams, DIAL_NO_INPUT | DIAL_VISIBLE);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return status;
}
