/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A domain is made when its qube is to start and goes when that has ended.  The
 * manager has one connection to each kernel; its end is the end of the qube.
 * Orders carry a cookie, with which the answer comes back.
 */
#include "manager/domain.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>

#include "manager/census.h"
#include "manager/disposable.h"
#include "manager/domain_inside.h"
#include "manager/leftover.h"
#include "manager/manager.h"
#include "manager/plan.h"
#include "manager/preload.h"
#include "manager/property.h"
#include "manager/spawner.h"
#include "manager/trunk.h"
#include "supervise/keeper.h"

#define DOOR             "%s.sock"
#define KILL_PATIENCE_MS 5000 /* for a kernel that was told to end at once */
#define START_MAX_S      1000000u

const char *domain_state_name(enum domain_state state)
{
	static const char *const names[] = {
		[DOMAIN_HALTED] = "Halted",   [DOMAIN_STARTING] = "Transient",
		[DOMAIN_RUNNING] = "Running", [DOMAIN_PAUSED] = "Paused",
		[DOMAIN_HALTING] = "Halting",
	};

	return names[state];
}

const char *domain_shown(const struct manager *m, const struct qube *q)
{
	if (q->class == QUBE_RemoteVM)
		return "NA";
	return domain_state_name(q->class == QUBE_AdminVM
	                                 ? DOMAIN_RUNNING
	                                 : domain_state(m, q->id));
}

struct domain *domain_find(const struct manager *m, uint32_t id)
{
	list_for_each (at, &m->domains->all) {
		struct domain *d = list_entry(at, struct domain, link);

		if (d->id == id)
			return d;
	}
	return NULL;
}

enum domain_state domain_state(const struct manager *m, uint32_t id)
{
	const struct domain *d = domain_find(m, id);

	return d ? d->state : DOMAIN_HALTED;
}

int64_t domain_start_time(const struct manager *m, uint32_t id)
{
	const struct domain *d = domain_find(m, id);

	return d ? d->start_time : 0;
}

static void set_state(struct domain *d, enum domain_state state)
{
	d->state = state;
	census_forget(d->m);
}

static void close_watch(struct reactor *r, struct reactor_watch *w)
{
	int fd = w->fd;

	reactor_remove(r, w);
	base_close(&fd);
}

/* Finishes all calls of a list, with a reason if there is one. */
static void finish_all(struct list *calls, enum exception ex, const char *why)
{
	while (!list_empty(calls)) {
		struct call *c = list_first(calls, struct call, waiting);

		list_del(&c->waiting);
		call_finish(c, why ? call_fail(c, ex, "%s", why) : 0);
	}
}

void domain_destroy(struct domain *d)
{
	struct reactor *r = d->m->reactor;

	set_state(d, DOMAIN_HALTED);
	domain_unlock_end(d);
	plan_destroy(d->plan);
	d->plan = NULL;
	trunk_close(d->trunk);
	reactor_timer_stop(&d->patience);
	close_watch(r, &d->control);
	close_watch(r, &d->report);
	list_del(&d->link);
	/* Its keeper ends with the kernel, or goes on without us. */
	if (d->keeper.fd >= 0) {
		list_add_tail(&d->m->domains->leaving, &d->link);
		d->left = true;
		return;
	}
	free(d);
}

/* The keeper has ended. */
static void keeper_ended(struct reactor_watch *w, uint32_t events)
{
	struct domain *d = container_of(w, struct domain, keeper);

	(void)events;
	if (d->pid > 0)
		(void)spawner_wait(d->m, d->pid);
	d->pid = 0;
	close_watch(d->m->reactor, w);
	if (d->left) {
		reactor_timer_stop(&d->patience);
		list_del(&d->link);
		free(d);
	}
}

void domain_forget_door(const struct manager *m, const char *name)
{
	char door[QUBE_NAME_MAX + 8];

	(void)snprintf(door, sizeof(door), DOOR, name);
	(void)unlinkat(m->doors, door, 0);
}

static void tell_waiters(struct domain *d, const char *why)
{
	while (!list_empty(&d->waiters)) {
		struct domain_waiter *w = list_first(
			&d->waiters, struct domain_waiter, link);

		list_del(&w->link);
		w->done(w, why);
	}
}

/* Those who waited for the end; some have more to do then. */
static void finish_enders(struct list *enders)
{
	while (!list_empty(enders)) {
		struct call *c = list_first(enders, struct call, waiting);

		list_del(&c->waiting);
		if (c->again)
			call_again(c);
		else
			call_finish(c, 0);
	}
}

