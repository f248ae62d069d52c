/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/launcher.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/libexec.h"

#define PROGRAM "bento-manager"

/* The manager is not of this session: of our environment it gets little. */
static bool goes_along(const char *entry)
{
	static const char *const start[] = {
		"HOME=",
		"PATH=",
		"XDG_DATA_HOME=",
		"XDG_STATE_HOME=",
		"LANG=",
		"LC_",
		"XDG_RUNTIME_DIR=",
		"XDG_CONFIG_HOME=",
		"USER=",
		"TMPDIR=",
		"BENTO_",
		"ASAN_OPTIONS=",
		"LOGNAME=",
		"UBSAN_OPTIONS=",
	};

	for (size_t i = 0; i < ARRAY_LEN(start); i++)
		if (strncmp(entry, start[i], strlen(start[i])) == 0)
			return true;
	return false;
}

struct child {
	int exe, null, say, log;
};

static _Noreturn void become_manager(const struct child *c)
{
	static char name[] = PROGRAM;
	static char *const argv[] = {name, NULL};
	char *env[64] = {NULL};
	int fd[3] = {c->null, c->say, c->log};
	int exe = fcntl(c->exe, F_DUPFD_CLOEXEC, 10);
	size_t count = 0;
	sigset_t none;

	for (char **e = environ; *e && count + 1 < ARRAY_LEN(env); e++)
		if (goes_along(*e))
			env[count++] = *e;
	(void)!chdir("/");
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Any of ours may have one of the three numbers. */
	for (int i = 0; i < 3; i++)
		fd[i] = fcntl(fd[i], F_DUPFD_CLOEXEC, 10);
	for (int i = 0; i < 3; i++)
		if (dup2(fd[i], i) < 0)
			_exit(125);
	(void)syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
	(void)syscall(SYS_execveat, exe, "", argv, env, AT_EMPTY_PATH);
	(void)dprintf(1, "start %s: %s\n", PROGRAM, strerror(errno));
	_exit(125);
}

/* Two forks: the manager is init's child, not that of a command. */
static int start_detached(const struct child *c, struct fault *f)
{
	pid_t pid = fork();

	if (pid < 0)
		return fault_errno(f, "start the manager");
	if (pid == 0) {
		(void)setsid();
		pid = fork();
		if (pid == 0)
			become_manager(c);
		_exit(pid < 0 ? 125 : 0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static int open_log(const struct paths *p, struct fault *f)
{
	autoclose int state = paths_open(p, PATHS_STATE, f);
	autoclose int folder = -1;
	int fd;

	if (state < 0)
		return state;
	folder = paths_open_below(state, "log", f);
	if (folder < 0)
		return folder;
	fd = openat(folder, "manager.log",
	            O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
	            0600);
	if (fd < 0)
		return fault_errno(f, "open %s/log/manager.log",
		                   p->at[PATHS_STATE]);
	return fd;
}

/* What the manager says, until it closes its stdout. */
static int hear(int fd, struct fault *f)
{
	char text[sizeof(f->text)];
	size_t size = 0;

	while (size < sizeof(text) - 1) {
		ssize_t n = read(fd, text + size, sizeof(text) - 1 - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		size += (size_t)n;
	}
	text[size] = '\0';
	if (strcmp(text, LAUNCHER_READY) == 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return fault_set(f, -ECONNREFUSED, "the manager did not start: %.400s",
	                 *text ? text : "it ended without a word");
}

int launcher_start(const struct paths *p, struct fault *f)
{
	autoclose int exe = libexec_open(PROGRAM, f);
	autoclose int null = -1, log = -1, heard = -1, say = -1;
	struct child c;
	int ends[2], err;

	if (exe < 0)
		return exe;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return fault_errno(f, "open /dev/null");
	log = open_log(p, f);
	if (log < 0)
		return log;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, "make a pipe");
	heard = ends[0];
	say = ends[1];
	c = (struct child){exe, null, say, log};
	err = start_detached(&c, f);
	if (err < 0)
		return err;
	close(take_fd(&say));
	return hear(heard, f);
}
