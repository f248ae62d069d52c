/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/seccomp.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "channel/layout.h"

#define ANY      HOSTCALLS_ANY
#define IS       HOSTCALLS_IS
#define ONLY     HOSTCALLS_ONLY
#define NONE_OF  HOSTCALLS_NONE_OF
#define IS64     HOSTCALLS_IS64
#define HOSTFAIL HOSTCALLS_FAIL
#define HOSTCALL HOSTCALLS_CALL

static const struct hostcalls_row rows[] = {
#include "kernel/seccomp.def"
};

size_t seccomp_build(struct sock_filter prog[static HOSTCALLS_FILTER_MAX],
                     uint32_t refusal)
{
	return hostcalls_build(rows, ARRAY_LEN(rows), prog, refusal);
}

int seccomp_enter(void)
{
	return hostcalls_enter(rows, ARRAY_LEN(rows));
}
