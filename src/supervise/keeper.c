/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/keeper.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/hostcalls.h"
#include "channel/control.h"
#include "supervise/childmaps.h"

#define READY "ready\n"
#define OURS  125 /* exit status for our own failure */

/* What a keeper needs, moved to the lowest numbers behind its streams. */
enum {
	FD_LOG = 2,
	FD_CONTROL,
	FD_REPORT,
	FD_PARENT, /* these of the cgroup, if there is one */
	FD_EVENTS,
	FD_KILL,
	FD_COUNT
};

static void report(const char *text)
{
	/* Nobody may be there to read it any more. */
	(void)!write(FD_REPORT, text, strlen(text));
	(void)close(FD_REPORT);
}

/* The kernel wants a file of a cell's opened. */
static void answer(pid_t kernel, const struct control *asked,
                   struct control_fds *fds)
{
	struct control c = {.kind = CONTROL_opened, .value = {asked->value[0]}};
	autoclose int pidfd = control_take(fds, 0);
	autoclose int fd = -1;

	fd = childmaps_open(kernel, pidfd,
	                    asked->kind == CONTROL_maps ? "maps" : "statm");
	if (fd < 0)
		c.value[1] = (uint64_t)-fd;
	(void)!control_send(FD_CONTROL, &c, &fd, fd >= 0);
}

/* False when the kernel says no more. */
static bool serve(pid_t kernel)
{
	struct pollfd p = {.fd = FD_CONTROL, .events = POLLIN};
	struct control_fds fds;
	struct control c;
	int got;

	if (poll(&p, 1, -1) < 0)
		return true;
	got = control_receive(FD_CONTROL, CONTROL_KERNEL, &c, &fds);
	if (got == -EAGAIN)
		return true;
	if (got <= 0)
		return false;
	if (c.kind == CONTROL_ready)
		report(READY);
	else if (c.kind == CONTROL_failed)
		report(c.text);
	else if (c.kind == CONTROL_maps || c.kind == CONTROL_statm)
		answer(kernel, &c, &fds);
	control_close(&fds);
	return true;
}

#include "base/hostcalls_words.h"
static const struct hostcalls_row rows[] = {
#include "supervise/keeper.def"
};

/* A captured kernel is not to gain from what it says to us. */
static void confine(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    hostcalls_enter(rows, ARRAY_LEN(rows)) == 0)
		return;
	report("the keeper could not confine itself");
	_exit(OURS); /* the kernel ends with us */
}

static _Noreturn void keep(pid_t kernel, struct cgroup *g)
{
	int how;

	confine();
	while (serve(kernel))
		;
	/* Should it only have closed its connection, it is not ours any more. */
	(void)kill(kernel, SIGKILL);
	how = start_reap(kernel);
	cgroup_end(g);
	if (WIFSIGNALED(how) && WTERMSIG(how) == SIGSYS)
		(void)fprintf(stderr, "the kernel made a forbidden host call "
		                      "and was killed\n");
	else if (WIFSIGNALED(how))
		(void)fprintf(stderr, "the kernel was killed by signal %d\n",
		              WTERMSIG(how));
	_exit(WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how));
}

static void usual_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Keeps these alone, at their numbers. */
static int settle(int log, int to_report, struct started *k)
{
	struct cgroup *g = &k->cgroup;
	int *const all[] = {&log,       &k->control, &to_report,
	                    &g->parent, &g->events,  &g->kill};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (*all[i] < 0)
			continue;
		*all[i] = fcntl(*all[i], F_DUPFD_CLOEXEC, FD_COUNT);
		if (*all[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		int to = FD_LOG + (int)i;

		if (*all[i] < 0)
			(void)close(to);
		else if (dup2(*all[i], to) < 0)
			return -errno;
		else
			*all[i] = to;
	}
	if (dup2(FD_LOG, 0) < 0 || dup2(FD_LOG, 1) < 0)
		return -errno;
	(void)syscall(SYS_close_range, FD_COUNT, ~0u, 0);
	return 0;
}

_Noreturn void keeper_become(struct start *s, int log, int to_report)
{
	struct started k;
	struct fault f = {""};

	(void)prctl(PR_SET_NAME, "bento-keeper", 0, 0, 0);
	(void)setsid();
	(void)!chdir("/");
	usual_signals();
	s->say = log;
	if (start_kernel(s, &k, &f) < 0) {
		(void)!write(to_report, f.text, strlen(f.text));
		_exit(OURS);
	}
	if (settle(log, to_report, &k) < 0)
		_exit(OURS); /* the kernel ends with us */
	keep(k.pid, &k.cgroup);
}

int keeper_hear(int report, struct fault *f)
{
	char text[CONTROL_TEXT_MAX + 1];
	size_t size = 0;
	ssize_t n;

	do {
		n = read(report, text + size, sizeof(text) - 1 - size);
		size += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && size < sizeof(text) - 1) ||
	         (n < 0 && errno == EINTR));
	base_close(&report);
	text[size] = '\0';
	if (strcmp(text, READY) == 0)
		return 0;
	return fault_set(f, -EIO, "%s",
	                 size > 0 ? text : "the kernel ended by itself");
}
