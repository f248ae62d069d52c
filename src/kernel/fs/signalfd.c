/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/signalfd.h"

#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/signalfd.h>

#include "kernel/core/limits.h"
#include "kernel/fs/anon.h"
#include "kernel/task/signal.h"

#define CODE_TIMER (-2)
#define CODE_POLL  (-5) /* SI_SIGIO */

struct signalfd {
	struct kernel *kernel;
	uint64_t set;
};

static struct signalfd_siginfo translate(const abi_siginfo *in)
{
	struct signalfd_siginfo out = {
		.ssi_signo = (uint32_t)in->signo,
		.ssi_errno = in->err,
		.ssi_code = in->code,
	};

	if (in->code == CODE_TIMER) {
		out.ssi_tid = (uint32_t)in->timer_id;
		out.ssi_overrun = (uint32_t)in->overrun;
		out.ssi_ptr = in->timer_value;
		out.ssi_int = (int32_t)in->timer_value;
		return out;
	}
	if (in->code == CODE_POLL) {
		out.ssi_band = (uint32_t)in->band;
		out.ssi_fd = in->fd;
		return out;
	}
	switch (in->signo) {
	case 4:  /* SIGILL */
	case 7:  /* SIGBUS */
	case 8:  /* SIGFPE */
	case 11: /* SIGSEGV */
		if (in->code > 0) {
			out.ssi_addr = in->addr;
			return out;
		}
		break;
	default:
		break;
	}
	out.ssi_pid = (uint32_t)in->pid;
	out.ssi_uid = in->uid;
	if (in->signo == 17 && in->code > 0) { /* SIGCHLD */
		out.ssi_status = in->status;
		out.ssi_utime = (uint64_t)in->utime;
		out.ssi_stime = (uint64_t)in->stime;
	} else {
		out.ssi_ptr = in->value;
		out.ssi_int = (int32_t)in->value;
	}
	return out;
}

static long read_signals(struct file *f, struct uio *u, int64_t *pos)
{
	struct signalfd *s = f->private;
	size_t before = u->done;
	abi_siginfo info;

	(void)pos;
	if (u->left < sizeof(struct signalfd_siginfo) || !u->task)
		return -EINVAL;
	while (u->left >= sizeof(struct signalfd_siginfo) &&
	       signal_take(u->task, s->set, &info) != 0) {
		struct signalfd_siginfo out = translate(&info);

		if (uio_put(u, &out, sizeof(out)) < 0)
			return u->done > before ? (long)(u->done - before)
			                        : -EFAULT;
	}
	return u->done > before ? (long)(u->done - before) : -EAGAIN;
}

static uint32_t poll(struct file *f, struct poller *p)
{
	const struct signalfd *s = f->private;

	if (!p || !p->task)
		return 0;
	poller_watch(p, signal_waitq(p->task->process));
	return signal_pending(p->task) & s->set ? POLLIN : 0;
}

static void release(struct file *f)
{
	struct signalfd *s = f->private;

	limits_free(s->kernel, s, sizeof(*s));
}

static const struct file_ops ops = {
	.read = read_signals,
	.poll = poll,
	.release = release,
};

int signalfd_open(struct task *t, uint64_t set, uint32_t flags,
                  struct file **out)
{
	struct signalfd *s = limits_alloc(t->kernel, sizeof(*s));
	struct anon_how how = {
		.ops = &ops,
		.private = s,
		.flags = O_RDWR | (flags & O_NONBLOCK),
		.label = "anon_inode:[signalfd]",
	};
	int err;

	if (!s)
		return -ENOMEM;
	s->kernel = t->kernel;
	s->set = set;
	err = anon_open(t->kernel, t, &how, out);
	if (err < 0)
		limits_free(t->kernel, s, sizeof(*s));
	return err;
}

bool signalfd_is(const struct file *f)
{
	return f->ops == &ops;
}

void signalfd_set(struct file *f, struct task *t, uint64_t set)
{
	struct signalfd *s = f->private;

	s->set = set;
	waitq_wake(signal_waitq(t->process), POLLIN);
}
