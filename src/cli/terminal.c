/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/terminal.h"

#include <signal.h>
#include <sys/ioctl.h>

static void set(int fd, const struct termios *to)
{
	sigset_t stop, old;

	/* From the background this would stop us; we are leaving anyway. */
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTTOU);
	(void)sigprocmask(SIG_BLOCK, &stop, &old);
	while (tcsetattr(fd, TCSADRAIN, to) < 0 && errno == EINTR)
		;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
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
