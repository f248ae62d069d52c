/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/owner.h"

#include <stdio.h>
#include <sys/epoll.h>

#include "channel/control.h"
#include "kernel/program.h"
#include "kernel/tty/console.h"

struct owner {
	struct kernel *kernel;
	struct event event;
	struct list requests;
	uint32_t last_cookie;
};

static void answered(struct owner *o, const struct control *c, int fd)
{
	list_for_each (at, &o->requests) {
		struct owner_request *r = list_entry(at, struct owner_request,
		                                     link);
		int err = c->value[1] > 0 && c->value[1] < 4096
		                  ? -(int)c->value[1]
		                  : -EPROTO;

		if (r->cookie != c->value[0])
			continue;
		list_del(&r->link);
		r->answered(r, fd >= 0 ? fd : err);
		return;
	}
	base_close(&fd);
}

static void take(struct owner *o, const struct control *c, int fd)
{
	struct kernel *k = o->kernel;

	switch (c->kind) {
	case CONTROL_signal:
		program_signal(k, (int)c->value[0]);
		break;
	case CONTROL_window:
		if (k->console)
			console_resize(k->console, (uint16_t)c->value[0],
			               (uint16_t)c->value[1]);
		break;
	case CONTROL_opened:
		answered(o, c, fd);
		return;
	default:
		break;
	}
	base_close(&fd);
}

static void ready(struct event *e, uint32_t events)
{
	struct owner *o = container_of(e, struct owner, event);
	struct control c;
	int fd = -1;
	int got = control_receive(e->fd, CONTROL_OWNER, &c, &fd);

	(void)events;
	if (got == -EAGAIN)
		return;
	if (got > 0) {
		take(o, &c, fd);
		return;
	}
	loop_remove(&o->kernel->loop, e);
	o->kernel->loop.stop = true;
}

int owner_create(struct kernel *k, int fd)
{
	struct owner *o = calloc(1, sizeof(*o));
	int err;

	if (!o) {
		close(fd);
		return -ENOMEM;
	}
	*o = (struct owner){.kernel = k, .event = {.fd = fd, .ready = ready}};
	list_init(&o->requests);
	err = loop_add(&k->loop, &o->event, EPOLLIN);
	if (err < 0) {
		close(fd);
		free(o);
		return err;
	}
	k->owner = o;
	return 0;
}

void owner_destroy(struct kernel *k)
{
	struct owner *o = k->owner;

	if (!o)
		return;
	loop_remove(&k->loop, &o->event);
	close(o->event.fd);
	list_for_each_safe (at, &o->requests) {
		struct owner_request *r = list_entry(at, struct owner_request,
		                                     link);

		list_del(&r->link);
		r->answered(r, -ENOTCONN);
	}
	k->owner = NULL;
	free(o);
}

static int ask(struct kernel *k, enum control_kind kind, int pidfd,
               struct owner_request *r)
{
	struct control c = {.kind = kind};
	struct owner *o = k->owner;
	int err;

	if (!o)
		return -ENOTCONN;
	c.value[0] = ++o->last_cookie;
	err = control_send(o->event.fd, &c, pidfd);
	if (err < 0)
		return err;
	r->cookie = c.value[0];
	list_add_tail(&o->requests, &r->link);
	return 0;
}

int owner_ask_maps(struct kernel *k, int pidfd, struct owner_request *r)
{
	return ask(k, CONTROL_maps, pidfd, r);
}

int owner_ask_statm(struct kernel *k, int pidfd, struct owner_request *r)
{
	return ask(k, CONTROL_statm, pidfd, r);
}

void owner_forget(struct owner_request *r)
{
	if (r->link.next)
		list_del(&r->link);
}

/* The owner reads until we are gone; a full socket means it has hung. */
static void tell(struct kernel *k, const struct control *c)
{
	if (k->owner && control_send(k->owner->event.fd, c, -1) < 0)
		k->loop.stop = true;
}

void owner_exited(struct kernel *k, uint32_t status)
{
	struct control c = {.kind = CONTROL_exited, .value = {status}};

	tell(k, &c);
}

void owner_failed(struct kernel *k, uint32_t exit_status, const char *why)
{
	struct control c = {.kind = CONTROL_failed, .value = {exit_status}};

	(void)snprintf(c.text, sizeof(c.text), "%s", why);
	tell(k, &c);
}
