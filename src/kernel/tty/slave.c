/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tty/slave.h"

#include <linux/poll.h>

#include "kernel/core/limits.h"
#include "kernel/fs/inode.h"
#include "kernel/tty/ldisc.h"
#include "kernel/tty/pty.h"
#include "kernel/tty/ttyioctl.h"

static struct tty *tty_of(struct file *f, bool *hung_up)
{
	struct tty_open *o = f->private;

	*hung_up = o->generation != o->tty->generation;
	return o->tty;
}

/*
 * Waits for input itself: VTIME needs deadlines that move.  Transfers without
 * a task (splice) do not wait.
 */
static long wait_input(struct tty *tty, struct task *t, uint64_t until_ns)
{
	if (until_ns != 0 && tty_in_count(tty) == 0 && !tty->set.c_cc[VMIN]) {
		/* From the beginning of this call. */
		if (t->first_run)
			t->scratch[0] = timer_now() + until_ns;
		until_ns = t->scratch[0];
		if (timer_now() >= until_ns)
			return 0;
	}
	t->deadline_ns = until_ns;
	task_watch(t, &tty->read_wait);
	return task_sleep(t);
}

static long slave_read(struct file *f, struct uio *u, int64_t *pos)
{
	bool hung_up;
	struct tty *tty = tty_of(f, &hung_up);
	uint64_t until_ns;
	long n;

	(void)pos;
	if (hung_up)
		return 0;
	n = tty_check_read(tty, u->task);
	if (n < 0)
		return n;
	n = ldisc_read(tty, u, &until_ns);
	if (n > 0)
		tty->times[0] = inode_now();
	if (n != -EAGAIN)
		return n;
	if (tty->other_gone)
		return -EIO;
	return u->nonblock || !u->task ? -EAGAIN
	                               : wait_input(tty, u->task, until_ns);
}

static long slave_write(struct file *f, struct uio *u, int64_t *pos)
{
	bool hung_up;
	struct tty *tty = tty_of(f, &hung_up);
	long n;

	(void)pos;
	if (hung_up || tty->other_gone)
		return -EIO;
	if (tty->set.c_lflag & TOSTOP) {
		n = tty_check_change(tty, u->task);
		if (n < 0)
			return n;
	}
	n = ldisc_write(tty, u);
	if (n > 0)
		tty->times[1] = inode_now();
	return n;
}

static uint32_t slave_poll(struct file *f, struct poller *p)
{
	bool hung_up;
	struct tty *tty = tty_of(f, &hung_up);
	uint32_t events = 0;

	poller_watch(p, &tty->read_wait);
	poller_watch(p, &tty->write_wait);
	if (hung_up)
		return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM |
		       POLLWRNORM;
	if (tty->other_gone)
		events |= POLLHUP | POLLIN | POLLRDNORM;
	if (ldisc_readable(tty))
		events |= POLLIN | POLLRDNORM;
	if (ldisc_writable(tty) && !tty->other_gone)
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static long slave_ioctl(struct file *f, struct task *t, uint32_t cmd,
                        uint64_t arg)
{
	bool hung_up;
	struct tty *tty = tty_of(f, &hung_up);

	if (hung_up)
		return -EIO;
	return ttyioctl_run(tty, f, t, cmd, arg, false);
}

static void slave_release(struct file *f)
{
	struct tty_open *o = f->private;
	struct tty *tty = o->tty;

	if (o->generation == tty->generation && --tty->opens == 0) {
		tty->exclusive = false;
		if (tty->other && tty->other->closed)
			tty->other->closed(tty);
	}
	limits_free(tty->kernel, o, sizeof(*o));
	tty_put(tty);
}

static const struct file_ops slave_ops = {
	.read = slave_read,
	.write = slave_write,
	.poll = slave_poll,
	.ioctl = slave_ioctl,
	.release = slave_release,
};

void slave_complete(struct file *f, struct tty_open *o)
{
	f->ops = &slave_ops;
	f->private = o;
	f->mode |= FILE_WHOLE;
}

struct tty *slave_tty(struct file *f)
{
	struct tty_open *o = f->private;

	return f->ops == &slave_ops ? o->tty : NULL;
}
