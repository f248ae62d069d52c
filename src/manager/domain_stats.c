/* SPDX-License-Identifier: Apache-2.0 */
/* How much memory and time qubes use, for those who listen. */
#include "manager/domain_inside.h"

#include <stdio.h>

#include "manager/listener.h"
#include "manager/manager.h"
#include "manager/property.h"

/* A question to all that run, which is answered when each has. */
struct survey {
	struct list link;
	struct call *call;
	uint64_t cookie;
	uint32_t count; /* of those that have not answered yet */
	uint32_t id[];
};

void domain_stats_tell(struct domain *d)
{
	char memory[32], time[32], cpus[32];

	(void)snprintf(memory, sizeof(memory), "%llu",
	               (unsigned long long)d->memory >> 10);
	(void)snprintf(time, sizeof(time), "%llu",
	               (unsigned long long)d->cpu_ns / 1000000);
	(void)snprintf(cpus, sizeof(cpus), "%llu",
	               (unsigned long long)d->tasks);
	events_tell(&d->m->events, d->name, "vm-stats", "memory_kb", memory,
	            "cpu_time", time, "tasks", cpus, NULL);
}

/* Asks all that run, as long as somebody listens. */
static void stats_due(struct reactor_timer *t)
{
	struct domains *all = container_of(t, struct domains, stats);
	struct manager *m = all->m;
	uint64_t seconds = 3;
	struct fault f;

	if (!listener_wants_stats(&m->events))
		return;
	list_for_each (at, &all->all) {
		struct domain *d = list_entry(at, struct domain, link);

		if (d->control.fd >= 0)
			(void)!domain_order(d, CONTROL_state, DOMAIN_NO_COOKIE,
			                    0);
	}
	if (ledger_begin(m->ledger, false, &f) == 0) {
		seconds = property_number(m->ledger, NULL, "stats_interval");
		ledger_abort(m->ledger);
	}
	reactor_timer_start(m->reactor, t, (int64_t)seconds * 1000);
}

void domain_stats_init(struct domains *all)
{
	reactor_timer_init(&all->stats, stats_due);
	list_init(&all->surveys);
}

void domain_stats_fini(struct domains *all)
{
	reactor_timer_stop(&all->stats);
	list_for_each_safe (at, &all->surveys)
		free(list_entry(at, struct survey, link));
}

void domain_stats_say(struct buffer *b, const struct domain *d)
{
	buffer_printf(b,
	              "mem=%llu mem_static_max=%llu cputime=%llu "
	              "power_state=%s",
	              (unsigned long long)d->memory >> 10,
	              (unsigned long long)d->memory >> 10,
	              (unsigned long long)d->cpu_ns / 1000000,
	              domain_state_name(d->state));
}

/* All have answered, or are gone. */
static void finish(struct survey *s)
{
	struct call *c = s->call;

	list_for_each (at, &c->m->domains->all) {
		struct domain *d = list_entry(at, struct domain, link);

		buffer_printf(&c->answer, "%s ", d->name);
		domain_stats_say(&c->answer, d);
		buffer_text(&c->answer, "\n");
	}
	list_del(&s->link);
	free(s);
	call_finish(c, 0);
}

static void take_out(struct survey *s, uint32_t id)
{
	uint32_t i = 0;

	while (i < s->count && s->id[i] != id)
		i++;
	if (i == s->count)
		return;
	s->id[i] = s->id[--s->count];
	if (s->count == 0)
		finish(s);
}

bool domain_stats_heard(struct domain *d, uint64_t cookie)
{
	list_for_each (at, &d->m->domains->surveys) {
		struct survey *s = list_entry(at, struct survey, link);

		if (s->cookie == cookie) {
			take_out(s, d->id);
			return true;
		}
	}
	return false;
}

void domain_stats_gone(struct domain *d)
{
	list_for_each_safe (at, &d->m->domains->surveys)
		take_out(list_entry(at, struct survey, link), d->id);
}

int domain_stats_all(struct call *c)
{
	struct domains *all = c->m->domains;
	struct survey *s;
	uint32_t room = 0;

	list_for_each (at, &all->all)
		room++;
	s = calloc(1, sizeof(*s) + room * sizeof(s->id[0]));
	if (!s)
		return call_fail(c, EX_QubesMemoryError, "out of memory");
	s->call = c;
	s->cookie = domain_cookie(c->m);
	list_add_tail(&all->surveys, &s->link);
	list_for_each (at, &all->all) {
		struct domain *d = list_entry(at, struct domain, link);

		/* Of one that does not listen, what it has said last. */
		if (d->control.fd >= 0 &&
		    domain_order(d, CONTROL_state, s->cookie, 0) == 0)
			s->id[s->count++] = d->id;
	}
	if (s->count > 0)
		return CALL_LATER;
	list_del(&s->link);
	free(s);
	return 0;
}

void domain_stats_wanted(struct manager *m)
{
	reactor_timer_start(m->reactor, &m->domains->stats, 0);
}
