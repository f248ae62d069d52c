/* SPDX-License-Identifier: Apache-2.0 */
/* Methods of no family. */
#include "manager/handlers.h"
#include "manager/listener.h"
#include "manager/manager.h"

int on_global_classes(struct call *c)
{
#define CLASS(name, makeable, what) \
	if (makeable)               \
		buffer_text(&c->answer, #name "\n");
#include "manager/classes.def"
	return 0;
}

int on_global_events(struct call *c)
{
	listener_stream(c->conn, &c->m->events,
	                c->target.class == QUBE_AdminVM ? "" : c->target.name,
	                false);
	return CALL_STREAM;
}

int on_global_no_backup(struct call *c)
{
	return call_fail(c, EX_QubesNotImplementedError,
	                 "there are no backups yet");
}
