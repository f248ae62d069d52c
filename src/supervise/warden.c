/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/warden.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/hostcalls.h"

#include "base/hostcalls_words.h"
static const struct hostcalls_row rows[] = {
#include "supervise/warden.def"
};

/* Of its caller's memory and descriptors it needs nothing but `kernel`. */
static int confine(int kernel)
{
	if (dup2(kernel, 0) < 0 || syscall(SYS_close_range, 1, ~0u, 0) < 0 ||
	    prctl(PR_SET_NAME, "bento-warden") < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return hostcalls_enter(rows, ARRAY_LEN(rows));
}

/* If it cannot watch, there is to be no kernel either. */
static _Noreturn void watch(int kernel)
{
	struct pollfd p = {.events = POLLIN};

	if (confine(kernel) == 0)
		while (poll(&p, 1, -1) < 0)
			;
	for (;;)
		(void)kill(0, SIGKILL);
}

int warden_start(void)
{
	autoclose int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	long pid;

	if (self < 0)
		return -errno;
	pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
	if (pid == 0)
		watch(self);
	return pid < 0 ? -errno : 0;
}
