/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/editor.h"

#include <sys/wait.h>

int editor_run(const char *path, struct fault *f)
{
	const char *editor = getenv("VISUAL");
	int status = -1;
	pid_t pid;

	if (!editor || !*editor)
		editor = getenv("EDITOR");
	if (!editor || !*editor)
		editor = "vi";
	pid = fork();
	if (pid < 0)
		return fault_errno(f, "start %s", editor);
	if (pid == 0) {
		/* By the shell, since $EDITOR may have options. */
		(void)execl("/bin/sh", "sh", "-c", "exec $0 \"$1\"", editor,
		            path, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0 ? 0
	                   : fault_set(f, -EIO, "%s failed; nothing changed",
	                               editor);
}
