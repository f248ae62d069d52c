/* SPDX-License-Identifier: Apache-2.0 */
/* Process groups and sessions. */
#include "check.h"

#include <sched.h>

static void pause_forever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

static void lead(void *arg)
{
	int *p = arg;
	pid_t me = getpid();

	EQ(setsid(), me);
	EQ(getsid(0), me);
	EQ(getpgrp(), me);
	FAILS(setsid(), EPERM);
	FAILS(setpgid(0, 0), EPERM); /* a leader stays one */
	FAILS(open("/dev/tty", O_RDWR), ENXIO);
	tell(p[1]);
	pause_forever(NULL);
}

static void groups(void)
{
	pid_t a = child(pause_forever, NULL), b = child(pause_forever, NULL);
	pid_t mine = getpgrp();
	int status;

	EQ(getpgid(a), mine);
	EQ(getsid(a), getsid(0));
	OK(setpgid(a, 0));
	EQ(getpgid(a), a);
	OK(setpgid(b, a));
	EQ(getpgid(b), a);
	OK(setpgid(b, b));
	OK(setpgid(b, a));
	FAILS(setpgid(b, 0x3ffffff), EPERM);
	FAILS(setpgid(b, -1), EINVAL);
	FAILS(setpgid(0x3ffffff, 0), ESRCH);
	FAILS(setpgid(1, 0), ESRCH);
	FAILS(getpgid(0x3ffffff), ESRCH);
	FAILS(getsid(-1), ESRCH);
	/* A signal to a group reaches each in it. */
	OK(killpg(a, SIGTERM));
	EQ(waitpid(-a, &status, 0) > 0, 1);
	EQ(WTERMSIG(status), SIGTERM);
	EQ(waitpid(-a, &status, 0) > 0, 1);
	EQ(WTERMSIG(status), SIGTERM);
	FAILS(killpg(a, 0), ESRCH);
	FAILS(waitpid(-a, &status, 0), ECHILD);
}

static void other_session(void)
{
	int p[2];
	pid_t pid;

	OK(pipe(p));
	pid = child(lead, p);
	await(p[0]);
	EQ(getsid(pid), pid);
	FAILS(setpgid(pid, getpgrp()), EPERM);
	FAILS(setpgid(0, pid), EPERM);
	OK(kill(pid, SIGKILL));
	reap(pid);
}

static void after_exec(void)
{
	pid_t pid;
	int p[2];

	/* Who has execed cannot be moved any more. */
	OK(pipe(p));
	pid = fork();
	if (pid == 0) {
		OK(dup2(p[1], 1));
		execl("/bin/sh", "sh", "-c", "echo; kill -STOP $$", NULL);
		_exit(1);
	}
	{
		char c;

		EQ(read(p[0], &c, 1), 1);
	}
	FAILS(setpgid(pid, pid), EACCES);
	OK(kill(pid, SIGKILL));
	reap(pid);
}

struct talk {
	int up[2];
	int down[2];
};

static volatile sig_atomic_t hup, cont;

static void on_hup(int sig)
{
	(void)sig;
	hup = 1;
}

static void on_cont(int sig)
{
	(void)sig;
	cont = 1;
}

static void stopped_grandchild(void *arg)
{
	struct talk *t = arg;
	pid_t pid;
	int status;

	OK(setsid());
	pid = fork();
	if (pid == 0) {
		OK(setpgid(0, 0));
		signal(SIGHUP, on_hup);
		signal(SIGCONT, on_cont);
		raise(SIGSTOP);
		while (!hup || !cont)
			sched_yield();
		tell(t->up[1]);
		_exit(0);
	}
	EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	/* Our going orphans a stopped group: it gets HUP and CONT. */
}

static void orphaned_group(void)
{
	struct talk t;

	OK(pipe(t.up));
	apart(stopped_grandchild, &t);
	await(t.up[0]);
}

int main(void)
{
	groups();
	other_session();
	after_exec();
	orphaned_group();
	return 0;
}
