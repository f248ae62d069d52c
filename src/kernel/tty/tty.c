/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tty/tty.h"

#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <signal.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/device.h"
#include "kernel/fs/inode.h"
#include "kernel/task/cred.h"
#include "kernel/task/session.h"
#include "kernel/task/signal.h"
#include "kernel/tty/ldisc.h"
#include "kernel/tty/slave.h"
#include "kernel/tty/terminals.h"

#define CTRL(c) ((c)&037)

static const struct termios2 usual = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE |
                   IEXTEN,
	.c_cc =
		{
			[VINTR] = CTRL('C'),
			[VQUIT] = CTRL('\\'),
			[VERASE] = 0177,
			[VKILL] = CTRL('U'),
			[VEOF] = CTRL('D'),
			[VMIN] = 1,
			[VSTART] = CTRL('Q'),
			[VSTOP] = CTRL('S'),
			[VSUSP] = CTRL('Z'),
			[VREPRINT] = CTRL('R'),
			[VDISCARD] = CTRL('O'),
			[VWERASE] = CTRL('W'),
			[VLNEXT] = CTRL('V'),
		},
	.c_ispeed = 38400,
	.c_ospeed = 38400,
};

int tty_create(struct kernel *k, const struct tty_other *other,
               struct tty **out)
{
	struct tty *t = limits_alloc(k, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->kernel = k;
	t->refs = 1;
	t->other = other;
	t->set = usual;
	t->mode = S_IFCHR | 0620;
	t->gid = 5; /* tty */
	for (size_t i = 0; i < ARRAY_LEN(t->times); i++)
		t->times[i] = inode_now();
	waitq_init(&t->read_wait);
	waitq_init(&t->write_wait);
	waitq_init(&t->other_wait);
	err = terminals_add(k, t, &t->index);
	if (err < 0) {
		limits_free(k, t, sizeof(*t));
		return err;
	}
	*out = t;
	return 0;
}

struct tty *tty_get(struct tty *t)
{
	t->refs++;
	return t;
}

static void detach(struct tty *t)
{
	struct session *s = t->session;

	t->session = NULL;
	session_group_put(t->foreground);
	t->foreground = NULL;
	if (!s)
		return;
	s->tty = NULL;
	s->release_tty = NULL;
	session_put(s);
	/* Last: it may be what the session held. */
	tty_put(t);
}

void tty_put(struct tty *t)
{
	if (!t || --t->refs > 0)
		return;
	assert(!t->session);
	waitq_fini(&t->read_wait);
	waitq_fini(&t->write_wait);
	waitq_fini(&t->other_wait);
	limits_free(t->kernel, t, sizeof(*t));
}

struct tty *tty_find(struct kernel *k, uint32_t index)
{
	return terminals_find(k, index);
}

struct tty *tty_next(struct kernel *k, uint32_t from)
{
	return terminals_next(k, from);
}

struct tty *tty_of_task(const struct task *t)
{
	struct process *p = t->process;

