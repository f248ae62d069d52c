/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/route.h"

#include <stdio.h>

#include "manager/callstreams.h"
#include "manager/disposable.h"
#include "manager/dom0.h"
#include "manager/manager.h"
#include "manager/preload.h"
#include "manager/property.h"
#include "manager/trunk.h"

static void fail(struct route *r, const char *why)
{
	if (r->made)
		domain_end(r->m, r->made);
	r->made = 0;
	buffer_fini(&r->service);
	r->done(r, NULL, why);
}

static void ready(struct domain_waiter *w, const char *why);

/* Those that there are, or new ones. */
static int find_streams(struct route *r, int ours[CALLMSG_STREAMS],
                        int theirs[CALLMSG_STREAMS])
{
	if (!r->far)
		return callstreams_make(ours, theirs);
	for (size_t i = 0; i < CALLMSG_STREAMS; i++) {
		ours[i] = -1;
		theirs[i] = take_fd(&r->far[i]);
	}
	return 0;
}

/* Has the user's own session serve it. */
static int serve_here(struct route *r, int theirs[CALLMSG_STREAMS])
{
	dom0_serve(r->m, &r->what, theirs);
	return 0;
}

/* Nobody has said whom the service runs as: the target's default_user. */
static int name_user(struct route *r, uint32_t id)
{
	char user[PROPERTY_VALUE_MAX];
	struct fault f;
	struct qube q;
	int err = ledger_begin(r->m->ledger, false, &f);

	if (err < 0)
		return err;
	err = qube_load(r->m->ledger, id, &q);
	if (err == 0) {
		property_text(r->m->ledger, &q, "default_user", user);
		(void)snprintf(r->user, sizeof(r->user), "%.*s",
		               (int)CALLMSG_NAME_MAX, user);
		r->what.user = span_str(r->user);
	}
	ledger_abort(r->m->ledger);
	return err;
}

/* What the two have to do with is there: they are joined. */
static void join(struct route *r)
{
	bool here = r->kind == ROUTE_DOM0;
	struct trunk *to = here ? NULL : trunk_find(r->m, r->uuid);
	struct trunk *full = to && trunk_is_full(to)             ? to
	                     : r->from && trunk_is_full(r->from) ? r->from
	                                                         : NULL;
	int ours[CALLMSG_STREAMS], theirs[CALLMSG_STREAMS];
	int err;

	if (!here && !to) {
		fail(r, "the target takes no calls");
		return;
	}
	if (full) {
		r->waiter.done = ready;
		trunk_wait(full, &r->waiter);
		return;
	}
	if (to && r->what.user.size == 0 && name_user(r, to->id) < 0) {
		fail(r, "the target is gone");
		return;
	}
	if (find_streams(r, ours, theirs) < 0) {
		fail(r, "the manager has too many open files");
		return;
	}
	err = here ? serve_here(r, theirs) : trunk_serve(to, &r->what, theirs);
	if (err < 0) {
		callmsg_close(ours);
		fail(r, "the target cannot be told");
		return;
	}
	r->made = 0;
	buffer_fini(&r->service);
	r->done(r, ours, NULL);
}

static void ready(struct domain_waiter *w, const char *why)
{
	struct route *r = container_of(w, struct route, waiter);

	if (why)
		fail(r, why);
	else
		join(r);
}

/* Starts it and waits for that; in a transaction that reads. */
static int want(struct route *r, const struct qube *q, struct fault *f)
{
	r->waiter.done = ready;
	memcpy(r->uuid, q->uuid, sizeof(r->uuid));
	return domain_want(r->m, q, r->from ? r->from->name : "dom0",
	                   &r->waiter, f);
}

static int want_qube(struct route *r, struct fault *f)
{
	char name[QUBE_UUID_SIZE + 8];
	struct qube q;
	int err = ledger_begin(r->m->ledger, false, f);

	if (err < 0)
		return err;
	(void)snprintf(name, sizeof(name), "uuid:%s", r->uuid);
	err = qube_find(r->m->ledger, name, &q);
	if (err < 0)
		err = fault_set(f, err, "the target is gone");
	else if (!r->start && domain_state(r->m, q.id) == DOMAIN_HALTED)
		err = fault_set(f, -ESRCH, "the target does not run");
	else
		err = want(r, &q, f);
	ledger_abort(r->m->ledger);
	return err;
}