void domain_halted(struct domain *d, const char *why)
{
	struct manager *m = d->m;
	bool ran = d->state != DOMAIN_STARTING;
	bool kept = d->keeper.fd >= 0;
	uint32_t id = d->id;
	char uuid[QUBE_UUID_SIZE];
	struct list enders;
	struct fault f;

	memcpy(uuid, d->uuid, sizeof(uuid));
	if (ran) {
		events_tell(&m->events, d->name, "domain-stopped", NULL);
		events_tell(&m->events, d->name, "domain-shutdown", NULL);
	} else {
		events_tell(&m->events, d->name, "domain-start-failed",
		            "reason", why, NULL);
	}
	domain_stats_gone(d);
	finish_all(&d->starters, EX_QubesVMNotStartedError, why);
	tell_waiters(d, why);
	finish_all(&d->orders, EX_QubesVMNotRunningError, why);
	/* Those who wait for the end see it as it is: halted. */
	list_init(&enders);
	while (!list_empty(&d->enders)) {
		struct list *first = d->enders.next;

		list_del(first);
		list_add_tail(&enders, first);
	}
	if (d->plan)
		plan_discard(m, d->plan);
	/* Its kernel may take a moment to be gone: nobody shall enter. */
	domain_forget_door(m, d->name);
	domain_destroy(d);
	/* A kernel that hung up and goes on would run unseen. */
	if (kept)
		reactor_timer_start(m->reactor, &d->patience, KILL_PATIENCE_MS);
	if (leftover_remove(m, id, &f) < 0)
		(void)fprintf(stderr, "%s\n", f.text);
	if (ran)
		preload_changed(m, uuid);
	finish_enders(&enders);
}

uint64_t domain_cookie(struct manager *m)
{
	return ++m->domains->cookie + DOMAIN_NO_COOKIE;
}

int domain_order(struct domain *d, enum control_kind kind, uint64_t cookie,
                 uint64_t value)
{
	struct control c = {.kind = kind, .value = {cookie, value}};

	return control_send(d->control.fd, &c, NULL, 0);
}

/* The answer to the call that waits for it with this cookie. */
static struct call *take_order(struct domain *d, uint64_t cookie)
{
	list_for_each (at, &d->orders) {
		struct call *c = list_entry(at, struct call, waiting);

		if (c->cookie == cookie) {
			list_del(&c->waiting);
			return c;
		}
	}
	return NULL;
}

static void set_paused(struct domain *d, bool paused)
{
	enum domain_state state = paused ? DOMAIN_PAUSED : DOMAIN_RUNNING;

	if (d->state == state || d->state == DOMAIN_HALTING)
		return;
	set_state(d, state);
	events_tell(&d->m->events, d->name,
	            paused ? "domain-paused" : "domain-unpaused", NULL);
}

static void heard_done(struct domain *d, const struct control *c)
{
	struct call *call = take_order(d, c->value[0]);
	int err = (int)MIN(c->value[1], (uint64_t)4095);

	if (err && d->state == DOMAIN_HALTING) {
		set_state(d, DOMAIN_RUNNING);
		events_tell(&d->m->events, d->name, "domain-shutdown-failed",
		            "reason", strerror(err), NULL);
		finish_all(&d->enders, EX_QubesException, strerror(err));
	}
	if (!call)
		return;
	if (!err)
		set_paused(d, call->pause);
	call_finish(call, err ? call_fail(call, EX_QubesException, "%s: %s",
	                                  d->name, strerror(err))
	                      : 0);
}

static void heard_state(struct domain *d, const struct control *c)
{
	struct call *call = take_order(d, c->value[0]);

	d->memory = c->value[1];
	d->tasks = c->value[2];
	d->cpu_ns = c->value[3];
	d->start_time = (int64_t)time(NULL) -
	                (int64_t)(c->value[4] / 1000000000);
	/* Another client may have paused it. */
	set_paused(d, c->value[5] != 0);
	if (call) {
		domain_stats_say(&call->answer, d);
		call_finish(call, 0);
	} else if (!domain_stats_heard(d, c->value[0])) {
		domain_stats_tell(d);
	}
}

