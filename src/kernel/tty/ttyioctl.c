/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tty/ttyioctl.h"

#include <asm/ioctls.h>
#include <asm/termios.h>
#include <linux/fcntl.h>
#include <linux/tty.h>
#include <signal.h>

#include "kernel/fs/device.h"
#include "kernel/fs/fd.h"
#include "kernel/task/cred.h"
#include "kernel/task/process.h"
#include "kernel/task/user.h"
#include "kernel/tty/devpts.h"
#include "kernel/tty/ldisc.h"

struct call {
	struct tty *tty;
	struct file *file;
	struct task *task;
	uint32_t cmd;
	uint64_t arg;
	bool master;
};

static long give(const struct call *c, const void *from, size_t size)
{
	return user_write(c->task, (uaddr_t){c->arg}, from, size);
}

static long give_int(const struct call *c, int32_t value)
{
	return give(c, &value, sizeof(value));
}

static long fetch(const struct call *c, void *to, size_t size)
{
	return user_read(c->task, (uaddr_t){c->arg}, to, size);
}

/* ---- settings ---- */

static long do_get(const struct call *c)
{
	/* The older structure is the newer one's beginning. */
	return give(c, &c->tty->set,
	            c->cmd == TCGETS ? sizeof(struct termios)
	                             : sizeof(struct termios2));
}

static long do_get_fixed(const struct call *c)
{
	return give(c, &c->tty->fixed, sizeof(struct termios));
}

static long do_set_fixed(const struct call *c)
{
	if (!cred_capable(c->task->cred, CRED_CAP_SYS_ADMIN))
		return -EPERM;
	return fetch(c, &c->tty->fixed, sizeof(struct termios));
}

static long do_get_old(const struct call *c)
{
	const struct termios2 *s = &c->tty->set;
	struct termio old = {
		.c_iflag = (unsigned short)s->c_iflag,
		.c_oflag = (unsigned short)s->c_oflag,
		.c_cflag = (unsigned short)s->c_cflag,
		.c_lflag = (unsigned short)s->c_lflag,
		.c_line = s->c_line,
	};

	memcpy(old.c_cc, s->c_cc, sizeof(old.c_cc));
	return give(c, &old, sizeof(old));
}

static const uint32_t rates[] = {
	0,   50,   75,   110,  134,  150,  200,   300,
	600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
};
static const uint32_t high_rates[] = {
	0,       57600,   115200,  230400,  460800,  500000,  576000,  921600,
	1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
};

static uint32_t rate_of(uint32_t cflag, uint32_t other)
{
	uint32_t code = cflag & CBAUD;

	if (code == BOTHER)
		return other;
	return code & CBAUDEX ? high_rates[code & 017] : rates[code & 017];
}

static uint32_t mix(uint32_t old, uint32_t new, uint32_t fixed)
{
	return (old & fixed) | (new & ~fixed);
}

/* What is fixed stays as it is. */
static void keep_fixed(const struct tty *t, struct termios2 *set)
{
	const struct termios2 *old = &t->set, *fixed = &t->fixed;

	set->c_iflag = mix(old->c_iflag, set->c_iflag, fixed->c_iflag);
	set->c_oflag = mix(old->c_oflag, set->c_oflag, fixed->c_oflag);
	set->c_cflag = mix(old->c_cflag, set->c_cflag, fixed->c_cflag);
	set->c_lflag = mix(old->c_lflag, set->c_lflag, fixed->c_lflag);
	if (fixed->c_line)
		set->c_line = old->c_line;
	for (size_t i = 0; i < ARRAY_LEN(set->c_cc); i++)
		if (fixed->c_cc[i])
			set->c_cc[i] = old->c_cc[i];
}

