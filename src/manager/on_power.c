/* SPDX-License-Identifier: Apache-2.0 */
/* Qubes are started, stopped and asked how they are. */
#include "manager/domain.h"
#include "manager/handlers.h"
#include "manager/listener.h"
#include "manager/manager.h"
#include "manager/property.h"

#include <string.h>

int on_power_start(struct call *c)
{
	return domain_start(c);
}

/* Is it the netvm of one that runs?  0, or what to return. */
static int check_net(struct call *c)
{
	char netvm[PROPERTY_VALUE_MAX];
	struct ledger_walk w;
	struct qube q;
	int err = 0;

	qube_walk_begin(&w, c->m->ledger);
	while (err == 0 && qube_walk_next(&w, &q)) {
		if (q.class == QUBE_AdminVM || q.id == c->target.id ||
		    domain_state(c->m, q.id) == DOMAIN_HALTED)
			continue;
		property_text(c->m->ledger, &q, "netvm", netvm);
		if (strcmp(netvm, c->target.name) == 0)
			err = call_fail(c, EX_QubesVMInUseError,
			                "%s runs and has %s as its netvm",
			                q.name, c->target.name);
	}
	qube_walk_end(&w);
	return err;
}

static int shut_down(struct call *c, bool force, bool wait)
{
	int err = force ? 0 : check_net(c);

	return err < 0 ? err : domain_shutdown(c, force, wait);
}

int on_power_shutdown(struct call *c)
{
	static const struct {
		const char *argument;
		bool force, wait;
	} kinds[] = {
		{"", false, false},         {"force", true, false},
		{"wait", false, true},      {"force+wait", true, true},
		{"wait+force", true, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(c->argument, kinds[i].argument) == 0)
			return shut_down(c, kinds[i].force, kinds[i].wait);
	return call_fail(c, EX_QubesValueError,
	                 "the argument is force, wait, or force+wait");
}

int on_power_pause(struct call *c)
{
	return domain_pause(c, true);
}

int on_power_unpause(struct call *c)
{
	return domain_pause(c, false);
}

int on_power_suspend(struct call *c)
{
	return domain_pause(c, true);
}

int on_power_resume(struct call *c)
{
	return domain_pause(c, false);
}

int on_power_kill(struct call *c)
{
	return domain_kill(c);
}

int on_power_console(struct call *c)
{
	return domain_console(c);
}

int on_power_state(struct call *c)
{
	if (c->target.class != QUBE_AdminVM && c->target.class != QUBE_RemoteVM)
		return domain_stat(c);
	buffer_printf(&c->answer,
	              "mem=0 mem_static_max=0 cputime=0 power_state=%s",
	              domain_shown(c->m, &c->target));
	return 0;
}

int on_power_states(struct call *c)
{
	return domain_stats_all(c);
}

int on_power_stats(struct call *c)
{
	listener_stream(c->conn, &c->m->events,
	                c->target.class == QUBE_AdminVM ? "" : c->target.name,
	                true);
	domain_stats_wanted(c->m);
	return CALL_STREAM;
}

int on_power_connect(struct call *c)
{
	bool start = span_is(c->request.payload, "start");
	char user[PROPERTY_VALUE_MAX];

	if (c->request.payload.size && !start)
		return call_fail(c, EX_QubesValueError,
		                 "the payload is nothing, or start");
	property_text(c->m->ledger, &c->target, "default_user", user);
	buffer_text(&c->answer, user);
	return domain_connect(c, start);
}
