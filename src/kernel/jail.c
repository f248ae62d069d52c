/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/jail.h"

#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/rights.h"
#include "kernel/seccomp.h"

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

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return fault_errno(f, "tie the kernel to its owner");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fault_errno(f, "give up gaining privileges");
	if (drop_capabilities(f) < 0)
		return -EPERM;
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return fault_errno(f, "forbid core files");
	rights_allow_many();
	return 0;
}

int jail_plan(const struct landlock_place *place, size_t count, int *plan,
              struct fault *f)
{
	int fd = landlock_plan(place, count,
	                       LANDLOCK_NO_ABSTRACT | LANDLOCK_NO_SIGNALS, f);

	if (fd == -EOPNOTSUPP && jail_in_namespace()) {
		*plan = -1;
		return 0;
	}
	if (fd == -EOPNOTSUPP)
		return fault_set(f, -ENOTSUP,
		                 "this host has neither Landlock nor a PID "
		                 "namespace for us: a captured kernel could "
		                 "reach your other processes and files");
	if (fd < 0)
		return fd;
	*plan = fd;
	return 0;
}

int jail_files(int plan, struct fault *f)
{
	return plan < 0 ? 0 : landlock_enter(plan, f);
}

int jail_calls(struct fault *f)
{
	int err = seccomp_enter();

	if (err < 0)
		return fault_set(f, err, "install the seccomp filter: %s",
		                 strerror(-err));
	return 0;
}
