/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bento.Call: the user's own calls.  They are not asked about: whoever may ask
 * here may run anything in any qube.
 */
#include "manager/handlers.h"
#include "manager/manager.h"
#include "manager/property.h"
#include "manager/route.h"

#include <stdio.h>
#include <sys/socket.h>

/* One on its way. */
struct dialled {
	struct call *call;
	struct reactor_timer begin; /* behind the transaction of the request */
	struct route route;
	char service[CALLMSG_SERVICE_MAX + 1];
	char target[QUBE_NAME_MAX + 16];
	char user[CALLMSG_NAME_MAX + 1];
	char source[CALLMSG_NAME_MAX + 1]; /* for whom a gateway asks */
};

/* A control connection on which the streams wait to be taken. */
static int pack(const int streams[CALLMSG_STREAMS])
{
	const struct control c = {.kind = CONTROL_allowed};
	autoclose int ours = -1;
	autoclose int theirs = -1;
	int ends[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	ours = ends[0];
	theirs = ends[1];
	err = control_send(ours, &c, streams, CALLMSG_STREAMS);
	return err < 0 ? err : take_fd(&theirs);
}

static void routed(struct route *r, int streams[CALLMSG_STREAMS],
                   const char *why)
{
	struct dialled *d = container_of(r, struct dialled, route);
	struct call *c = d->call;
	int err = 0;

	if (!streams) {
		err = call_fail(c, EX_QubesVMNotStartedError, "%s: %s",
		                c->target.name, why);
	} else {
		c->fd = pack(streams);
		callmsg_close(streams);
		if (c->fd < 0)
			err = call_fail(c, EX_QubesException,
			                "hand over the streams: %s",
			                strerror(-c->fd));
	}
	free(d);
	call_finish(c, err);
}

static void begin(struct reactor_timer *t)
{
	struct dialled *d = container_of(t, struct dialled, begin);

	route_begin(d->call->m, &d->route);
}

/* The template for a disposable: the target, or the default one. */
static int find_template(struct call *c, struct qube *out)
{
	char name[PROPERTY_VALUE_MAX] = "";

	*out = c->target;
	if (c->target.class == QUBE_AdminVM) {
		(void)property_get(c->m->ledger, NULL,
		                   property_find(NULL, "default_dispvm"), name);
		if (!*name || qube_find(c->m->ledger, name, out) < 0)
			return call_fail(c, EX_QubesNoTemplateError,
			                 "there is no default_dispvm: name a "
			                 "disposable template");
	}
	return 0;
}

static int read_wish(struct call *c, struct dialled *d)
{
	struct route *r = &d->route;
	bool new = strcmp(c->argument, "dispvm") == 0;
	char start[8] = "yes";
	struct qube q = c->target;
	int err = new ? find_template(c, &q) : 0;

	if (err < 0)
		return err;
	if (*c->argument && !new)
		return call_fail(c, EX_QubesValueError,
		                 "the argument is nothing, or dispvm");
	if (!call_word(c, "service", d->service, sizeof(d->service) - 1))
		return call_fail(c, EX_QubesValueError,
		                 "the payload has no service=");
	(void)!call_word(c, "user", d->user, sizeof(d->user));
	(void)!call_word(c, "start", start, sizeof(start));
	if (!call_word(c, "source", d->source, sizeof(d->source)))
		memcpy(d->source, "dom0", sizeof("dom0"));
	if (!strchr(d->service, '+'))
		memcpy(d->service + strlen(d->service), "+", 2);
	(void)snprintf(d->target, sizeof(d->target), "%s%s",
	               new ? "@dispvm:" : "", q.name);
	r->kind = new                        ? ROUTE_NEW
	          : q.class == QUBE_AdminVM  ? ROUTE_DOM0
	          : q.class == QUBE_RemoteVM ? ROUTE_REMOTE
	                                     : ROUTE_QUBE;
	memcpy(r->uuid, q.uuid, sizeof(r->uuid));
	r->start = strcmp(start, "no") != 0;
	r->what = (struct callmsg){
		.service = span_str(d->service),
		.target = span_str(d->target),
		.source = span_str(d->source),
		.user = span_str(d->user),
	};
	r->done = routed;
	return 0;
}

/* Do the names have the form that they must have on their way? */
static int check_names(struct call *c, const struct callmsg *what)
{
	autobuffer struct buffer b = {0};
	struct callmsg parsed;

	buffer_put(&b, what->service.at, what->service.size);
	buffer_text(&b, " ");
	buffer_put(&b, what->target.at, what->target.size);
	buffer_text(&b, " ");
	buffer_put(&b, what->source.at, what->source.size);
	buffer_text(&b, " ");
	buffer_put(&b, what->user.at, what->user.size);
	if (b.bad)
		return call_fail(c, EX_QubesMemoryError, "out of memory");
	if (callmsg_parse(buffer_span(&b), &parsed) < 0)
		return call_fail(c, EX_QubesValueError,
		                 "services, users and sources are of "
		                 "letters, digits and + - . _");
	return 0;
}

int on_call_begin(struct call *c)
{
	struct dialled *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return call_fail(c, EX_QubesMemoryError, "out of memory");
	d->call = c;
	err = read_wish(c, d);
	if (err == 0)
		err = check_names(c, &d->route.what);
	if (err < 0) {
		free(d);
		return err;
	}
	reactor_timer_init(&d->begin, begin);
	reactor_timer_start(c->m->reactor, &d->begin, 0);
	return CALL_LATER;
}
