/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gwjail.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/hostcalls.h"
#include "base/probe.h"
#include "base/rights.h"

#include "base/hostcalls_words.h"
static const struct hostcalls_row rows[] = {
#include "gateway/seccomp.def"
};

/* All rights that the first version of Landlock knows. */
#define FS_ALL ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* Nothing but sockets in the current folder. Without Landlock the filter alone
 * must do: it has no call that opens a file. */
static int hold_files(struct fault *f)
{
	struct landlock_ruleset_attr set = {.handled_access_fs = FS_ALL};
	struct landlock_path_beneath_attr here = {
		.allowed_access = LANDLOCK_ACCESS_FS_MAKE_SOCK |
	                          LANDLOCK_ACCESS_FS_REMOVE_FILE,
	};
	autoclose int folder = -1;
	autoclose int rules = -1;

	if (probe_landlock() == 0)
		return 0;
	folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return fault_errno(f, "open the folder of channels");
	here.parent_fd = folder;
	rules = (int)syscall(SYS_landlock_create_ruleset, &set,
	                     sizeof(set.handled_access_fs), 0);
	if (rules < 0 ||
	    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
	            &here, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		return fault_errno(f, "enter a Landlock domain");
	return 0;
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
