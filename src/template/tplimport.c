/* SPDX-License-Identifier: Apache-2.0 */
#include "template/tplimport.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/libexec.h"

#define FIRST 3   /* of the helper's descriptors, behind its streams */
#define ABOVE 256 /* they move up here before they move down */

struct child {
	int exe;
	int fd[FIRST + 3 + TPLIMPORT_INPUTS]; /* by number */
	int count;
	char *argv[2 + TPLIMPORT_INPUTS + 1];
};

static _Noreturn void become_helper(const struct child *c)
{
	static char *const none[] = {NULL};
	const char *how = getenv("BENTO_SECCOMP");
	char trap[] = "BENTO_SECCOMP=trap";
	char *const told[] = {trap, NULL};
	sigset_t empty;

	(void)sigemptyset(&empty);
	(void)sigprocmask(SIG_SETMASK, &empty, NULL);
	for (int i = 0; i < c->count; i++)
		if (dup2(c->fd[i], i) < 0)
			_exit(125);
	(void)!chdir("/");
	(void)syscall(SYS_execveat, c->exe, "", c->argv,
	              how && strcmp(how, "trap") == 0 ? told : none,
	              AT_EMPTY_PATH);
	_exit(125);
}

static int add(struct child *c, int fd)
{
	int up = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);

	if (up < 0)
		return -errno;
	c->fd[c->count++] = up;
	return 0;
}

/* Standard input is nothing, standard output the socket. */
static int fill(struct child *c, const struct tplimport *job, int socket)
{
	static char name[] = "bento-import";
	autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint32_t args = 0;
	int err;

	if (null < 0)
		return -errno;
	err = add(c, null);
	if (err == 0)
		err = add(c, socket);
	if (err == 0)
		err = add(c, STDERR_FILENO);
	for (size_t i = 0; i < ARRAY_LEN(job->fd) && err == 0; i++)
		err = add(c, job->fd[i] < 0 ? null : job->fd[i]);
	for (uint32_t i = 0; i < job->count && err == 0; i++)
		err = add(c, job->input[i]);
	c->argv[args++] = name;
	c->argv[args++] = (char *)(uintptr_t)job->job;
	for (uint32_t i = 0; i < job->count; i++)
		if (job->kind[i])
			c->argv[args++] = (char *)(uintptr_t)job->kind[i];
	return err;
}

/* One report; 0, 1 after the last one, or a negative errno. */
static int hear(const struct tplimport *job, int socket, struct fault *f)
{
	autofree uint8_t *bytes = malloc(REPORT_SIZE_MAX + 1);
	struct report r;
	ssize_t n;

	if (!bytes)
		return fault_set(f, -ENOMEM, "out of memory");
	n = recv(socket, bytes, REPORT_SIZE_MAX + 1, 0);
	if (n < 0)
		return errno == EINTR ? 0 : fault_errno(f, "hear a helper");
	if (n == 0)
		return fault_set(f, -EIO, "bento-import ended by itself");
	if (report_parse((struct span){bytes, (size_t)n}, &r) < 0)
		return fault_set(f, -EPROTO, "bento-import talks nonsense");
	if (r.kind == REPORT_DONE)
		return 1;
	if (r.kind == REPORT_FAILED)
		return fault_set(f, r.error ? -(int)r.error : -EIO, "%.*s",
		                 (int)r.text.size, (const char *)r.text.at);
	job->told(job->ctx, &r);
	return 0;
}

static int hear_all(const struct tplimport *job, int socket, struct fault *f)
{
	struct pollfd p = {.fd = socket, .events = POLLIN};
	int wait = job->patience_ms > 0 ? job->patience_ms : -1;
	int got = 0;

	while (got == 0) {
		int n = poll(&p, 1, wait);

		if (n < 0 && errno != EINTR)
			return fault_errno(f, "wait for a helper");
		if (n == 0)
			job->told(job->ctx, NULL);
		if (n > 0)
			got = hear(job, socket, f);
	}
	return got < 0 ? got : 0;
}

static int run(const struct tplimport *job, struct child *c, int mine,
               int *theirs, struct fault *f)
{
	pid_t pid;
	int err = fill(c, job, *theirs);

	if (err < 0)
		return fault_set(f, err, "give descriptors to a helper: %s",
		                 strerror(-err));
	pid = fork();
	if (pid < 0)
		return fault_errno(f, "start bento-import");
	if (pid == 0)
		become_helper(c);
	/* The helper's end is the helper's alone: its silence is its end. */
	base_close(theirs);
	*theirs = -1;
	for (; c->count > 0; c->count--)
		base_close(&c->fd[c->count - 1]);
	err = hear_all(job, mine, f);
	if (err < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

int tplimport(const struct tplimport *job, struct fault *f)
{
	autofree struct child *c = calloc(1, sizeof(*c));
	autoclose int mine = -1, theirs = -1;
	int ends[2], err;

	if (!c)
		return fault_set(f, -ENOMEM, "out of memory");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fault_errno(f, "make a socket pair");
	mine = ends[0];
	theirs = ends[1];
	c->exe = libexec_open("bento-import", f);
	if (c->exe < 0)
		return c->exe;
	err = run(job, c, mine, &theirs, f);
	for (; c->count > 0; c->count--)
		base_close(&c->fd[c->count - 1]);
	base_close(&c->exe);
	return err;
}
