/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/local.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

static int spawn(const char *command, const int ends[2], pid_t *pid,
                 struct fault *f)
{
	char *argv[] = {(char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c",
	                (char *)(uintptr_t)command, NULL};
	posix_spawn_file_actions_t actions;
	int err;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return fault_set(f, -ENOMEM, "out of memory");
	err = posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
	if (err == 0)
		err = posix_spawn_file_actions_adddup2(&actions, ends[1],
		                                       STDOUT_FILENO);
	if (err == 0)
		err = posix_spawn(pid, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (err != 0)
		return fault_set(f, -err, "run %s: %s", command, strerror(err));
	return 0;
}

int local_begin(struct local *l, const char *command, struct fault *f)
{
	autoclose int from_qube = -1, to_local = -1;
	autoclose int from_local = -1, to_qube = -1;
	int ends[2], err;

	*l = (struct local){.kept = {-1, -1}};
	if (!command)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, "make a pipe");
	from_qube = ends[0];
	to_local = ends[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, "make a pipe");
	from_local = ends[0];
	to_qube = ends[1];
	err = spawn(command, (const int[]){from_qube, to_qube}, &l->pid, f);
	if (err < 0)
		return err;
	(void)signal(SIGPIPE, SIG_IGN);
	l->kept[0] = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	l->kept[1] = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (dup2(from_local, STDIN_FILENO) < 0 ||
	    dup2(to_local, STDOUT_FILENO) < 0) {
		err = fault_errno(f, "lead streams to %s", command);
		local_end(l);
	}
	return err;
}

void local_end(struct local *l)
{
	if (l->pid == 0)
		return;
	for (int i = 0; i < 2; i++) {
		if (l->kept[i] < 0 || dup2(l->kept[i], i) < 0)
			(void)close(i);
		base_close(&l->kept[i]);
	}
	while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
		;
	l->pid = 0;
}
