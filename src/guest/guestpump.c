/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/guestpump.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/visible.h"

#define CHUNK 65536u

/* One direction. */
struct way {
	int from;
	int to;
	bool filter;
	bool half; /* `to` is a socket that goes on in the other direction */
	pthread_t thread;
	bool running;
};

static void *carry(void *arg)
{
	const struct way *w = arg;
	uint8_t *chunk = malloc(CHUNK);
	ssize_t n = 0;

	while (chunk) {
		n = read(w->from, chunk, CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (w->filter)
			visible_filter(chunk, (size_t)n);
		if (guestcall_write(w->to, chunk, (size_t)n) < 0)
			break;
	}
	free(chunk);
	if (!w->half) /* the service is to see that nobody reads it */
		close(w->from);
	/* What the kernel hands over in a qube ends by being closed only. */
	if (w->half && shutdown(w->to, SHUT_WR) < 0)
		close(w->to);
	return NULL;
}

static bool filtered(enum guestpump_filter how, int fd)
{
	return how == GUESTPUMP_FILTER ||
	       (how == GUESTPUMP_ON_TERMINAL && isatty(fd));
}

static bool begin(struct way *w)
{
	w->running = pthread_create(&w->thread, NULL, carry, w) == 0;
	return w->running;
}

/* Waits for what the service says, then for its end. */
static int wait_end(struct way *out, struct way *errors,
                    int streams[AGENT_STREAMS])
{
	int status;

	if (out->running)
		(void)pthread_join(out->thread, NULL);
	(void)pthread_join(errors->thread, NULL);
	status = guestcall_status(streams[AGENT_STATUS]);
	return status;
}

static int with_stdio(const struct guestpump *p, int streams[AGENT_STREAMS],
                      struct way *errors)
{
	int to = p->both_on_stdin ? STDIN_FILENO : STDOUT_FILENO;
	struct way in = {
		.from = STDIN_FILENO, .to = streams[AGENT_IN], .half = true};
	struct way out = {.from = streams[AGENT_OUT],
	                  .to = to,
	                  .filter = filtered(p->out, to),
	                  .half = p->both_on_stdin};

	/* A service that reads no more may still have a status to tell. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (!begin(errors) || !begin(&out) || !begin(&in))
		return AGENT_EXIT_PROBLEM;
	/* Whoever still writes to a service that has ended is not waited for. */
	return wait_end(&out, errors, streams);
}

/* A descriptor of ours under another number, named in the environment. */
static void save(const char *name, int fd)
{
	int kept = dup(fd);
	char text[16];

	if (kept < 0)
		return;
	(void)snprintf(text, sizeof(text), "%d", kept);
	(void)setenv(name, text, 1);
}

/* In the child: the local side. */
static int be_local(const struct guestpump *p, int streams[AGENT_STREAMS])
{
	int argc = 0;
	int status;

	while (p->words && p->words[argc])
		argc++;
	save("SAVED_FD_0", STDIN_FILENO);
	save("SAVED_FD_1", STDOUT_FILENO);
	if (dup2(streams[AGENT_OUT], STDIN_FILENO) < 0 ||
	    dup2(streams[AGENT_IN], STDOUT_FILENO) < 0)
		return AGENT_EXIT_PROBLEM;
	for (size_t i = 0; i < AGENT_STREAMS; i++)
		close(streams[i]);
	if (p->local) {
		status = p->local(argc, p->words);
		return fflush(NULL) != 0 && status == 0 ? EXIT_FAILURE : status;
	}
	(void)execvp(p->words[0], p->words);
	status = errno == ENOENT ? 127 : 126;
	perror(p->words[0]);
	return status;
}

static int wait_child(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_FAILURE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int with_local(const struct guestpump *p, int streams[AGENT_STREAMS],
                      struct way *errors)
{
	struct way none = {.running = false};
	pid_t child = fork();
	int status, local;

	if (child == 0)
		exit(be_local(p, streams));
	/* The service shall see it when the local side closes these. */
	close(streams[AGENT_IN]);
	close(streams[AGENT_OUT]);
	if (child < 0 || !begin(errors))
		return AGENT_EXIT_PROBLEM;
	status = wait_end(&none, errors, streams);
	local = wait_child(child);
	return status == 0 && p->local ? local : status;
}

static int complain(const char *name, int err, const struct fault *f)
{
	(void)fprintf(stderr, "%s: %s\n", name, f->text);
	return guestcall_exit(err);
}

/* Is there something to send before it is decided? */
static bool sends_first(int undecided)
{
	struct pollfd ready[] = {{.fd = STDIN_FILENO, .events = POLLIN},
	                         {.fd = undecided, .events = POLLIN}};

	while (poll(ready, ARRAY_LEN(ready), -1) < 0 && errno == EINTR)
		;
	return ready[0].revents && !ready[1].revents;
}

/*
 * What the local side does must not begin if it is refused, and other agents than
 * our own answer in one way only.  Else we do not wait while there is something to
 * send: then *undecided is what guestcall_open() says.
 */
static int open_call(const struct guestpump *p, int streams[AGENT_STREAMS],
                     int *undecided, struct fault *f)
{
	bool waits = p->words || p->local || p->ask.socket;
	int err = guestcall_open(&p->ask, streams, waits ? NULL : undecided, f);

	if (err < 0 || *undecided < 0 || p->prefix || sends_first(*undecided))
		return err;
	err = guestcall_decided(*undecided, f);
	base_close(undecided);
	if (err >= 0 || err == -EACCES)
		return err;
	/* It was forgotten together with who decides.  Nothing was sent. */
	for (size_t i = 0; i < AGENT_STREAMS; i++)
		close(streams[i]);
	return guestcall_open(&p->ask, streams, NULL, f);
}

int guestpump(const struct guestpump *p, const char *name)
{
	int streams[AGENT_STREAMS];
	int undecided = -1;
	struct way errors;
	struct fault f;
	int status;
	int err = open_call(p, streams, &undecided, &f);

	if (err < 0)
		return complain(name, err, &f);
	if (p->prefix)
		/* Whether it gets there, the service's end will tell. */
		(void)!guestcall_write(streams[AGENT_IN], p->prefix,
		                       strlen(p->prefix));
	errors = (struct way){
		.from = streams[AGENT_ERRORS],
		.to = STDERR_FILENO,
		.filter = filtered(p->errors, STDERR_FILENO),
	};
	status = p->words || p->local ? with_local(p, streams, &errors)
	                              : with_stdio(p, streams, &errors);
	/* These may be the service's, or say that there never was one. */
	if (undecided >= 0 &&
	    (status == AGENT_EXIT_REFUSED || status == AGENT_EXIT_PROBLEM)) {
		err = guestcall_decided(undecided, &f);
		if (err < 0)
			return complain(name, err, &f);
	}
	return status;
}
