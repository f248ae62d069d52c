/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/guestcall.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "qrexec/qrmsg.h"

static int connect_agent(const char *path, struct fault *f)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	autoclose int sock = -1;

	if (strlen(path) >= sizeof(at.sun_path))
		return fault_set(f, -ENAMETOOLONG, "%s: too long", path);
	memcpy(at.sun_path, path, strlen(path));
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return fault_errno(f, "make a socket");
	if (connect(sock, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return fault_errno(f, "connect to %s", path);
	return take_fd(&sock);
}

int guestcall_write(int fd, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	bool sock = true;

	while (size > 0) {
		ssize_t n = sock ? send(fd, at, size, MSG_NOSIGNAL)
		                 : write(fd, at, size);

		if (n < 0 && errno == ENOTSOCK && sock)
			sock = false;
		else if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

static int send_request(int sock, const struct guestcall_ask *ask, bool early,
                        struct fault *f)
{
	bool named = ask->source != NULL;
	autobuffer struct buffer wire = {0};
	char ident[AGENT_IDENT_SIZE];
	int err;

	(void)snprintf(ident, sizeof(ident), "SOCKET%d", (int)getpid());
	qrmsg_put_trigger(
		&wire, named ? QRMSG_TRIGGER_SERVICE4 : QRMSG_TRIGGER_SERVICE3,
		&(struct qrmsg_trigger){
			span_str(named ? ask->source : ""),
			span_str(ask->target),
			span_str(ident),
			span_str(ask->service),
		});
	if (wire.bad)
		return fault_set(f, -ENOMEM, "out of memory");
	wire.at[3] |= early ? AGENT_EARLY >> 24 : 0;
	err = guestcall_write(sock, wire.at, wire.size);
	return err < 0 ? fault_set(f, err, "ask for the call: %s",
	                           strerror(-err))
	               : 0;
}

/* Takes the descriptors beside a message; more or fewer than four: none. */
static bool take_streams(struct msghdr *m, int streams[AGENT_STREAMS])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	size_t count;
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return false;
	count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (count == AGENT_STREAMS && !(m->msg_flags & MSG_CTRUNC)) {
		memcpy(streams, CMSG_DATA(c), count * sizeof(int));
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
		close(fd);
	}
	return false;
}

/* The answer's type; a negative errno if there is none. */
static int64_t read_answer(int sock, int streams[AGENT_STREAMS], bool *got)
{
	union {
		char bytes[CMSG_SPACE(AGENT_STREAMS * sizeof(int))];
		struct cmsghdr align;
	} control;
	uint8_t wire[AGENT_ANSWER_SIZE];
	struct reader r = {.rest = {wire, sizeof(wire)}};
	size_t have = 0;
	uint32_t type;

	*got = false;
	while (have < sizeof(wire)) {
		struct iovec iov = {wire + have, sizeof(wire) - have};
		struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n;

		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		if (!*got)
			*got = take_streams(&m, streams);
		have += (size_t)n;
	}
	type = rd_le32(&r);
	return rd_le32(&r) == AGENT_IDENT_SIZE ? (int64_t)type : -EPROTO;
}

/* AGENT_BEGUN or AGENT_ALLOWED; or what guestcall_open() returns. */
static int hear(int sock, int streams[AGENT_STREAMS], bool *got,
                struct fault *f)
{
	int64_t type = read_answer(sock, streams, got);

	if (type == AGENT_BEGUN || type == AGENT_ALLOWED)
		return (int)type;
	for (size_t i = 0; *got && i < AGENT_STREAMS; i++)
		close(streams[i]);
	*got = false;
	if (type == AGENT_REFUSED)
		return fault_set(f, -EACCES, "Request refused");
	return fault_set(f, type < 0 ? (int)type : -EPROTO, "no answer");
}

static int check_names(const struct guestcall_ask *ask, struct fault *f)
{
	if (strlen(ask->target) >= AGENT_NAME_SIZE ||
	    (ask->source && strlen(ask->source) >= AGENT_NAME_SIZE))
		return fault_set(f, -EINVAL,
		                 "the name of the qube is too long");
	if (strlen(ask->service) > AGENT_SERVICE_MAX || !*ask->service)
		return fault_set(f, -EINVAL,
		                 *ask->service
		                         ? "the service's name is too long"
		                         : "the service has no name");
	return 0;
}

int guestcall_open(const struct guestcall_ask *ask, int streams[AGENT_STREAMS],
                   int *undecided, struct fault *f)
{
	autoclose int sock = -1;
	int err = check_names(ask, f);
	bool got;

	if (err < 0)
		return err;
	sock = connect_agent(ask->socket ? ask->socket : AGENT_SOCKET, f);
	if (sock < 0)
		return sock;
	err = send_request(sock, ask, undecided != NULL, f);
	if (err < 0)
		return err;
	err = hear(sock, streams, &got, f);
	if (err < 0)
		return err;
	if (!got)
		return fault_set(f, -EPROTO, "no streams with the answer");
	if (undecided)
		*undecided = err == AGENT_BEGUN ? take_fd(&sock) : -1;
	return 0;
}

int guestcall_decided(int undecided, struct fault *f)
{
	int streams[AGENT_STREAMS];
	bool got;
	int err = hear(undecided, streams, &got, f);

	for (size_t i = 0; err >= 0 && got && i < AGENT_STREAMS; i++)
		close(streams[i]);
	return err < 0 ? err : 0;
}

int guestcall_exit(int err)
{
	return err == -EACCES ? AGENT_EXIT_REFUSED : AGENT_EXIT_PROBLEM;
}

int guestcall_status(int stream)
{
	uint8_t wire[4];
	struct reader r = {.rest = {wire, sizeof(wire)}};
	size_t have = 0;

	while (have < sizeof(wire)) {
		ssize_t n = read(stream, wire + have, sizeof(wire) - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return AGENT_EXIT_PROBLEM;
		have += (size_t)n;
	}
	return (int)(rd_le32(&r) & 0xff);
}
