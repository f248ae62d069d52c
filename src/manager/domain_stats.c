/* SPDX-License-Identifier: Apache-2.0 */
/* How much memory and time qubes use, for those who listen. */
#include "manager/domain_inside.h"

#include <stdio.h>

#include "manager/listener.h"
#include "manager/manager.h"
#include "manager/property.h"

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
}

void domain_stats_wanted(struct manager *m)
{
	reactor_timer_start(m->reactor, &m->domains->stats, 0);
}
