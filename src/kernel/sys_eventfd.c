/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd(2). */
#include <linux/fcntl.h>

#include "kernel/fs/eventfd.h"
#include "kernel/fs/fd.h"
#include "kernel/syscall.h"

#define EFD_SEMAPHORE 1

static long make(struct task *t, uint32_t count, uint32_t flags)
{
	struct file *f;
	int err;

	if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK | EFD_SEMAPHORE))
		return -EINVAL;
	err = eventfd_open(t, count, flags & EFD_SEMAPHORE, flags, &f);
	return err < 0 ? err : fd_open(t, f, flags & O_CLOEXEC);
}

long sys_eventfd(struct task *t, const struct args_eventfd *a)
{
	return make(t, a->count, 0);
}

long sys_eventfd2(struct task *t, const struct args_eventfd2 *a)
{
	return make(t, a->count, (uint32_t)a->flags);
}