/* In a transaction: the RemoteVM's relay, and what it is asked for. */
static int read_relay(struct route *r, struct qube *relay, struct fault *f)
{
	char name[PROPERTY_VALUE_MAX], transport[PROPERTY_VALUE_MAX];
	struct ledger *l = r->m->ledger;
	struct qube q;

	(void)snprintf(name, sizeof(name), "uuid:%s", r->uuid);
	if (qube_find(l, name, &q) < 0)
		return fault_set(f, -ENOENT, "the target is gone");
	property_text(l, &q, "transport_rpc", transport);
	property_text(l, &q, "relayvm", name);
	if (!*transport || qube_find(l, name, relay) < 0)
		return fault_set(f, -ENXIO,
		                 "%s has no relayvm, or no transport_rpc",
		                 q.name);
	if (r->from && r->from->id == relay->id)
		return fault_set(f, -ELOOP, "%s is the relay of %s itself",
		                 relay->name, q.name);
	property_text(l, &q, "remote_name", name);
	buffer_printf(&r->service, "%s+%s+", transport, name);
	buffer_put(&r->service, r->what.service.at, r->what.service.size);
	if (r->service.bad || r->service.size > CALLMSG_SERVICE_MAX)
		return fault_set(f, -E2BIG, "that is too long a name");
	return 0;
}

/* From here on it is a call to the relay. */
static int find_relay(struct route *r, struct fault *f)
{
	struct qube relay;
	int err = ledger_begin(r->m->ledger, false, f);

	if (err < 0)
		return err;
	err = read_relay(r, &relay, f);
	ledger_abort(r->m->ledger);
	if (err < 0)
		return err;
	r->kind = ROUTE_QUBE;
	r->what.service = buffer_span(&r->service);
	memcpy(r->uuid, relay.uuid, sizeof(r->uuid));
	return 0;
}

static int want_new(struct route *r, struct fault *f)
{
	struct qube q;
	int err;

	if (r->from && domain_count_made(r->m, r->from->id) >= ROUTE_NEW_MAX)
		return fault_set(f, -EDQUOT, "%s has %u disposables already",
		                 r->from->name, ROUTE_NEW_MAX);
	err = preload_take(r->m, r->uuid, &q);
	if (err < 0)
		err = disposable_make(r->m, r->uuid, DISPOSABLE_CALL, &q, f);
	if (err < 0)
		return err;
	r->made = q.id;
	err = ledger_begin(r->m->ledger, false, f);
	if (err < 0)
		return err;
	err = want(r, &q, f);
	ledger_abort(r->m->ledger);
	/* One that never began is not removed by its end. */
	if (err < 0)
		disposable_drop(r->m, q.id);
	if (err < 0)
		r->made = 0;
	else if (r->from)
		domain_set_caller(r->m, q.id, r->from->id);
	return err;
}

void route_begin(struct manager *m, struct route *r)
{
	struct trunk *t;
	struct fault f;
	int err;

	r->m = m;
	r->made = 0;
	r->service = (struct buffer){0};
	r->waiter.id = 0;
	list_init(&r->waiter.link);
	if (r->kind == ROUTE_REMOTE && find_relay(r, &f) < 0) {
		fail(r, f.text);
		return;
	}
	t = r->kind == ROUTE_QUBE ? trunk_find(m, r->uuid) : NULL;
	if (r->kind == ROUTE_DOM0) {
		join(r);
		return;
	}
	if (t && domain_state(m, t->id) == DOMAIN_RUNNING) {
		join(r);
		return;
	}
	err = r->kind == ROUTE_NEW ? want_new(r, &f) : want_qube(r, &f);
	if (err < 0)
		fail(r, f.text);
	else if (err > 0)
		join(r);
}

void route_cancel(struct route *r)
{
	domain_unwant(r->m, &r->waiter);
	buffer_fini(&r->service);
	if (r->made)
		domain_end(r->m, r->made);
	r->made = 0;
}
