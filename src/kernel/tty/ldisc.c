/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tty/ldisc.h"

#include <asm/ioctls.h>
#include <linux/poll.h>
#include <signal.h>
#include <string.h>

#include "kernel/tty/ldisc_echo.h"

#define ISET(t, flag) (((t)->set.c_iflag & (flag)) != 0)
#define LSET(t, flag) (((t)->set.c_lflag & (flag)) != 0)

static void wake_other(struct tty *t)
{
	waitq_wake(&t->other_wait, POLLIN | POLLOUT);
	if (t->other && t->other->wake)
		t->other->wake(t);
}

/* Is `c` the special character at that place of c_cc? */
static bool is_special(const struct tty *t, uint8_t c, unsigned which)
{
	return c != 0 && t->set.c_cc[which] == c;
}

static void status(struct tty *t, uint8_t add, uint8_t remove)
{
	if (!t->packet)
		return;
	t->packet_status = (uint8_t)((t->packet_status & ~remove) | add);
	wake_other(t);
}

void ldisc_stop(struct tty *t)
{
	if (t->stopped)
		return;
	t->stopped = true;
	status(t, TIOCPKT_STOP, TIOCPKT_START);
}

void ldisc_start(struct tty *t)
{
	if (!t->stopped)
		return;
	t->stopped = false;
	status(t, TIOCPKT_START, TIOCPKT_STOP);
	waitq_wake(&t->write_wait, POLLOUT);
}

void ldisc_flush(struct tty *t, int which)
{
	if (which != TCOFLUSH) {
		t->in_done = t->in_ready = t->in_end;
		t->literal = false;
		status(t, TIOCPKT_FLUSHREAD, 0);
		wake_other(t);
	}
	if (which != TCIFLUSH) {
		t->out_done = t->out_end;
		status(t, TIOCPKT_FLUSHWRITE, 0);
		waitq_wake(&t->write_wait, POLLOUT);
	}
}

/* ---- input ---- */

static void wake_readers(struct tty *t)
{
	waitq_wake(&t->read_wait, POLLIN | POLLRDNORM);
}

static void store(struct tty *t, uint8_t c, enum tty_mark mark)
{
	uint32_t at = t->in_end % TTY_IN;

	/* The last place is kept for the end of a line. */
	if (tty_in_count(t) >= TTY_IN - (mark == TTY_PLAIN ? 1 : 0)) {
		if (ISET(t, IMAXBEL))
			ldisc_echo_raw(t, '\a');
		return;
	}
	t->in[at] = c;
	t->mark[at] = (uint8_t)mark;
	t->in_end++;
	if (mark != TTY_PLAIN || !LSET(t, ICANON))
		t->in_ready = t->in_end;
}

static void interrupt(struct tty *t, uint8_t c, int sig)
{
	if (!LSET(t, NOFLSH))
		ldisc_flush(t, sig == SIGTSTP ? TCIFLUSH : TCIOFLUSH);
	tty_signal(t, sig);
	if (ISET(t, IXON))
		ldisc_start(t);
	if (LSET(t, ECHO))
		ldisc_echo(t, c);
}

/* The characters that act at once.  True if `c` is one. */
static bool take_control(struct tty *t, uint8_t c)
{
	if (ISET(t, IXON)) {
		if (is_special(t, c, VSTART)) {
			ldisc_start(t);
			return true;
		}
		if (is_special(t, c, VSTOP)) {
			ldisc_stop(t);
			return true;
		}
	}
	if (!LSET(t, ISIG))
		return false;
	if (is_special(t, c, VINTR))
		interrupt(t, c, SIGINT);
	else if (is_special(t, c, VQUIT))
		interrupt(t, c, SIGQUIT);
	else if (is_special(t, c, VSUSP))
		interrupt(t, c, SIGTSTP);
	else
		return false;
	return true;
}

