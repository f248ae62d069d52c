/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tty/pty.h"

#include <asm/ioctls.h>
#include <linux/poll.h>

#include "kernel/task/cred.h"
#include "kernel/tty/ldisc.h"
#include "kernel/tty/ttyioctl.h"

#define CHUNK 1024u /* typed at once */

/* Has a program had it open, and does none now? */
static bool slave_gone(const struct tty *t)
{
	return t->was_opened && t->opens == 0;
}

/* Packet mode: one byte of news, or 0 and output. */
static long read_packet(struct tty *t, struct uio *u)
{
	uint8_t news = t->packet_status;
	int err;

	if (!news && tty_out_count(t) == 0)
		return 0;
	err = uio_put(u, &news, 1);
	if (err < 0)
		return err;
	t->packet_status = 0;
	return news ? -ECANCELED : 1;
}

static long master_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct tty *t = f->private;
	long done = 0;

	(void)pos;
	if (u->left == 0)
		return 0;
	if (t->packet) {
		done = read_packet(t, u);
		if (done == -ECANCELED)
			return 1;
		if (done < 0)
			return done;
	}
	while (u->left > 0 && tty_out_count(t) > 0) {
		uint32_t size;
		const uint8_t *data = tty_out_run(t, &size);
		int err;

		size = (uint32_t)MIN(size, u->left);
		err = uio_put(u, data, size);
		if (err < 0)
			return done > 0 ? done : err;
		tty_out_took(t, size);
		done += size;
	}
	if (done > 0)
		return done;
	return slave_gone(t) ? -EIO : -EAGAIN;
}

static long master_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct tty *t = f->private;
	uint8_t chunk[CHUNK];
	long done = 0;

	(void)pos;
	while (u->left > 0) {
		size_t size;
		const uint8_t *data = uio_data(u, &size);
		size_t n;

		if (!data)
			return done > 0 ? done : -EFAULT;
		/* Looked at byte by byte: the guest may change it. */
		size = MIN(size, sizeof(chunk));
		memcpy(chunk, data, size);
		n = ldisc_input(t, chunk, size);
		uio_data_done(u, n);
		done += (long)n;
		if (n < size)
			break;
	}
	return done > 0 || u->left == 0 ? done : -EAGAIN;
}

static uint32_t master_poll(struct file *f, struct poller *p)
{
	struct tty *t = f->private;
	uint32_t events = 0;

	poller_watch(p, &t->other_wait);
	if (tty_out_count(t) > 0)
		events |= POLLIN | POLLRDNORM;
	if (t->packet && t->packet_status)
		events |= POLLIN | POLLRDNORM | POLLPRI;
	if (slave_gone(t))
		events |= POLLHUP;
	if (tty_in_count(t) < TTY_IN - 1 ||
	    (t->set.c_lflag & ICANON && t->in_ready == t->in_done))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static long master_ioctl(struct file *f, struct task *t, uint32_t cmd,
                         uint64_t arg)
{
	return ttyioctl_run(f->private, f, t, cmd, arg, true);
}

static void master_release(struct file *f)
{
	struct tty *t = f->private;

	tty_other_closed(t);
	tty_put(t);
}

static const struct file_ops master_ops = {
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.ioctl = master_ioctl,
	.release = master_release,
};

static void slave_closed(struct tty *t)
{
	waitq_wake(&t->other_wait, POLLIN | POLLHUP);
}

static const struct tty_other pty_other = {.closed = slave_closed};

long pty_open(struct task *t, struct file *f)
{
	struct tty *tty;
	int err = tty_create(t->kernel, &pty_other, &tty);

	if (err < 0)
		return err;
	tty->uid = t->cred->fsuid;
	tty->locked = true;
	f->ops = &master_ops;
	f->private = tty;
	f->mode |= FILE_WHOLE;
	return 0;
}

struct tty *pty_tty(struct file *f)
{
	return f->ops == &master_ops ? f->private : NULL;
}
