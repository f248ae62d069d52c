/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/jail.h"

#include <linux/capability.h>
#include <linux/landlock.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/probe.h"
#include "kernel/seccomp.h"

/* Landlock as of ABI 6; the headers of Debian 12 know ABI 2. */
struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* from ABI 4 on */
	uint64_t scoped;             /* from ABI 6 on */
};

#define FS_TRUNCATE  (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define NET_ALL      3ull /* bind and connect of TCP */
#define SCOPE_ALL    3ull /* abstract unix sockets, signals */

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE                                                         \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |  \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |     \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SOCK |   \
	 LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)
#define FS_OF_FILES                                                   \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	 LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE)

/* Every right to files an ABI version knows, and thereby takes away. */
static uint64_t fs_rights(int abi)
{
	uint64_t all = (1ull << 13) - 1;

	if (abi >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		all |= FS_TRUNCATE;
	if (abi >= 5)
		all |= FS_IOCTL_DEV;
	return all;
}

bool jail_in_namespace(void)
{
	return getpid() == 1;
}

/*
 * Capabilities are kept only where they concern the user's own: reaching files
 * as root does, when root started us, and in a user namespace of our own our
 * cells' memory, even if Yama forbids that to parents.
 */
static int drop_capabilities(struct fault *f)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {0};
	uint32_t keep = 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER;

	if (jail_in_namespace())
		keep |= 1u << CAP_SYS_PTRACE;
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap >= 32 || !(keep & 1u << cap))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &head, data) < 0)
		return fault_errno(f, "read capabilities");
	data[0].permitted &= keep;
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	data[1] = (struct __user_cap_data_struct){0};
	if (syscall(SYS_capset, &head, data) < 0)
		return fault_errno(f, "drop capabilities");
	return 0;
}

int jail_begin(struct fault *f)
{
	static const struct rlimit no_core = {0, 0};
	struct rlimit files;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return fault_errno(f, "tie the kernel to its owner");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fault_errno(f, "give up gaining privileges");
	if (drop_capabilities(f) < 0)
		return -EPERM;
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return fault_errno(f, "forbid core files");
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return fault_errno(f, "read the limit of descriptors");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		return fault_errno(f, "raise the limit of descriptors");
	return 0;
}

static uint64_t place_rights(unsigned what)
{
	uint64_t rights = 0;

	if (what & JAIL_READ)
		rights |= FS_READ;
	if (what & JAIL_LIST)
		rights |= LANDLOCK_ACCESS_FS_READ_DIR;
	if (what & JAIL_WRITE)
		rights |= FS_WRITE;
	if (what & JAIL_EXECUTE)
		rights |= LANDLOCK_ACCESS_FS_EXECUTE;
	return what & JAIL_FILE ? rights & FS_OF_FILES : rights;
}

int jail_plan(const struct jail_place *place, size_t count, int *plan,
              struct fault *f)
{
	int abi = probe_landlock();
	struct ruleset set = {
		.handled_access_fs = fs_rights(abi),
		.handled_access_net = abi >= 4 ? NET_ALL : 0,
		.scoped = abi >= 6 ? SCOPE_ALL : 0,
	};
	size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
	autoclose int ruleset = -1;

	if (abi == 0 && jail_in_namespace()) {
		*plan = -1;
		return 0;
	}
	if (abi == 0)
		return fault_set(f, -ENOTSUP,
		                 "this host has neither Landlock nor a PID "
		                 "namespace for us: a captured kernel could "
		                 "reach your other processes and files");
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
	if (ruleset < 0)
		return fault_errno(f, "make a Landlock ruleset");
	for (size_t i = 0; i < count; i++) {
		struct landlock_path_beneath_attr rule = {
			.allowed_access = place_rights(place[i].what) &
		                          set.handled_access_fs,
			.parent_fd = place[i].fd,
		};

		if (syscall(SYS_landlock_add_rule, ruleset,
		            LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
			return fault_errno(f, "allow a folder in Landlock");
	}
	*plan = take_fd(&ruleset);
	return 0;
}

int jail_files(int plan, struct fault *f)
{
	if (plan >= 0 && syscall(SYS_landlock_restrict_self, plan, 0) < 0)
		return fault_errno(f, "enter the Landlock domain");
	return 0;
}

int jail_calls(struct fault *f)
{
	int err = seccomp_enter();

	if (err < 0)
		return fault_set(f, err, "install the seccomp filter: %s",
		                 strerror(-err));
	return 0;
}
