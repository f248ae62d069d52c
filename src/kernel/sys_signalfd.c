/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd(2). */
#include <linux/fcntl.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/signalfd.h"
#include "kernel/syscall.h"
#include "kernel/task/signal.h"

#define NEVER (SIGNAL_BIT(9) | SIGNAL_BIT(19)) /* SIGKILL, SIGSTOP */

static long change(struct task *t, int32_t fd, uint64_t set)
{
	struct file *f = fd_get(t, fd);
	long result = fd;

	if (!f)
		return -EBADF;
	if (signalfd_is(f))
		signalfd_set(f, t, set);
	else
		result = -EINVAL;
	file_put(f);
	return result;
}

static long make(struct task *t, const struct args_signalfd4 *a)
{
	uint32_t flags = (uint32_t)a->flags;
	abi_sigset set;
	struct file *f;
	int err;

	if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if (a->sigset_size != sizeof(set))
		return -EINVAL;
	if (user_read(t, a->mask, &set, sizeof(set)) < 0)
		return -EFAULT;
	set &= ~NEVER;
	if (a->fd != -1)
		return change(t, a->fd, set);
	err = signalfd_open(t, set, flags, &f);
	return err < 0 ? err : fd_open(t, f, flags & O_CLOEXEC);
}

long sys_signalfd4(struct task *t, const struct args_signalfd4 *a)
{
	return make(t, a);
}

long sys_signalfd(struct task *t, const struct args_signalfd *a)
{
	struct args_signalfd4 full = {
		.fd = a->fd,
		.mask = a->mask,
		.sigset_size = a->sigset_size,
	};

	return make(t, &full);
}
