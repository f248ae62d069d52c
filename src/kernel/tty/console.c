/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tty/console.h"

#include <signal.h>
#include <sys/epoll.h>

#include "kernel/tty/ldisc.h"

#define ROOM     4096u
#define KEPT     16384u
#define DRAIN_NS (5ull * 1000000000) /* patience with one that takes nothing */

struct console {
	struct kernel *kernel;
	struct tty *tty;
	struct event event;
	uint32_t events; /* what the loop watches for */
	struct soon soon;
	bool stays, hung_up;
	void (*drained)(void *who); /* NULL: nobody waits for that */
	void *who;
	struct timer patience;
	size_t start, size; /* input not yet taken by the line discipline */
	uint8_t data[ROOM];
	uint8_t *kept;   /* KEPT bytes of output, in a ring; or NULL */
	size_t kept_end; /* runs freely */
};

static void watch(struct console *c)
{
	uint32_t want = 0;

	if (c->event.fd < 0)
		return;
	if (c->size == 0)
		want |= EPOLLIN;
	if (tty_out_count(c->tty) > 0)
		want |= EPOLLOUT;
	if (want != c->events &&
	    loop_change(&c->kernel->loop, &c->event, want) == 0)
		c->events = want;
}

static void close_stream(struct console *c)
{
	if (c->event.fd < 0)
		return;
	loop_remove(&c->kernel->loop, &c->event);
	close(c->event.fd);
	c->event.fd = -1;
}

static void hang_up(struct console *c)
{
	close_stream(c);
	if (c->hung_up)
		return;
	c->hung_up = true;
	tty_other_closed(c->tty);
}

/* Nobody shows it any more. */
static void gone(struct console *c)
{
	if (!c->stays) {
		hang_up(c);
		return;
	}
	close_stream(c);
	loop_soon(&c->kernel->loop, &c->soon);
}

/* The end of what was shown is kept for the next one who shows it. */
static void keep(struct console *c, const uint8_t *data, size_t size)
{
	if (!c->kernel->lasts)
		return;
	if (!c->kept)
		c->kept = malloc(KEPT);
	for (size_t i = 0; i < size && c->kept; i++)
		c->kept[c->kept_end++ % KEPT] = data[i];
}

static void write_out(struct console *c)
{
	while (!c->hung_up && tty_out_count(c->tty) > 0) {
		uint32_t size;
		const uint8_t *data = tty_out_run(c->tty, &size);
		ssize_t n = c->event.fd < 0 ? (ssize_t)size
		                            : write(c->event.fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			gone(c);
			continue;
		}
		if (n <= 0)
			return;
		keep(c, data, (size_t)n);
		tty_out_took(c->tty, (uint32_t)n);
	}
}

static void type(struct console *c)
{
	size_t n = ldisc_input(c->tty, c->data + c->start, c->size);

	c->start += n;
	c->size -= n;
}

static void read_in(struct console *c)
{
	ssize_t n = read(c->event.fd, c->data, sizeof(c->data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		gone(c);
		return;
	}
	c->start = 0;
	c->size = (size_t)n;
	type(c);
}

/* Calls who waits for the last output; the console may be gone then. */
static void tell_drained(struct console *c)
{
	void (*drained)(void *who) = c->drained;

	if (!drained || (c->event.fd >= 0 && tty_out_count(c->tty) > 0))
		return;
	c->drained = NULL;
	drained(c->who);
}

static void ready(struct event *e, uint32_t events)
{
	struct console *c = container_of(e, struct console, event);

	if (events & EPOLLOUT)
		write_out(c);
	if (c->event.fd >= 0 && c->size == 0 &&
	    events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_in(c);
	watch(c);
	tell_drained(c);
}

static void catch_up(struct soon *s)
{
	struct console *c = container_of(s, struct console, soon);

	if (c->size > 0)
		type(c);
	write_out(c);
	watch(c);
	tell_drained(c);
}

static void lose_patience(struct timer *t)
{
	struct console *c = container_of(t, struct console, patience);

	hang_up(c);
	tell_drained(c);
}

static void wake(struct tty *t)
{
	struct console *c = t->other_private;

	loop_soon(&c->kernel->loop, &c->soon);
}

/* The programs come and go; the console stays. */
static const struct tty_other console_other = {.wake = wake};
static const struct tty_other nobody = {NULL, NULL};

int console_create(struct kernel *k, int fd, uint16_t rows, uint16_t columns,
                   struct console **out)
{
	struct console *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	if (!c)
		goto close_fd;
	c->kernel = k;
	c->event = (struct event){.fd = fd, .ready = ready};
	c->soon.run = catch_up;
	c->patience.fire = lose_patience;
	list_init(&c->soon.link);
	err = tty_create(k, &console_other, &c->tty);
	if (err < 0)
		goto free_console;
	c->tty->other_private = c;
	c->tty->rows = rows;
	c->tty->columns = columns;
	err = loop_add(&k->loop, &c->event, EPOLLIN);
	if (err < 0)
		goto put_tty;
	c->events = EPOLLIN;
	if (!k->console)
		k->console = c;
	*out = c;
	return 0;

put_tty:
	tty_other_closed(c->tty);
	tty_put(c->tty);
free_console:
	free(c);
close_fd:
	close(fd);
	return err;
}

void console_destroy(struct console *c)
{
	if (!c)
		return;
	hang_up(c);
	timer_stop(&c->kernel->loop.timers, &c->patience);
	list_del(&c->soon.link);
	c->tty->other = &nobody;
	tty_put(c->tty);
	if (c->kernel->console == c)
		c->kernel->console = NULL;
	free(c->kept);
	free(c);
}

struct tty *console_tty(struct console *c)
{
	return c->tty;
}

void console_resize(struct console *c, uint16_t rows, uint16_t columns)
{
	tty_resize(c->tty, rows, columns);
}

void console_stay(struct console *c)
{
	c->stays = true;
}

void console_leave(struct console *c)
{
	gone(c);
}

/* A stream that was just made takes it all. */
static void show_kept(struct console *c)
{
	size_t size = MIN(c->kept_end, (size_t)KEPT);
	size_t from = (c->kept_end - size) % KEPT;
	size_t first = MIN(size, KEPT - from);

	if (size > 0 &&
	    write(c->event.fd, c->kept + from, first) == (ssize_t)first)
		(void)!write(c->event.fd, c->kept, size - first);
}

int console_attach(struct console *c, int fd, uint16_t rows, uint16_t columns)
{
	int err;

	if (c->hung_up) {
		close(fd);
		return -EIO;
	}
	c->stays = true;
	close_stream(c);
	c->event = (struct event){.fd = fd, .ready = ready};
	err = loop_add(&c->kernel->loop, &c->event, EPOLLIN);
	if (err < 0) {
		c->event.fd = -1;
		close(fd);
		return err;
	}
	c->events = EPOLLIN;
	show_kept(c);
	if (c->tty->rows == rows && c->tty->columns == columns)
		tty_signal(c->tty, SIGWINCH); /* it is to be drawn anew */
	tty_resize(c->tty, rows, columns);
	loop_soon(&c->kernel->loop, &c->soon);
	return 0;
}

void console_drain(struct console *c, void (*drained)(void *who), void *who)
{
	c->drained = drained;
	c->who = who;
	if (timer_set(&c->kernel->loop.timers, &c->patience,
	              timer_now() + DRAIN_NS) < 0)
		hang_up(c);
	/* Not now: what is typed here may be what ended the program. */
	loop_soon(&c->kernel->loop, &c->soon);
}
