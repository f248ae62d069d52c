/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/owner.h"

struct owner {
	int fd;
	struct list requests;
	uint64_t last_cookie;
};

/* What an answer gives who asked: a descriptor, or a negative errno. */
static int outcome(const struct control *c, struct control_fds *fds)
{
	int fd = control_take(fds, 0);

	if (fd >= 0)
		return fd;
	if (fds->lost)
		return -EMFILE;
	return c->value[1] > 0 && c->value[1] < 4096 ? -(int)c->value[1]
	                                             : -EPROTO;
}

void owner_opened(struct kernel *k, const struct control *c,
                  struct control_fds *fds)
{
	if (!k->owner)
		return;
	list_for_each (at, &k->owner->requests) {
		struct owner_request *r = list_entry(at, struct owner_request,
		                                     link);

		if (r->cookie != c->value[0])
			continue;
		list_del(&r->link);
		r->answered(r, outcome(c, fds));
		return;
	}
}

int owner_create(struct kernel *k, int fd)
{
	struct owner *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->fd = fd;
	list_init(&o->requests);
	k->owner = o;
	return 0;
}

void owner_destroy(struct kernel *k)
{
	struct owner *o = k->owner;

	if (!o)
		return;
	k->owner = NULL;
	list_for_each_safe (at, &o->requests) {
		struct owner_request *r = list_entry(at, struct owner_request,
		                                     link);

		list_del(&r->link);
		r->answered(r, -ENOTCONN);
	}
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
	err = control_send(o->fd, &c, &pidfd, 1);
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