static bool continues(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/* Takes the last character of the line being edited away, all its bytes. */
static bool erase_one(struct tty *t)
{
	uint8_t c;

	do {
		if (t->in_end == t->in_ready)
			return false;
		t->in_end--;
		c = t->in[t->in_end % TTY_IN];
	} while (ISET(t, IUTF8) && continues(c));
	ldisc_echo_erase(t, c);
	return true;
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80;
}

static void erase_word(struct tty *t)
{
	bool seen = false;

	while (t->in_end != t->in_ready) {
		bool word = is_word(t->in[(t->in_end - 1) % TTY_IN]);

		if (seen && !word)
			break;
		seen |= word;
		if (!erase_one(t))
			break;
	}
}

static void erase_line(struct tty *t, uint8_t c)
{
	if (!LSET(t, ECHO)) {
		t->in_end = t->in_ready;
		return;
	}
	if (LSET(t, ECHOK) && LSET(t, ECHOKE) && LSET(t, ECHOE)) {
		while (erase_one(t))
			;
		return;
	}
	t->in_end = t->in_ready;
	ldisc_echo(t, c);
	if (LSET(t, ECHOK))
		ldisc_echo_raw(t, '\n');
}

static void reprint(struct tty *t, uint8_t c)
{
	ldisc_echo(t, c);
	ldisc_echo_raw(t, '\n');
	for (uint32_t i = t->in_ready; i != t->in_end; i++)
		ldisc_echo(t, t->in[i % TTY_IN]);
}

/* Editing.  True if `c` was about that. */
static bool edit(struct tty *t, uint8_t c)
{
	bool more = LSET(t, IEXTEN);

	if (is_special(t, c, VERASE)) {
		(void)erase_one(t);
	} else if (is_special(t, c, VKILL)) {
		erase_line(t, c);
	} else if (more && is_special(t, c, VWERASE)) {
		erase_word(t);
	} else if (more && is_special(t, c, VLNEXT)) {
		t->literal = true;
		if (LSET(t, ECHO) && LSET(t, ECHOCTL)) {
			ldisc_echo_raw(t, '^');
			ldisc_echo_raw(t, '\b');
		}
	} else if (more && LSET(t, ECHO) && is_special(t, c, VREPRINT)) {
		ldisc_echo_end(t);
		reprint(t, c);
		return true;
	} else {
		return false;
	}
	return true;
}

/* The end of a line.  True if `c` is one. */
static bool end_line(struct tty *t, uint8_t c)
{
	enum tty_mark mark = TTY_ENDS;

	if (c == '\n') {
		if (LSET(t, ECHO) || LSET(t, ECHONL))
			ldisc_echo_raw(t, '\n');
	} else if (is_special(t, c, VEOF)) {
		mark = TTY_NOTHING;
		c = 0;
	} else if (is_special(t, c, VEOL) ||
	           (LSET(t, IEXTEN) && is_special(t, c, VEOL2))) {
		if (LSET(t, ECHO))
			ldisc_echo(t, c);
	} else {
		return false;
	}
	store(t, c, mark);
	t->line_column = t->column;
	return true;
}

static void plain(struct tty *t, uint8_t c)
{
	ldisc_echo_end(t);
	if (LSET(t, ECHO)) {
		if (t->in_end == t->in_ready)
			t->line_column = t->column;
		ldisc_echo(t, c);
	}
	if (c == 0xff && ISET(t, PARMRK))
		store(t, c, TTY_PLAIN);
	store(t, c, TTY_PLAIN);
}

static void take(struct tty *t, uint8_t c)
{
	if (ISET(t, ISTRIP))
		c &= 0x7f;
	if (ISET(t, IUCLC) && LSET(t, IEXTEN) && c >= 'A' && c <= 'Z')
		c = (uint8_t)(c + ('a' - 'A'));
	if (LSET(t, EXTPROC)) {
		store(t, c,
		      LSET(t, ICANON) && c == '\n' ? TTY_ENDS : TTY_PLAIN);
		return;
	}
	if (t->literal) {
		t->literal = false;
		plain(t, c);
		return;
	}
	if (take_control(t, c))
		return;
	if (t->stopped && ISET(t, IXON) && ISET(t, IXANY))
		ldisc_start(t);
	if (c == '\r') {
		if (ISET(t, IGNCR))
			return;
		if (ISET(t, ICRNL))
			c = '\n';
	} else if (c == '\n' && ISET(t, INLCR)) {
		c = '\r';
	}
	if (LSET(t, ICANON) && (edit(t, c) || end_line(t, c)))
		return;
	plain(t, c);
}

/* Must a program read before more can be taken? */
static bool full(const struct tty *t)
{
	if (tty_in_count(t) < TTY_IN - 1)
		return false;
	/* Without a line to read, what is too much is dropped: store(). */
	return !LSET(t, ICANON) || t->in_ready != t->in_done;
}

size_t ldisc_input(struct tty *t, const uint8_t *data, size_t size)
{
	uint32_t was_ready = t->in_ready;
	uint32_t had_out = t->out_end;
	size_t n = 0;

	for (; n < size && !full(t); n++)
		take(t, data[n]);
	if (n > 0)
		t->in_at_ns = timer_now();
	if (t->in_ready != was_ready)
		wake_readers(t);
	if (t->out_end != had_out)
		wake_other(t);
	return n;
}

/* ---- reading ---- */

uint32_t ldisc_count(const struct tty *t)
{
	uint32_t n = t->in_ready - t->in_done;

	if (!LSET(t, ICANON))
		return tty_in_count(t);
	/* What marks an end of file is not to be read. */
	for (uint32_t i = t->in_done; i != t->in_ready; i++)
		n -= t->mark[i % TTY_IN] == TTY_NOTHING;
	return n;
}

bool ldisc_readable(const struct tty *t)
{
	uint32_t least = 1;

	if (LSET(t, ICANON) || LSET(t, EXTPROC))
		return t->in_ready != t->in_done;
	if (t->set.c_cc[VTIME] == 0 && t->set.c_cc[VMIN] > 0)
		least = t->set.c_cc[VMIN];
	return tty_in_count(t) >= least;
}

static void was_read(struct tty *t, uint32_t size)
{
	bool was_full = full(t);

	t->in_done += size;
	if ((int32_t)(t->in_ready - t->in_done) < 0)
		t->in_ready = t->in_done;
	if (was_full)
		wake_other(t);
}

/* Copies up to `count` bytes from in_done on.  Bytes or -EFAULT. */
static long copy_in(struct tty *t, struct uio *u, uint32_t count)
{
	uint32_t at = t->in_done % TTY_IN;
	uint32_t first = MIN(count, TTY_IN - at);
	int err = uio_put(u, t->in + at, first);

	if (err == 0 && count > first)
		err = uio_put(u, t->in, count - first);
	return err < 0 ? err : (long)count;
}

/* One line, or as much of it as fits. */
static long read_line(struct tty *t, struct uio *u)
{
	uint32_t have = t->in_ready - t->in_done;
	uint32_t room = (uint32_t)MIN(u->left, TTY_IN);
	uint32_t n = 0, gone;
	enum tty_mark mark = TTY_PLAIN;
	long got;

	if (have == 0)
		return -EAGAIN;
	while (n < have && n < room && mark == TTY_PLAIN)
		mark = t->mark[(t->in_done + n++) % TTY_IN];
	gone = n;
	if (mark == TTY_NOTHING)
		n--;
	else if (mark == TTY_PLAIN && n == room && n < have &&
	         t->mark[(t->in_done + n) % TTY_IN] == TTY_NOTHING)
		gone++; /* exactly the line: its end goes with it */
	got = copy_in(t, u, n);
	if (got < 0)
		return got;
	was_read(t, gone);
	return got;
}

long ldisc_read(struct tty *t, struct uio *u, uint64_t *until_ns)
{
	uint32_t have = tty_in_count(t);
	uint32_t least = t->set.c_cc[VMIN];
	uint64_t wait_ns = (uint64_t)t->set.c_cc[VTIME] * 100000000u;
	long got;

	*until_ns = 0;
	if (u->left == 0)
		return 0;
	if (LSET(t, ICANON) && !LSET(t, EXTPROC))
		return read_line(t, u);
	least = (uint32_t)MIN(least, u->left);
	if (have == 0 && least == 0 && wait_ns == 0)
		return 0;
	if (have == 0 || (have < least && wait_ns == 0)) {
		/* VMIN 0: the caller counts from when it began to read. */
		if (least == 0)
			*until_ns = wait_ns;
		if (!(u->nonblock && have > 0))
			return -EAGAIN;
	} else if (have < least && !u->nonblock) {
		*until_ns = t->in_at_ns + wait_ns;
		if (timer_now() < *until_ns)
			return -EAGAIN;
	}
	got = copy_in(t, u, (uint32_t)MIN(have, u->left));
	if (got > 0)
		was_read(t, (uint32_t)got);
	return got;
}

/* ---- writing ---- */

bool ldisc_writable(const struct tty *t)
{
	return !t->stopped && tty_out_count(t) < TTY_OUT / 2 - TTY_OUT_ECHO;
}

/* Without OPOST: straight into the queue. */
static long write_raw(struct tty *t, struct uio *u)
{
	uint32_t room = TTY_OUT - TTY_OUT_ECHO;
	uint32_t at, n;
	int err;

	if (tty_out_count(t) >= room)
		return -EAGAIN;
	room -= tty_out_count(t);
	at = t->out_end % TTY_OUT;
	n = (uint32_t)MIN(MIN(u->left, room), TTY_OUT - at);
	err = uio_take(u, t->out + at, n);
	if (err < 0)
		return err;
	t->out_end += n;
	return n;
}

static long write_processed(struct tty *t, struct uio *u)
{
	size_t size;
	const uint8_t *data = uio_data(u, &size);
	size_t n = 0;

	if (!data)
		return -EFAULT;
	while (n < size && ldisc_echo_post(t, data[n], TTY_OUT_ECHO))
		n++;
	uio_data_done(u, n);
	return n == 0 && size > 0 ? -EAGAIN : (long)n;
}

long ldisc_write(struct tty *t, struct uio *u)
{
	long done = 0;

	while (u->left > 0) {
		long n;

		if (t->stopped)
			n = -EAGAIN;
		else if (t->set.c_oflag & OPOST)
			n = write_processed(t, u);
		else
			n = write_raw(t, u);
		if (n <= 0) {
			done = done > 0 ? done : n;
			break;
		}
		done += n;
	}
	if (done > 0)
		wake_other(t);
	return done;
}

/* ---- settings ---- */

void ldisc_set(struct tty *t, const struct termios2 *set)
{
	uint32_t changed = t->set.c_lflag ^ set->c_lflag;
	bool could_stop = ISET(t, IXON);

	t->set = *set;
	if (changed & (ICANON | EXTPROC)) {
		t->literal = false;
		t->erasing = false;
		for (uint32_t i = t->in_done; i != t->in_end; i++)
			t->mark[i % TTY_IN] = TTY_PLAIN;
		/* What was typed so far counts as a line. */
		if (LSET(t, ICANON) && t->in_end != t->in_done)
			t->mark[(t->in_end - 1) % TTY_IN] = TTY_ENDS;
		t->in_ready = t->in_end;
		wake_readers(t);
	}
	if (could_stop && !ISET(t, IXON))
		ldisc_start(t);
	if (could_stop != ISET(t, IXON))
		status(t, ISET(t, IXON) ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP,
		       ISET(t, IXON) ? TIOCPKT_NOSTOP : TIOCPKT_DOSTOP);
}
