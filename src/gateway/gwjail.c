/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gwjail.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/hostcalls.h"
#include "base/landlock.h"
#include "base/rights.h"

#include "base/hostcalls_words.h"
static const struct hostcalls_row rows[] = {
#include "gateway/seccomp.def"
};

/*
 * Nothing but sockets in the current folder.  Without Landlock the filter alone
 * must do: it has no call that opens a file.
 */
static int hold_files(struct fault *f)
{
	autoclose int folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct landlock_place here = {folder, LANDLOCK_SOCKETS, false};
	autoclose int plan = -1;

	if (folder < 0)
		return fault_errno(f, "open the folder of channels");
	plan = landlock_plan(&here, 1,
	                     LANDLOCK_NO_ABSTRACT | LANDLOCK_NO_SIGNALS, f);
	if (plan == -EOPNOTSUPP)
		return 0;
	return plan < 0 ? plan : landlock_enter(plan, f);
}

int gwjail_enter(struct fault *f)
{
	static const struct rlimit none = {0, 0};
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &none) < 0)
		return fault_errno(f, "give up privileges");
	/* poll(2) takes no more descriptors than one may have. */
	rights_allow_many();
	err = hold_files(f);
	if (err < 0)
		return err;
	err = hostcalls_enter(rows, ARRAY_LEN(rows));
	return err < 0 ? fault_set(f, err, "install the seccomp filter: %s",
	                           strerror(-err))
	               : 0;
}
