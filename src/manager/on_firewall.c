/* SPDX-License-Identifier: Apache-2.0 */
/* admin.vm.firewall.*: kept and checked; nothing applies rules yet. */
#include "manager/firewall.h"
#include "manager/handlers.h"
#include "manager/manager.h"

int on_firewall_get(struct call *c)
{
	char key[LEDGER_KEY_MAX];
	struct span value;

	qube_key(key, &c->target, "firewall", "");
	if (ledger_get(c->m->ledger, key, &value) == 0)
		buffer_put(&c->answer, value.at, value.size);
	else
		buffer_text(&c->answer, FIREWALL_DEFAULT);
	return 0;
}

int on_firewall_set(struct call *c)
{
	char key[LEDGER_KEY_MAX];
	struct fault f;

	if (firewall_check(c->request.payload, &f) < 0)
		return call_fail(c, EX_QubesValueError, "%s", f.text);
	qube_key(key, &c->target, "firewall", "");
	ledger_put(c->m->ledger, key, c->request.payload);
	events_queue(&c->m->events, c->target.name, "firewall-changed", NULL);
	return 0;
}

int on_firewall_reload(struct call *c)
{
	events_queue(&c->m->events, c->target.name, "firewall-changed", NULL);
	events_flush(&c->m->events);
	return 0;
}
