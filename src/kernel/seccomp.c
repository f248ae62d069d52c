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

#include "base/hostcalls_words.h"
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
