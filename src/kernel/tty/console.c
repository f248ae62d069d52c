/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/tty/console.h"

#include <sys/epoll.h>

#include "kernel/tty/ldisc.h"

#define ROOM     4096u
#define DRAIN_NS (5ull * 1000000000) /* patience with one that takes nothing */

struct console {
	struct kernel *kernel;
	struct tty *tty;
	struct event event;
	uint32_t events; /* what the loop watches for */
	struct soon soon;
	bool input_ended;
	void (*drained)(void *who); /* NULL: nobody waits for that */
	void *who;
	struct timer patience;
	size_t start, size; /* input not yet taken by the line discipline */
	uint8_t data[ROOM];
};

static void watch(struct console *c)
{
	uint32_t want = 0;

	if (c->event.fd < 0)
		return;
	if (!c->input_ended && c->size == 0)
		want |= EPOLLIN;
	if (tty_out_count(c->tty) > 0)
		want |= EPOLLOUT;
	if (want != c->events &&
	    loop_change(&c->kernel->loop, &c->event, want) == 0)
		c->events = want;
}

static void gone(struct console *c)
{
	if (c->event.fd < 0)
		return;
	loop_remove(&c->kernel->loop, &c->event);
	close(c->event.fd);
	c->event.fd = -1;
	tty_other_closed(c->tty);
}

static void write_out(struct console *c)
{
	while (c->event.fd >= 0 && tty_out_count(c->tty) > 0) {
		uint32_t size;
		const uint8_t *data = tty_out_run(c->tty, &size);
		ssize_t n = write(c->event.fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			gone(c);
			return;
		}
		if (n <= 0)
			return;
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
		c->input_ended = true;
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
	if (c->event.fd >= 0 && !c->input_ended && c->size == 0 &&
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

	gone(c);
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
	gone(c);
	timer_stop(&c->kernel->loop.timers, &c->patience);
	list_del(&c->soon.link);
	c->tty->other = &nobody;
	tty_put(c->tty);
	if (c->kernel->console == c)
		c->kernel->console = NULL;
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

void console_hang_up(struct console *c)
{
	gone(c);
}

void console_drain(struct console *c, void (*drained)(void *who), void *who)
{
	write_out(c);
	watch(c);
	c->drained = drained;
	c->who = who;
	if (timer_set(&c->kernel->loop.timers, &c->patience,
	              timer_now() + DRAIN_NS) < 0)
		gone(c);
	tell_drained(c);
}