	return p && p->pgrp ? p->pgrp->session->tty : NULL;
}

void tty_numbers(const struct tty *t, uint64_t *rdev, int32_t *foreground)
{
	*rdev = DEVICE_MAKE(TTY_PTS_MAJOR, t->index);
	*foreground = t->foreground ? t->foreground->id : -1;
}

void tty_signal(struct tty *tty, int sig)
{
	abi_siginfo info = signal_info_kernel(sig);

	if (tty->foreground)
		signal_send_pgrp(tty->foreground, &info);
}

/* Everything opened until now has seen its last byte. */
static void hang_up_files(struct tty *tty)
{
	tty->generation++;
	tty->opens = 0;
	tty->in_done = tty->in_ready = tty->in_end;
	tty->stopped = false;
	waitq_wake(&tty->read_wait, POLLIN | POLLHUP);
	waitq_wake(&tty->write_wait, POLLOUT | POLLHUP | POLLERR);
	if (tty->was_opened && tty->other->closed)
		tty->other->closed(tty);
}

void tty_hangup(struct tty *tty)
{
	struct process *leader = tty->session ? tty->session->leader : NULL;
	abi_siginfo hup = signal_info_kernel(SIGHUP);
	abi_siginfo cont = signal_info_kernel(SIGCONT);

	tty_get(tty);
	if (leader) {
		(void)signal_send_process(leader, &hup);
		(void)signal_send_process(leader, &cont);
	}
	tty_signal(tty, SIGHUP);
	tty_signal(tty, SIGCONT);
	detach(tty);
	hang_up_files(tty);
	tty_put(tty);
}

void tty_other_closed(struct tty *tty)
{
	tty->other_gone = true;
	terminals_remove(tty->kernel, tty);
	tty_hangup(tty);
}

/*
 * The leader of the session it controls has ended.  Who has it open may go on:
 * a pseudo-terminal is not hung up by that.
 */
static void leader_gone(struct session *s)
{
	struct tty *tty = s->tty;

	tty_signal(tty, SIGHUP);
	detach(tty);
}

void tty_resize(struct tty *tty, uint16_t rows, uint16_t columns)
{
	if (tty->rows == rows && tty->columns == columns)
		return;
	tty->rows = rows;
	tty->columns = columns;
	tty_signal(tty, SIGWINCH);
}

static void attach(struct tty *tty, struct task *t)
{
	struct pgrp *g = t->process->pgrp;
	struct session *s = g->session;

	tty->session = session_get(s);
	tty->foreground = session_group_get(g);
	s->tty = tty_get(tty);
	s->release_tty = leader_gone;
}

static bool leads_session(const struct task *t)
{
	return t->process->pgrp &&
	       t->process->pgrp->session->leader == t->process;
}

long tty_take(struct tty *tty, struct task *t, bool steal)
{
	struct session *s = t->process->pgrp ? t->process->pgrp->session : NULL;

	if (s && leads_session(t) && tty->session == s)
		return 0;
	if (!s || !leads_session(t) || s->tty)
		return -EPERM;
	if (tty->session) {
		if (!steal || !cred_capable(t->cred, CRED_CAP_SYS_ADMIN))
			return -EPERM;
		detach(tty);
	}
	attach(tty, t);
	return 0;
}

long tty_leave(struct tty *tty, struct task *t)
{
	struct tty *own = tty_of_task(t);

	if (!own || own != tty)
		return -ENOTTY;
	/* Others of the session keep theirs until the leader lets go. */
	if (!leads_session(t))
		return 0;
	tty_get(tty);
	tty_signal(tty, SIGHUP);
	tty_signal(tty, SIGCONT);
	detach(tty);
	tty_put(tty);
	return 0;
}

/*
 * A background process touches its terminal.  `sig` stops its group, unless
 * that would be forever (orphaned).
 */
static long background(struct task *t, int sig, bool ignored_passes)
{
	struct pgrp *g = t->process->pgrp;
	abi_siginfo info = signal_info_kernel(sig);
	bool ignored = signal_ignored(t->sighand, sig) ||
	               signal_blocked(t) & SIGNAL_BIT(sig);

	if (ignored)
		return ignored_passes ? 0 : -EIO;
	if (session_orphaned(g, NULL))
		return -EIO;
	signal_send_pgrp(g, &info);
	return -ERESTARTSYS;
}

static bool in_background(struct tty *tty, struct task *t)
{
	return t && t->process->pgrp && tty_of_task(t) == tty &&
	       tty->foreground && tty->foreground != t->process->pgrp;
}

long tty_check_change(struct tty *tty, struct task *t)
{
	return in_background(tty, t) ? background(t, SIGTTOU, true) : 0;
}

long tty_check_read(struct tty *tty, struct task *t)
{
	return in_background(tty, t) ? background(t, SIGTTIN, false) : 0;
}

long tty_set_group(struct tty *tty, struct task *t, int32_t pgid)
{
	struct pgrp *g;
	long err = tty_check_change(tty, t);

	if (err < 0)
		return err;
	if (tty_of_task(t) != tty)
		return -ENOTTY;
	if (pgid < 0)
		return -EINVAL;
	g = process_group_find(t->kernel, pgid);
	if (!g)
		return -ESRCH;
	if (g->session != tty->session)
		return -EPERM;
	session_group_get(g);
	session_group_put(tty->foreground);
	tty->foreground = g;
	return 0;
}

long tty_open(struct tty *tty, struct task *t, struct file *f)
{
	struct tty_open *o;

	if (tty->locked || tty->other_gone)
		return -EIO;
	if (tty->exclusive && tty->opens > 0 &&
	    !cred_capable(t->cred, CRED_CAP_SYS_ADMIN))
		return -EBUSY;
	o = limits_alloc(tty->kernel, sizeof(*o));
	if (!o)
		return -ENOMEM;

	/* Nothing below can fail. */
	o->tty = tty_get(tty);
	o->generation = tty->generation;
	tty->opens++;
	tty->was_opened = true;
	slave_complete(f, o);
	if (!(f->flags & O_NOCTTY) && t->process && leads_session(t) &&
	    !tty->session && !t->process->pgrp->session->tty)
		attach(tty, t);
	return 0;
}

const uint8_t *tty_out_run(const struct tty *t, uint32_t *size)
{
	uint32_t at = t->out_done % TTY_OUT;

	*size = MIN(tty_out_count(t), TTY_OUT - at);
	return t->out + at;
}

void tty_out_took(struct tty *t, uint32_t size)
{
	t->out_done += size;
	if (size > 0 && tty_out_count(t) <= TTY_OUT / 2)
		waitq_wake(&t->write_wait, POLLOUT);
}
