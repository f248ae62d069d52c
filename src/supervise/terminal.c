/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise/terminal.h"

#include <sys/ioctl.h>

static void set(int fd, const struct termios *to)
{
	while (tcsetattr(fd, TCSADRAIN, to) < 0 && errno == EINTR)
		;
}

void terminal_again(struct terminal *t)
{
	struct termios raw = t->saved;

	cfmakeraw(&raw);
	set(t->fd, &raw);
	t->raw = true;
}

int terminal_raw(struct terminal *t, int fd, struct fault *f)
{
	struct terminal got = {.fd = fd};

	if (tcgetattr(fd, &got.saved) < 0)
		return fault_errno(f, "read the terminal's settings");
	*t = got;
	terminal_again(t);
	return 0;
}

void terminal_restore(struct terminal *t)
{
	if (!t->raw)
		return;
	t->raw = false;
	/* In the background the terminal is someone else's by now. */
	if (tcgetpgrp(t->fd) == getpgrp())
		set(t->fd, &t->saved);
}

void terminal_size(int fd, uint16_t *rows, uint16_t *columns)
{
	struct winsize w = {0};

	if (ioctl(fd, TIOCGWINSZ, &w) < 0)
		w = (struct winsize){0};
	*rows = w.ws_row;
	*columns = w.ws_col;
}
