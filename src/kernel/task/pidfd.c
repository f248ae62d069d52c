/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/pidfd.h"

#include <fcntl.h>
#include <poll.h>

#include "kernel/fs/fd.h"

static uint32_t pidfd_poll(struct file *f, struct poller *poller)
{
	struct process *p = f->private;

	poller_watch(poller, &p->exit_wait);
	return p->zombie ? POLLIN | POLLRDNORM : 0;
}

static void pidfd_release(struct file *f)
{
	process_put(f->private);
}

static const struct file_ops pidfd_ops = {
	.poll = pidfd_poll,
	.release = pidfd_release,
};

long pidfd_open(struct task *t, struct process *p, uint32_t flags)
{
	struct file *f = file_create(t->kernel, &pidfd_ops, process_get(p),
	                             O_RDWR | flags);

	if (!f) {
		process_put(p);
		return -ENOMEM;
	}
	if (file_name(f, NULL, "anon_inode:[pidfd]") < 0) {
		file_put(f);
		return -ENOMEM;
	}
	return fd_open(t, f, true);
}

struct process *pidfd_process(const struct file *f)
{
	return f->ops == &pidfd_ops ? f->private : NULL;
}
