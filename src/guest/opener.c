/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/opener.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

enum fits { FILES = 1, ADDRESSES = 2 };

static const struct {
	const char *program;
	unsigned fits;
} programs[] = {
	{"xdg-open", FILES | ADDRESSES},
	{"run-mailcap", FILES},
	{"sensible-browser", ADDRESSES},
	{"x-www-browser", ADDRESSES},
};

static int be_opener(const char *name, const char *what, bool address)
{
	const char *wanted = getenv("BENTO_OPEN");
	unsigned need = address ? ADDRESSES : FILES;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return 126;
	if (wanted) {
		(void)execlp(wanted, wanted, what, (char *)NULL);
		perror(wanted);
		return 127;
	}
	for (size_t i = 0; i < ARRAY_LEN(programs); i++)
		if (programs[i].fits & need)
			(void)execlp(programs[i].program, programs[i].program,
			             what, (char *)NULL);
	(void)fprintf(stderr, "%s: no program to open it with\n", name);
	return 127;
}

int opener_run(const char *name, const char *what, bool address)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(be_opener(name, what, address));
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 126;
	if (child < 0)
		return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
