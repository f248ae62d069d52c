/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/eventfd.h"

#include <linux/fcntl.h>
#include <linux/poll.h>

#include "kernel/core/limits.h"
#include "kernel/fs/anon.h"

struct eventfd {
	struct kernel *kernel;
	uint64_t count; /* never UINT64_MAX */
	bool semaphore;
	struct waitq wait;
};

static long read_count(struct file *f, struct uio *u, int64_t *pos)
{
	struct eventfd *e = f->private;
	uint64_t n;

	(void)pos;
	if (u->left < sizeof(n))
		return -EINVAL;
	if (e->count == 0)
		return -EAGAIN;
	n = e->semaphore ? 1 : e->count;
	if (uio_put(u, &n, sizeof(n)) < 0)
		return -EFAULT;
	e->count -= n;
	waitq_wake(&e->wait, POLLOUT);
	return sizeof(n);
}

static long write_count(struct file *f, struct uio *u, int64_t *pos)
{
	struct eventfd *e = f->private;
	uint64_t n;

	(void)pos;
	if (u->left < sizeof(n))
		return -EINVAL;
	if (uio_take(u, &n, sizeof(n)) < 0)
		return -EFAULT;
	if (n == UINT64_MAX)
		return -EINVAL;
	if (n > UINT64_MAX - 1 - e->count)
		return -EAGAIN;
	e->count += n;
	if (n > 0)
		waitq_wake(&e->wait, POLLIN);
	return sizeof(n);
}

static uint32_t poll(struct file *f, struct poller *p)
{
	struct eventfd *e = f->private;

	poller_watch(p, &e->wait);
	return (e->count > 0 ? POLLIN : 0u) |
	       (e->count < UINT64_MAX - 1 ? POLLOUT : 0u);
}

static void release(struct file *f)
{
	struct eventfd *e = f->private;

	waitq_fini(&e->wait);
	limits_free(e->kernel, e, sizeof(*e));
}

static const struct file_ops ops = {
	.read = read_count,
	.write = write_count,
	.poll = poll,
	.release = release,
};

int eventfd_open(struct task *t, uint64_t count, bool semaphore, uint32_t flags,
                 struct file **out)
{
	struct eventfd *e = limits_alloc(t->kernel, sizeof(*e));
	struct anon_how how = {
		.ops = &ops,
		.private = e,
		.flags = O_RDWR | (flags & O_NONBLOCK),
		.label = "anon_inode:[eventfd]",
	};
	int err;

	if (!e)
		return -ENOMEM;
	e->kernel = t->kernel;
	e->count = count;
	e->semaphore = semaphore;
	waitq_init(&e->wait);
	err = anon_open(t->kernel, t, &how, out);
	if (err < 0)
		limits_free(t->kernel, e, sizeof(*e));
	return err;
}