static long settle(const struct call *c, struct termios2 *set)
{
	keep_fixed(c->tty, set);
	set->c_ospeed = rate_of(set->c_cflag, set->c_ospeed);
	set->c_ispeed = (set->c_cflag >> IBSHIFT & CBAUD) == 0
	                        ? set->c_ospeed
	                        : rate_of(set->c_cflag >> IBSHIFT,
	                                  set->c_ispeed);
	/* A pty has eight bits and nothing to hang up. */
	set->c_cflag = (set->c_cflag & ~(uint32_t)(CSIZE | PARENB)) | CS8 |
	               CREAD;
	if (c->cmd == TCSETSF || c->cmd == TCSETSF2 || c->cmd == TCSETAF)
		ldisc_flush(c->tty, TCIFLUSH);
	ldisc_set(c->tty, set);
	return 0;
}

static long do_set(const struct call *c)
{
	bool older = c->cmd == TCSETS || c->cmd == TCSETSW || c->cmd == TCSETSF;
	struct termios2 set = c->tty->set;
	long err = tty_check_change(c->tty, c->task);

	if (err < 0)
		return err;
	err = fetch(c, &set, older ? sizeof(struct termios) : sizeof(set));
	return err < 0 ? err : settle(c, &set);
}

static long do_set_old(const struct call *c)
{
	struct termios2 set = c->tty->set;
	struct termio old;
	long err = tty_check_change(c->tty, c->task);

	if (err == 0)
		err = fetch(c, &old, sizeof(old));
	if (err < 0)
		return err;
	set.c_iflag = (set.c_iflag & 0xffff0000u) | old.c_iflag;
	set.c_oflag = (set.c_oflag & 0xffff0000u) | old.c_oflag;
	set.c_cflag = (set.c_cflag & 0xffff0000u) | old.c_cflag;
	set.c_lflag = (set.c_lflag & 0xffff0000u) | old.c_lflag;
	memcpy(set.c_cc, old.c_cc, sizeof(old.c_cc));
	return settle(c, &set);
}

static long do_get_size(const struct call *c)
{
	struct winsize w = {
		.ws_row = c->tty->rows,
		.ws_col = c->tty->columns,
		.ws_xpixel = c->tty->width,
		.ws_ypixel = c->tty->height,
	};

	return give(c, &w, sizeof(w));
}

static long do_set_size(const struct call *c)
{
	struct winsize w;
	long err = fetch(c, &w, sizeof(w));

	if (err < 0)
		return err;
	c->tty->width = w.ws_xpixel;
	c->tty->height = w.ws_ypixel;
	tty_resize(c->tty, w.ws_row, w.ws_col);
	return 0;
}

/* ---- job control ---- */

static bool is_ours(const struct call *c)
{
	return c->master || tty_of_task(c->task) == c->tty;
}

static long do_get_group(const struct call *c)
{
	if (!is_ours(c))
		return -ENOTTY;
	return give_int(c, c->tty->foreground ? c->tty->foreground->id : 0);
}

static long do_set_group(const struct call *c)
{
	int32_t id;
	long err;

	if (!is_ours(c))
		return -ENOTTY;
	err = fetch(c, &id, sizeof(id));
	return err < 0 ? err : tty_set_group(c->tty, c->task, id);
}

static long do_get_session(const struct call *c)
{
	if (!is_ours(c) || !c->tty->session)
		return -ENOTTY;
	return give_int(c, c->tty->session->id);
}

static long do_take(const struct call *c)
{
	if (c->master)
		return -EIO;
	return tty_take(c->tty, c->task, c->arg == 1);
}

static long do_leave(const struct call *c)
{
	return tty_leave(c->tty, c->task);
}

static long do_hangup(const struct call *c)
{
	if (!cred_capable(c->task->cred, CRED_CAP_SYS_ADMIN))
		return -EPERM;
	tty_hangup(c->tty);
	return 0;
}

/* ---- queues ---- */

static long do_flow(const struct call *c)
{
	uint8_t byte;
	long err = tty_check_change(c->tty, c->task);

	if (err < 0)
		return err;
	switch (c->arg) {
	case TCOOFF:
		ldisc_stop(c->tty);
		return 0;
	case TCOON:
		ldisc_start(c->tty);
		return 0;
	case TCIOFF:
	case TCION:
		byte = c->tty->set.c_cc[c->arg == TCIOFF ? VSTOP : VSTART];
		if (byte && tty_out_count(c->tty) < TTY_OUT) {
			c->tty->out[c->tty->out_end++ % TTY_OUT] = byte;
			waitq_wake(&c->tty->other_wait, ~0u);
		}
		return 0;
	default:
		return -EINVAL;
	}
}