static void control_ready(struct reactor_watch *w, uint32_t events)
{
	struct domain *d = container_of(w, struct domain, control);
	struct control_fds fds = {0};
	struct control c;
	int got = control_receive(w->fd, CONTROL_KERNEL, &c, &fds);

	(void)events;
	if (got == -EAGAIN)
		return;
	/* Gone; or it says what no kernel of ours does, and is not heard. */
	if (got <= 0) {
		if (got == -EPROTO)
			spawner_kill(d->keeper.fd);
		domain_halted(d, "the qube has ended");
		return;
	}
	control_close(&fds);
	if (c.kind == CONTROL_done)
		heard_done(d, &c);
	else if (c.kind == CONTROL_stated)
		heard_state(d, &c);
	else if (c.kind == CONTROL_failed)
		(void)fprintf(stderr, "a console of %s: %s\n", d->name, c.text);
}

/* A connection for calls besides. */
static int open_trunk(struct domain *d, struct fault *f)
{
	struct trunk what = {
		.id = d->id,
		.once = d->once,
		.adopted = !d->plan,
	};
	int fd = spawner_enter(d->m, d->name, NULL, f);

	if (fd < 0)
		return fd;
	memcpy(what.name, d->name, sizeof(what.name));
	memcpy(what.uuid, d->uuid, sizeof(what.uuid));
	return trunk_open(d->m, &what, fd, &d->trunk, f);
}

/* Connects to the kernel, whose qube runs from now on. */
int domain_meet(struct domain *d, struct fault *f)
{
	int keeper = -1;
	int fd = spawner_enter(d->m, d->name, &keeper, f);
	int err;

	if (fd < 0)
		return fd;
	/* One that was found: its keeper is nobody's child any more. */
	if (d->keeper.fd >= 0 || keeper < 0 ||
	    reactor_add(d->m->reactor, &d->keeper, keeper, EPOLLIN) < 0)
		base_close(&keeper);
	err = reactor_add(d->m->reactor, &d->control, fd, EPOLLIN);
	if (err < 0) {
		close(fd);
		return fault_set(f, err, "watch the kernel: %s",
		                 strerror(-err));
	}
	err = open_trunk(d, f);
	if (err < 0)
		return err;
	set_state(d, DOMAIN_RUNNING);
	d->start_time = (int64_t)time(NULL);
	return 0;
}

/* Gives a call its connection, if it is for that. */
static int hand_over(struct domain *d, struct call *c)
{
	struct fault f;

	if (!c->connect)
		return 0;
	c->fd = spawner_enter(d->m, d->name, NULL, &f);
	return c->fd < 0 ? call_fault(c, c->fd, &f) : 0;
}

/* Ends it at once.  One that starts, or does not listen, goes with its keeper. */
static void end(struct domain *d)
{
	if (d->unlock) {
		domain_unlock_give_up(d);
		return;
	}
	if (d->control.fd < 0 ||
	    domain_order(d, CONTROL_kill, DOMAIN_NO_COOKIE, 0) < 0)
		spawner_kill(d->keeper.fd);
	reactor_timer_start(d->m->reactor, &d->patience, KILL_PATIENCE_MS);
	if (d->state != DOMAIN_STARTING)
		set_state(d, DOMAIN_HALTING);
}

void domain_end(struct manager *m, uint32_t id)
{
	struct domain *d = domain_find(m, id);

	if (!d)
		return;
	d->unwanted = true;
	/* Else it ends when it has begun. */
	if (d->unlock || d->control.fd >= 0 || d->keeper.fd >= 0)
		end(d);
}

void domain_wait_end(struct call *c, uint32_t id)
{
	struct domain *d = domain_find(c->m, id);

	assert(d);
	c->again = true;
	list_add_tail(&d->enders, &c->waiting);
}

void domain_keep(struct manager *m, uint32_t id)
{
	struct domain *d = domain_find(m, id);

	if (d)
		d->once = false;
	if (d && d->trunk)
		d->trunk->once = false;
}

void domain_set_caller(struct manager *m, uint32_t id, uint32_t caller)
{
	struct domain *d = domain_find(m, id);

	if (d)
		d->caller = caller;
}

uint32_t domain_count_made(const struct manager *m, uint32_t caller)
{
	uint32_t count = 0;

	list_for_each (at, &m->domains->all)
		count += list_entry(at, struct domain, link)->caller == caller;
	return count;
}

void domain_trunk_closed(struct manager *m, uint32_t id)
{
	struct domain *d = domain_find(m, id);

	if (d)
		d->trunk = NULL;
}

