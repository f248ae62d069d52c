/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/pidfd.h"

#include <fcntl.h>
#include <poll.h>

#include "kernel/fs/anon.h"
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
	const struct anon_how how = {
		.ops = &pidfd_ops,
		.private = process_get(p),
		.flags = O_RDWR | flags,
		.label = "anon_inode:[pidfd]",
	};
	struct file *f;
	int err = anon_open(t->kernel, t, &how, &f);

	if (err < 0) {
		process_put(p);
		return err;
	}
	return fd_open(t, f, true);
}

struct process *pidfd_process(const struct file *f)
{
	return f->ops == &pidfd_ops ? f->private : NULL;
}
