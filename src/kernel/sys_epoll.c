/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_create(2), epoll_ctl(2), epoll_wait(2). */
#include <linux/eventpoll.h>
#include <linux/fcntl.h>

#include "kernel/core/limits.h"
#include "kernel/fs/epoll.h"
#include "kernel/fs/fd.h"
#include "kernel/syscall.h"
#include "kernel/task/signal.h"
#include "kernel/task/timeout.h"

static long make(struct task *t, uint32_t flags)
{
	struct file *f;
	int err;

	if (flags & ~(uint32_t)O_CLOEXEC)
		return -EINVAL;
	err = epoll_open(t, &f);
	return err < 0 ? err : fd_open(t, f, flags & O_CLOEXEC);
}

long sys_epoll_create(struct task *t, const struct args_epoll_create *a)
{
	return a->size <= 0 ? -EINVAL : make(t, 0);
}

long sys_epoll_create1(struct task *t, const struct args_epoll_create1 *a)
{
	return make(t, (uint32_t)a->flags);
}

long sys_epoll_ctl(struct task *t, const struct args_epoll_ctl *a)
{
	abi_epoll_event event = {0};
	struct file *set, *target;
	long err;

	if (a->op != EPOLL_CTL_DEL &&
	    user_read(t, a->event, &event, sizeof(event)) < 0)
		return -EFAULT;
	set = fd_get(t, a->epfd);
	if (!set)
		return -EBADF;
	target = fd_get(t, a->fd);
	if (!target) {
		file_put(set);
		return -EBADF;
	}
	if (!epoll_is(set))
		err = target->ops->poll ? -EINVAL : -EPERM;
	else if (a->op == EPOLL_CTL_ADD)
		err = epoll_add(t, set, target, a->fd, &event);
	else if (a->op == EPOLL_CTL_MOD)
		err = epoll_change(t, set, target, a->fd, &event);
	else if (a->op == EPOLL_CTL_DEL)
		err = epoll_remove(set, target, a->fd);
	else
		err = -EINVAL;
	file_put(target);
	file_put(set);
	return err;
}

static long wait_on(struct task *t, struct file *set, uaddr_t events,
                    int32_t count, bool may_wait)
{
	abi_epoll_event *got = (abi_epoll_event *)(void *)t->kernel->scratch;
	size_t max = MIN((size_t)count, MAX(epoll_size(set), 1));
	bool many = max > SCRATCH_SIZE / sizeof(*got);
	long n;

	if (many) {
		got = limits_alloc(t->kernel, max * sizeof(*got));
		if (!got)
			return -ENOMEM;
	}
	n = epoll_take(t, set, got, max);
	if (n > 0 && user_write(t, events, got, (size_t)n * sizeof(*got)) < 0)
		n = -EFAULT;
	if (many)
		limits_free(t->kernel, got, max * sizeof(*got));
	if (n == 0) {
		/* Never restarted, not even where no handler ran. */
		n = timeout_sleep(t, may_wait);
		return n == -ERESTARTSYS ? -EINTR : n;
	}
	return n;
}

struct wait_args {
	int32_t fd;
	int32_t count;
	uaddr_t events;
	uaddr_t mask;
	uint64_t sigset_size;
};

static long do_wait(struct task *t, const struct wait_args *a, bool may_wait)
{
	struct file *set;
	abi_sigset mask;
	long n;

	if (a->mask.raw != 0) {
		if (a->sigset_size != sizeof(mask))
			return -EINVAL;
		if (user_read(t, a->mask, &mask, sizeof(mask)) < 0)
			return -EFAULT;
		if (t->first_run)
			signal_mask_swap(t, mask);
	}
	if (a->count <= 0 ||
	    (size_t)a->count > INT32_MAX / sizeof(abi_epoll_event))
		return -EINVAL;
	set = fd_get(t, a->fd);
	if (!set)
		return -EBADF;
	n = epoll_is(set) ? wait_on(t, set, a->events, a->count, may_wait)
	                  : -EINVAL;
	file_put(set);
	return n;
}

long sys_epoll_wait(struct task *t, const struct args_epoll_wait *a)
{
	struct wait_args wa = {
		.fd = a->fd,
		.count = a->count,
		.events = a->events,
	};

	return do_wait(t, &wa, timeout_start_ms(t, a->timeout_ms));
}

long sys_epoll_pwait(struct task *t, const struct args_epoll_pwait *a)
{
	struct wait_args wa = {a->fd, a->count, a->events, a->mask,
	                       a->sigset_size};

	return do_wait(t, &wa, timeout_start_ms(t, a->timeout_ms));
}

long sys_epoll_pwait2(struct task *t, const struct args_epoll_pwait2 *a)
{
	struct wait_args wa = {a->fd, a->count, a->events, a->mask,
	                       a->sigset_size};
	abi_timespec ts;

	if (a->timeout.raw == 0)
		return do_wait(t, &wa, true);
	if (user_read(t, a->timeout, &ts, sizeof(ts)) < 0)
		return -EFAULT;
	if (timeout_check(&ts) < 0)
		return -EINVAL;
	return do_wait(t, &wa, timeout_start(t, &ts));
}