static void report_ready(struct reactor_watch *w, uint32_t events)
{
	struct domain *d = container_of(w, struct domain, report);
	struct fault f;
	int err, report;

	(void)events;
	report = w->fd;
	reactor_remove(d->m->reactor, w);
	err = keeper_hear(report, &f);
	if (err == 0)
		err = domain_meet(d, &f);
	if (err < 0) {
		domain_halted(d, f.text);
		return;
	}
	reactor_timer_stop(&d->patience);
	events_tell(&d->m->events, d->name, "domain-start", NULL);
	tell_waiters(d, NULL);
	if (d->unwanted)
		end(d);
	while (!list_empty(&d->starters)) {
		struct call *c = list_first(&d->starters, struct call, waiting);

		list_del(&c->waiting);
		call_finish(c, hand_over(d, c));
	}
}

void domain_hurry(struct domain *d, uint64_t seconds)
{
	d->seconds = MIN(seconds, (uint64_t)START_MAX_S);
	reactor_timer_start(d->m->reactor, &d->patience,
	                    (int64_t)d->seconds * 1000);
}

/* Who waits for it hears so at once, however long its end takes. */
static void too_slow(struct domain *d)
{
	char why[128];

	(void)snprintf(why, sizeof(why),
	               "%s has not started within %" PRIu64
	               " seconds (qrexec_timeout)",
	               d->name, d->seconds);
	finish_all(&d->starters, EX_QubesVMNotStartedError, why);
	tell_waiters(d, why);
	domain_end(d->m, d->id);
}

/* It does not start in time, or does not end when told. */
static void out_of_patience(struct reactor_timer *t)
{
	struct domain *d = container_of(t, struct domain, patience);

	if (d->state == DOMAIN_STARTING && !d->unwanted)
		too_slow(d);
	else
		spawner_kill(d->keeper.fd);
}

struct domain *domain_create(struct manager *m, const struct qube *q)
{
	struct domain *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->m = m;
	d->id = q->id;
	memcpy(d->name, q->name, sizeof(d->name));
	memcpy(d->uuid, q->uuid, sizeof(d->uuid));
	d->once = disposable_is_for_call(m->ledger, q);
	set_state(d, DOMAIN_STARTING);
	d->control = (struct reactor_watch){.fd = -1, .ready = control_ready};
	d->report = (struct reactor_watch){.fd = -1, .ready = report_ready};
	d->keeper = (struct reactor_watch){.fd = -1, .ready = keeper_ended};
	reactor_timer_init(&d->patience, out_of_patience);
	list_init(&d->starters);
	list_init(&d->waiters);
	list_init(&d->enders);
	list_init(&d->orders);
	list_add_tail(&m->domains->all, &d->link);
	return d;
}

static int start(struct call *c)
{
	struct domain *d = domain_find(c->m, c->target.id);
	struct fault f;
	int err;

	if (d && d->state == DOMAIN_HALTING)
		return call_fail(c, EX_QubesVMNotHaltedError,
		                 "%s is about to end: wait for that",
		                 c->target.name);
	if (d && d->unlock)
		return call_fail(c, EX_VolumeLockedError, "%s",
		                 domain_unlock_why(d));
	err = d ? 0 : domain_launch(c->m, &c->target, NULL, &d, &f);
	if (err == -EKEYREJECTED)
		return call_fail(c, EX_VolumeLockedError, "%s", f.text);
	if (err < 0)
		return call_fault(c, err, &f);
	if (d->state != DOMAIN_STARTING)
		return hand_over(d, c);
	list_add_tail(&d->starters, &c->waiting);
	return CALL_LATER;
}

int domain_want(struct manager *m, const struct qube *q, const char *caller,
                struct domain_waiter *w, struct fault *f)
{
	struct domain *d = domain_find(m, q->id);
	int err;

	if (d && (d->state == DOMAIN_HALTING || d->unwanted))
		return fault_set(f, -EBUSY, "%s is about to end", q->name);
	if (d && d->state == DOMAIN_PAUSED)
		return fault_set(f, -EBUSY, "%s is paused", q->name);
	if (d && d->state == DOMAIN_RUNNING)
		return 1;
	err = d ? 0 : domain_launch(m, q, caller, &d, f);
	if (err < 0)
		return err;
	w->id = q->id;
	list_add_tail(&d->waiters, &w->link);
	return 0;
}

void domain_unwant(struct manager *m, struct domain_waiter *w)
{
	struct domain *d = domain_find(m, w->id);

	list_del(&w->link);
	if (d && d->unlock && *d->caller_name && list_empty(&d->waiters))
		domain_end(m, d->id);
}

