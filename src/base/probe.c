/* SPDX-License-Identifier: Apache-2.0 */
#include "base/probe.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PROBE_SYS_MSEAL       462
#define PROBE_HWCAP2_FSGSBASE 2u

int probe_landlock(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	                   LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

static bool clone_works(uint64_t flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);
	int status;

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return false;
	while (waitpid((pid_t)pid, &status, 0) < 0 && errno == EINTR)
		;
	return true;
}

uint64_t probe_namespaces(uint64_t wanted)
{
	static const uint64_t kinds[] = {
		CLONE_NEWPID, CLONE_NEWIPC,    CLONE_NEWUTS,
		CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWNET,
	};
	uint64_t got = CLONE_NEWUSER;

	if (clone_works(wanted))
		return wanted;
	if (!clone_works(CLONE_NEWUSER))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (wanted & kinds[i] && clone_works(CLONE_NEWUSER | kinds[i]))
			got |= kinds[i];
	return got;
}

bool probe_user_namespace(void)
{
	return clone_works(CLONE_NEWUSER);
}

bool probe_pid_namespace(void)
{
	return clone_works(CLONE_NEWUSER | CLONE_NEWPID);
}

bool probe_seccomp(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool probe_mseal(void)
{
	/* Nothing is sealed: the size is 0. */
	return syscall(PROBE_SYS_MSEAL, NULL, 0, 0) == 0;
}

bool probe_fsgsbase(void)
{
	return getauxval(AT_HWCAP2) & PROBE_HWCAP2_FSGSBASE;
}

/* The first bytes of a small file as a string; -1 if there is none. */
static ssize_t slurp(const char *path, char *to, size_t room)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, to, room - 1);
	to[n < 0 ? 0 : n] = '\0';
	return n;
}

int probe_yama(void)
{
	char text[8];

	if (slurp("/proc/sys/kernel/yama/ptrace_scope", text, sizeof(text)) < 1)
		return -1;
	return text[0] - '0';
}
