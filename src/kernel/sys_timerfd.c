/* SPDX-License-Identifier: Apache-2.0 */
/* timerfd_create(2). */
#include <linux/fcntl.h>
#include <linux/timerfd.h>
#include <time.h>

#include "kernel/fs/fd.h"
#include "kernel/fs/timerfd.h"
#include "kernel/syscall.h"
#include "kernel/task/cred.h"
#include "kernel/task/timeout.h"

#define CAP_WAKE_ALARM 35

long sys_timerfd_create(struct task *t, const struct args_timerfd_create *a)
{
	uint32_t flags = (uint32_t)a->flags;
	struct file *f;
	int err;

	if (flags & ~(uint32_t)(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	switch (a->clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		break;
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		if (!cred_capable(t->cred, CAP_WAKE_ALARM))
			return -EPERM;
		break;
	default:
		return -EINVAL;
	}
	err = timerfd_open(t, a->clock, flags, &f);
	return err < 0 ? err : fd_open(t, f, flags & TFD_CLOEXEC);
}

/* The timer behind a descriptor: a new reference in *out. */
static long get_timer(struct task *t, int32_t fd, struct file **out)
{
	struct file *f = fd_get(t, fd);

	if (!f)
		return -EBADF;
	if (!timerfd_is(f)) {
		file_put(f);
		return -EINVAL;
	}
	*out = f;
	return 0;
}

long sys_timerfd_settime(struct task *t, const struct args_timerfd_settime *a)
{
	const uint32_t known = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
	abi_itimerspec value, old;
	struct file *f;
	long err;

	if (user_read(t, a->value, &value, sizeof(value)) < 0)
		return -EFAULT;
	if (((uint32_t)a->flags & ~known) || timeout_check(&value.value) < 0 ||
	    timeout_check(&value.interval) < 0)
		return -EINVAL;
	err = get_timer(t, a->fd, &f);
	if (err < 0)
		return err;
	err = timerfd_set(f, (uint32_t)a->flags, &value, &old);
	file_put(f);
	if (err == 0 && a->old.raw != 0)
		err = user_write(t, a->old, &old, sizeof(old));
	return err;
}

long sys_timerfd_gettime(struct task *t, const struct args_timerfd_gettime *a)
{
	abi_itimerspec value;
	struct file *f;
	long err = get_timer(t, a->fd, &f);

	if (err < 0)
		return err;
	timerfd_get(f, &value);
	file_put(f);
	return user_write(t, a->value, &value, sizeof(value));
}
