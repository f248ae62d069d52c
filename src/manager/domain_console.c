/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.vm.Console: the caller's connection becomes the far end of a terminal of
 * the qube, on which a shell of root runs.  The kernel has the connection itself:
 * what is typed and shown does not pass through us, and goes on without us.
 */
#include <stdio.h>

#include "channel/job.h"
#include "manager/domain_inside.h"
#include "manager/listener.h"
#include "manager/manager.h"
#include "supervise/order.h"

#define ROWS    24 /* nobody can tell us; stty in the qube changes it */
#define COLUMNS 80

static const uint8_t command[] = "/bin/sh\0-l";
static const uint8_t environment[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\0"
	"TERM=vt220\0LANG=C.UTF-8";

/* Has the kernel run the shell there; 0 or a negative errno. */
static int run_shell(struct domain *d, uint64_t id, int shown, struct fault *f)
{
	const struct job j = {
		.stream = {JOB_TERMINAL, JOB_TERMINAL, JOB_TERMINAL},
		.rows = ROWS,
		.columns = COLUMNS,
		.user = span_str("root"),
		.args = {2, {command, sizeof(command)}},
		.env = {3, {environment, sizeof(environment)}},
	};
	const struct order o = {
		.id = id,
		.job = &j,
		.flags = CONTROL_RUN_TERMINAL,
		.confined = true,
	};
	autofree struct streams *s = calloc(1, sizeof(*s));

	if (!s)
		return fault_set(f, -ENOMEM, "out of memory");
	streams_init(s);
	s->console = true;
	s->console_theirs = shown;
	return order_run(d->control.fd, &o, s, f);
}

int domain_console(struct call *c)
{
	struct domain *d = domain_find(c->m, c->target.id);
	struct fault f;
	int err;

	if (listener_is_vetted(c->conn))
		return call_fail(c, EX_PermissionDenied,
		                 "only dom0 can be at a console");
	if (!d || d->state != DOMAIN_RUNNING)
		return call_fail(c, EX_QubesVMNotRunningError,
		                 "Domain not running: '%s'",
		                 d ? d->name : c->target.name);
	/* The answer goes before what the shell has to say. */
	err = listener_give(c->conn);
	if (err == 0)
		err = run_shell(d, ++c->m->domains->cookie,
		                listener_socket(c->conn), &f);
	if (err < 0)
		(void)fprintf(stderr, "a console of %s: %s\n", d->name, f.text);
	return CALL_STREAM;
}