static long do_flush(const struct call *c)
{
	long err = tty_check_change(c->tty, c->task);

	if (err < 0)
		return err;
	if (c->arg > TCIOFLUSH)
		return -EINVAL;
	/* From the other side, in and out are the other way round. */
	if (c->master && c->arg != TCIOFLUSH)
		ldisc_flush(c->tty, c->arg == TCIFLUSH ? TCOFLUSH : TCIFLUSH);
	else
		ldisc_flush(c->tty, (int)c->arg);
	return 0;
}

static long do_send_break(const struct call *c)
{
	return tty_check_change(c->tty, c->task);
}

static long do_count_in(const struct call *c)
{
	return give_int(c, (int32_t)(c->master ? tty_out_count(c->tty)
	                                       : ldisc_count(c->tty)));
}

static long do_count_out(const struct call *c)
{
	return give_int(c, (int32_t)(c->master ? tty_in_count(c->tty)
	                                       : tty_out_count(c->tty)));
}

/* ---- the rest ---- */

static long do_exclude(const struct call *c)
{
	c->tty->exclusive = c->cmd == TIOCEXCL;
	return 0;
}

static long do_get_exclude(const struct call *c)
{
	return give_int(c, c->tty->exclusive);
}

static long do_get_discipline(const struct call *c)
{
	return give_int(c, N_TTY);
}

static long do_set_discipline(const struct call *c)
{
	int32_t which;
	long err = fetch(c, &which, sizeof(which));

	if (err < 0)
		return err;
	return which == N_TTY ? 0 : -EINVAL;
}

static long do_refuse(const struct call *c)
{
	(void)c;
	return -EPERM;
}

static long do_refuse_io(const struct call *c)
{
	(void)c;
	return -EIO;
}

static long do_get_device(const struct call *c)
{
	/* As the old 16-bit numbers' successor has it: new_encode_dev(). */
	return give_int(c, (int32_t)DEVICE_MAKE(TTY_PTS_MAJOR, c->tty->index));
}

static long do_set_packet(const struct call *c)
{
	int32_t on;
	long err = fetch(c, &on, sizeof(on));

	if (err < 0)
		return err;
	if (on && !c->tty->packet)
		c->tty->packet_status = 0;
	c->tty->packet = on != 0;
	return 0;
}

static long do_get_packet(const struct call *c)
{
	return give_int(c, c->tty->packet);
}

static long do_set_lock(const struct call *c)
{
	int32_t on;
	long err = fetch(c, &on, sizeof(on));

	if (err < 0)
		return err;
	c->tty->locked = on != 0;
	return 0;
}

static long do_get_lock(const struct call *c)
{
	return give_int(c, c->tty->locked);
}

static long do_get_number(const struct call *c)
{
	return give_int(c, (int32_t)c->tty->index);
}

static long do_open_peer(const struct call *c)
{
	return devpts_open_peer(c->tty, c->task, (uint32_t)c->arg);
}

static long do_signal(const struct call *c)
{
	if (c->arg != SIGINT && c->arg != SIGQUIT && c->arg != SIGTSTP)
		return -EINVAL;
	tty_signal(c->tty, (int)c->arg);
	return 0;
}

enum side { BOTH, MASTER };

static const struct {
	uint32_t cmd;
	enum side side;
	long (*run)(const struct call *c);
} table[] = {
#define TTYIOCTL(command, side, function) {(command), (side), do_##function},
#include "kernel/tty/ttyioctl.def"
};

long ttyioctl_run(struct tty *tty, struct file *f, struct task *t, uint32_t cmd,
                  uint64_t arg, bool master)
{
	struct call c = {tty, f, t, cmd, arg, master};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].cmd == cmd && (master || table[i].side == BOTH))
			return table[i].run(&c);
	return -ENOTTY;
}
