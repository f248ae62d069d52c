/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/haul.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/libexec.h"
#include "base/visible.h"
#include "channel/report.h"

#define ABOVE 256 /* descriptors move up here before they move down */

/* The beginning of what the service has said; "" if that is nothing. */
static void hear_errors(int fd, char out[static HAUL_WHY_MAX])
{
	size_t have = 0;
	ssize_t n = 1;

	while (n > 0 && have < HAUL_WHY_MAX - 1) {
		n = read(fd, out + have, HAUL_WHY_MAX - 1 - have);
		have += n > 0 ? (size_t)n : 0;
	}
	while (have > 0 && out[have - 1] == '\n')
		have--;
	out[have] = '\0';
	visible_line(out);
}

/* -1: it has said none. */
static int hear_status(int fd)
{
	uint8_t wire[4];
	struct reader r = {.rest = {wire, sizeof(wire)}};
	size_t have = 0;
	ssize_t n = 1;

	while (n > 0 && have < sizeof(wire)) {
		n = read(fd, wire + have, sizeof(wire) - have);
		have += n > 0 ? (size_t)n : 0;
	}
	return have < sizeof(wire) ? -1 : (int)(rd_le32(&r) & 0xff);
}

int haul_end(int streams[CALLMSG_STREAMS], const char *qube,
             const char *service, struct fault *f)
{
	char why[HAUL_WHY_MAX];
	int status;

	/* So that it ends, if it has not yet. */
	base_close(&streams[CALLMSG_IN]);
	base_close(&streams[CALLMSG_OUT]);
	streams[CALLMSG_IN] = streams[CALLMSG_OUT] = -1;
	hear_errors(streams[CALLMSG_ERRORS], why);
	status = hear_status(streams[CALLMSG_STATUS]);
	callmsg_close(streams);
	streams[CALLMSG_ERRORS] = streams[CALLMSG_STATUS] = -1;
	if (status == 0)
		return 0;
	if (status == CALLMSG_EXIT_NO_SERVICE)
		return fault_set(f, -ENOSYS,
		                 "%s has no service %s: something in its "
		                 "template hides ours",
		                 qube, service);
	if (why[0])
		return fault_set(f, -EREMOTEIO, "%s says: %s", qube, why);
	return fault_set(f, -EREMOTEIO,
	                 "%s failed in %s: `bento log %s` may "
	                 "say why",
	                 service, qube, qube);
}

struct child {
	int exe;
	int fd[5]; /* by number */
	char *argv[3];
};

static _Noreturn void become_receiver(const struct child *c)
{
	static char *const none[] = {NULL};
	sigset_t empty;

	(void)sigemptyset(&empty);
	(void)sigprocmask(SIG_SETMASK, &empty, NULL);
	for (int i = 0; i < (int)ARRAY_LEN(c->fd); i++)
		if (dup2(c->fd[i], i) < 0)
			_exit(125);
	(void)!chdir("/");
	(void)syscall(SYS_execveat, c->exe, "", c->argv, none, AT_EMPTY_PATH);
	_exit(125);
}

/* One report; 0, 1 after the last one, or a negative errno. */
static int hear(const struct haul *h, int sock, struct report *r,
                struct fault *f)
{
	autofree uint8_t *bytes = malloc(REPORT_SIZE_MAX + 1);
	ssize_t n;

	if (!bytes)
		return fault_set(f, -ENOMEM, "out of memory");
	n = recv(sock, bytes, REPORT_SIZE_MAX + 1, 0);
	if (n < 0)
		return errno == EINTR ? 0 : fault_errno(f, "hear a helper");
	if (n == 0)
		return fault_set(f, -EIO, "bento-receive ended by itself");
	if (report_parse((struct span){bytes, (size_t)n}, r) < 0)
		return fault_set(f, -EPROTO, "bento-receive talks nonsense");
	if (r->kind == REPORT_FAILED)
		return fault_set(f, r->error ? -(int)(r->error & 0xfff) : -EIO,
		                 "%.*s", (int)r->text.size,
		                 (const char *)r->text.at);
	if (r->kind == REPORT_DONE)
		return 1;
	if (h->progress)
		h->progress(h->ctx, r->done, r->of);
	return 0;
}

static int run(const struct haul *h, struct child *c, int mine, int *theirs,
               struct report *last, struct fault *f)
{
	const int wanted[] = {h->streams[CALLMSG_OUT], h->streams[CALLMSG_IN],
	                      STDERR_FILENO, h->folder, *theirs};
	pid_t pid;
	int err = 0;

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		c->fd[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, ABOVE);
		if (c->fd[i] < 0)
			return fault_errno(f, "give descriptors to a helper");
	}
	pid = fork();
	if (pid < 0)
		return fault_errno(f, "start bento-receive");
	if (pid == 0)
		become_receiver(c);
	/* Its ends are its own: their silence is its end. */
	base_close(theirs);
	*theirs = -1;
	for (size_t i = 0; i < ARRAY_LEN(c->fd); i++)
		base_close(&c->fd[i]);
	base_close(&h->streams[CALLMSG_IN]);
	base_close(&h->streams[CALLMSG_OUT]);
	h->streams[CALLMSG_IN] = h->streams[CALLMSG_OUT] = -1;
	while (err == 0)
		err = hear(h, mine, last, f);
	if (err < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err < 0 ? err : 0;
}

int haul_receive(const struct haul *h, uint64_t *bytes, uint64_t *files,
                 struct fault *f)
{
	static char name[] = "bento-receive", all_names[] = "all-names";
	struct child c = {
		.exe = libexec_open(name, f),
		.fd = {-1, -1, -1, -1, -1},
		.argv = {name, h->all_names ? all_names : NULL, NULL},
	};
	autoclose int mine = -1, theirs = -1;
	struct report last = {0};
	int ends[2];
	int err;

	if (c.exe < 0)
		return c.exe;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		err = fault_errno(f, "make a socket pair");
	} else {
		mine = ends[0];
		theirs = ends[1];
		err = run(h, &c, mine, &theirs, &last, f);
	}
	for (size_t i = 0; i < ARRAY_LEN(c.fd); i++)
		base_close(&c.fd[i]);
	base_close(&c.exe);
	if (err < 0)
		return err;
	*bytes = last.done;
	*files = last.of;
	return 0;
}