int domain_start(struct call *c)
{
	return start(c);
}

int domain_connect(struct call *c, bool start_it)
{
	c->connect = true;
	if (!start_it && domain_state(c->m, c->target.id) == DOMAIN_HALTED)
		return call_fail(c, EX_QubesVMNotRunningError,
		                 "%s does not run", c->target.name);
	return start(c);
}

static int not_started(struct call *c)
{
	return call_fail(c, EX_QubesVMNotStartedError, "'%s' does not run",
	                 c->target.name);
}

int domain_shutdown(struct call *c, bool force, bool wait)
{
	struct domain *d = domain_find(c->m, c->target.id);
	uint64_t seconds;
	int err;

	if (!d)
		return not_started(c);
	if (d->state == DOMAIN_STARTING)
		return call_fail(c, EX_QubesException, "%s is still starting",
		                 d->name);
	seconds = property_number(c->m->ledger, &c->target, "shutdown_timeout");
	if (d->state != DOMAIN_HALTING) {
		events_tell(&c->m->events, d->name, "domain-pre-shutdown",
		            "force", force ? "True" : "False", NULL);
		err = domain_order(d, CONTROL_shutdown, DOMAIN_NO_COOKIE,
		                   MIN(seconds, (uint64_t)86400) * 1000);
		if (err < 0)
			return call_fail(c, EX_QubesException,
			                 "tell %s to end: %s", d->name,
			                 strerror(-err));
		set_state(d, DOMAIN_HALTING);
	}
	if (!wait)
		return 0;
	list_add_tail(&d->enders, &c->waiting);
	return CALL_LATER;
}

int domain_kill(struct call *c)
{
	struct domain *d = domain_find(c->m, c->target.id);

	if (!d)
		return not_started(c);
	if (!d->unlock && d->control.fd < 0 && d->keeper.fd < 0)
		return call_fail(c, EX_QubesException, "%s is still starting",
		                 d->name);
	end(d);
	list_add_tail(&d->enders, &c->waiting);
	return CALL_LATER;
}

/* Sends an order whose answer finishes the call. */
static int ask(struct domain *d, struct call *c, enum control_kind kind)
{
	int err;

	c->cookie = domain_cookie(c->m);
	err = domain_order(d, kind, c->cookie, 0);
	if (err < 0)
		return call_fail(c, EX_QubesException, "ask %s: %s", d->name,
		                 strerror(-err));
	list_add_tail(&d->orders, &c->waiting);
	return CALL_LATER;
}

int domain_pause(struct call *c, bool pause)
{
	struct domain *d = domain_find(c->m, c->target.id);

	if (pause && (!d || d->state != DOMAIN_RUNNING))
		return call_fail(c, EX_QubesVMNotRunningError,
		                 "'%s' does not run", c->target.name);
	if (!pause && (!d || d->state != DOMAIN_PAUSED))
		return call_fail(c, EX_QubesVMNotPausedError,
		                 "'%s' is not paused", c->target.name);
	c->pause = pause;
	return ask(d, c, pause ? CONTROL_pause : CONTROL_unpause);
}

int domain_stat(struct call *c)
{
	struct domain *d = domain_find(c->m, c->target.id);

	if (d && d->control.fd >= 0)
		return ask(d, c, CONTROL_state);
	buffer_printf(&c->answer,
	              "mem=0 mem_static_max=0 cputime=0 power_state=%s",
	              domain_state_name(d ? d->state : DOMAIN_HALTED));
	return 0;
}

int domain_create_all(struct manager *m, struct fault *f)
{
	struct domains *all = calloc(1, sizeof(*all));

	if (!all)
		return fault_set(f, -ENOMEM, "out of memory");
	all->m = m;
	list_init(&all->all);
	list_init(&all->leaving);
	domain_stats_init(all);
	m->domains = all;
	return 0;
}

void domain_destroy_all(struct manager *m)
{
	if (!m->domains)
		return;
	/* The qubes go on without us. */
	list_for_each_safe (at, &m->domains->all)
		domain_destroy(list_entry(at, struct domain, link));
	list_for_each_safe (at, &m->domains->leaving) {
		struct domain *d = list_entry(at, struct domain, link);

		reactor_timer_stop(&d->patience);
		close_watch(m->reactor, &d->keeper);
		list_del(at);
		free(d);
	}
	domain_stats_fini(m->domains);
	free(m->domains);
	m->domains = NULL;
}
