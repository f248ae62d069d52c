/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tty/ldisc_echo.h"

#define OSET(t, flag) (((t)->set.c_oflag & (flag)) != 0)
#define LSET(t, flag) (((t)->set.c_lflag & (flag)) != 0)
#define TAB           8u

static uint32_t room(const struct tty *t, uint32_t reserve)
{
	uint32_t used = tty_out_count(t) + reserve;

	return used < TTY_OUT ? TTY_OUT - used : 0;
}

static void put(struct tty *t, uint8_t c)
{
	t->out[t->out_end++ % TTY_OUT] = c;
}

static bool is_control(uint8_t c)
{
	return c < ' ' || c == 0177;
}

static bool is_second_byte(const struct tty *t, uint8_t c)
{
	return t->set.c_iflag & IUTF8 && (c & 0xc0) == 0x80;
}

static bool post_newline(struct tty *t, uint32_t reserve)
{
	if (!OSET(t, ONLCR)) {
		if (OSET(t, ONLRET))
			t->column = 0;
		put(t, '\n');
		return true;
	}
	if (room(t, reserve) < 2)
		return false;
	t->column = 0;
	put(t, '\r');
	put(t, '\n');
	return true;
}

static bool post_return(struct tty *t, uint32_t reserve)
{
	if (OSET(t, ONOCR) && t->column == 0)
		return true;
	if (OSET(t, OCRNL))
		return post_newline(t, reserve);
	t->column = 0;
	put(t, '\r');
	return true;
}

static bool post_tab(struct tty *t, uint32_t reserve)
{
	uint32_t spaces = TAB - t->column % TAB;

	if ((t->set.c_oflag & TABDLY) != XTABS) {
		t->column += spaces;
		put(t, '\t');
		return true;
	}
	if (room(t, reserve) < spaces)
		return false;
	t->column += spaces;
	while (spaces-- > 0)
		put(t, ' ');
	return true;
}

bool ldisc_echo_post(struct tty *t, uint8_t c, uint32_t reserve)
{
	if (room(t, reserve) == 0)
		return false;
	if (!OSET(t, OPOST)) {
		put(t, c);
		return true;
	}
	switch (c) {
	case '\n':
		return post_newline(t, reserve);
	case '\r':
		return post_return(t, reserve);
	case '\t':
		return post_tab(t, reserve);
	case '\b':
		t->column -= t->column > 0;
		break;
	default:
		if (OSET(t, OLCUC) && c >= 'a' && c <= 'z')
			c = (uint8_t)(c - ('a' - 'A'));
		if (!is_control(c) && !is_second_byte(t, c))
			t->column++;
		break;
	}
	put(t, c);
	return true;
}

void ldisc_echo_raw(struct tty *t, uint8_t c)
{
	/* Without room an echo is lost, as on any slow terminal. */
	if (!ldisc_echo_post(t, c, 0))
		return;
}

void ldisc_echo(struct tty *t, uint8_t c)
{
	if (LSET(t, ECHOCTL) && is_control(c) && c != '\t' && c != '\n') {
		ldisc_echo_raw(t, '^');
		ldisc_echo_raw(t, c ^ 0100);
		return;
	}
	ldisc_echo_raw(t, c);
}

/* How wide the line being edited is now, from where it began. */
static uint32_t line_end(const struct tty *t)
{
	uint32_t column = t->line_column;

	for (uint32_t i = t->in_ready; i != t->in_end; i++) {
		uint8_t c = t->in[i % TTY_IN];

		if (c == '\t')
			column += TAB - column % TAB;
		else if (is_control(c))
			column += LSET(t, ECHOCTL) ? 2 : 0;
		else if (!is_second_byte(t, c))
			column++;
	}
	return column;
}

static void back(struct tty *t, uint32_t columns, bool wipe)
{
	while (columns-- > 0) {
		ldisc_echo_raw(t, '\b');
		if (!wipe)
			continue;
		ldisc_echo_raw(t, ' ');
		ldisc_echo_raw(t, '\b');
	}
}

void ldisc_echo_erase(struct tty *t, uint8_t c)
{
	uint32_t end;

	if (!LSET(t, ECHO))
		return;
	if (LSET(t, ECHOPRT)) {
		if (!t->erasing)
			ldisc_echo_raw(t, '\\');
		t->erasing = true;
		ldisc_echo(t, c);
	} else if (!LSET(t, ECHOE)) {
		ldisc_echo(t, t->set.c_cc[VERASE]);
	} else if (c == '\t') {
		end = line_end(t);
		back(t, t->column > end ? MIN(t->column - end, TAB) : 0, false);
	} else if (is_control(c)) {
		back(t, LSET(t, ECHOCTL) ? 2 : 0, true);
	} else {
		back(t, 1, true);
	}
}

void ldisc_echo_end(struct tty *t)
{
	if (!t->erasing)
		return;
	t->erasing = false;
	ldisc_echo_raw(t, '/');
}
