/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command as on a machine that lacks something:
 *
 *	without user-namespaces,landlock COMMAND [ARG...]
 *
 * by a seccomp filter that answers as such a machine's Linux would.  Calls that
 * a filter cannot look into (clone3) are answered as by an older one.
 */
#include "base/base.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NR   offsetof(struct seccomp_data, nr)
#define ARG0 offsetof(struct seccomp_data, args)

#define LOAD(at)     BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define IS(nr, no)   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, (no))
#define HAS(bit, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bit), 0, (no))
#define ANSWER(err)  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (err))
#define ALLOW        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static const struct sock_filter user_namespaces[] = {
	LOAD(NR),
	IS(SYS_clone3, 1),
	ANSWER(ENOSYS),
	IS(SYS_clone, 3),
	LOAD(ARG0),
	HAS(CLONE_NEWUSER, 1),
	ANSWER(EPERM),
	LOAD(NR),
	IS(SYS_unshare, 3),
	LOAD(ARG0),
	HAS(CLONE_NEWUSER, 1),
	ANSWER(EPERM),
	ALLOW,
};

static const struct sock_filter landlock[] = {
	LOAD(NR),
	IS(SYS_landlock_create_ruleset, 1),
	ANSWER(ENOSYS),
	ALLOW,
};

static const struct {
	const char *name;
	const struct sock_filter *code;
	unsigned short count;
} lacking[] = {
	{"user-namespaces", user_namespaces, ARRAY_LEN(user_namespaces)},
	{"landlock", landlock, ARRAY_LEN(landlock)},
};

static int lack(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(lacking); i++) {
		const struct sock_fprog filter = {
			.len = lacking[i].count,
			.filter = (struct sock_filter *)(uintptr_t)lacking[i]
		                          .code,
		};

		if (strcmp(lacking[i].name, name) == 0)
			return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
			       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
			             &filter) < 0;
	}
	errno = EINVAL;
	return -1;
}

int main(int argc, char **argv)
{
	char *rest = argc > 2 ? argv[1] : NULL;

	while (rest) {
		const char *name = strsep(&rest, ",");

		if (lack(name)) {
			perror(name);
			return 125;
		}
	}
	if (argc < 3) {
		(void)fputs("usage: without WHAT[,WHAT] COMMAND\n", stderr);
		return 125;
	}
	(void)execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
