/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/session.h"

#include <signal.h>

#include "kernel/core/limits.h"
#include "kernel/task/pid.h"
#include "kernel/task/signal.h"

struct session *session_get(struct session *s)
{
	s->refs++;
	return s;
}

void session_put(struct session *s)
{
	struct pid_entry *e;

	if (!s || --s->refs > 0)
		return;
	e = pid_entry(s->kernel, s->id);
	if (e && e->session == s)
		e->session = NULL;
	limits_free(s->kernel, s, sizeof(*s));
}

int session_group_create(struct session *s, int32_t id, struct pgrp **out)
{
	struct pid_entry *e = pid_entry(s->kernel, id);
	struct pgrp *g = limits_alloc(s->kernel, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->kernel = s->kernel;
	g->id = id;
	g->refs = 1;
	g->session = session_get(s);
	list_init(&g->processes);
	list_add_tail(&s->pgrps, &g->in_session);
	if (e)
		e->pgrp = g;
	*out = g;
	return 0;
}

struct pgrp *session_group_get(struct pgrp *g)
{
	g->refs++;
	return g;
}

void session_group_put(struct pgrp *g)
{
	struct pid_entry *e;

	if (!g || --g->refs > 0)
		return;
	e = pid_entry(g->kernel, g->id);
	if (e && e->pgrp == g)
		e->pgrp = NULL;
	list_del(&g->in_session);
	session_put(g->session);
	limits_free(g->kernel, g, sizeof(*g));
}

int session_start(struct process *p)
{
	struct pid_entry *e = pid_entry(p->kernel, p->pid);
	struct session *s = limits_alloc(p->kernel, sizeof(*s));
	struct pgrp *g;
	int err;

	if (!s)
		return -ENOMEM;
	s->kernel = p->kernel;
	s->id = p->pid;
	s->refs = 1;
	s->leader = p;
	list_init(&s->pgrps);
	err = session_group_create(s, p->pid, &g);
	if (err < 0) {
		limits_free(p->kernel, s, sizeof(*s));
		return err;
	}
	if (e)
		e->session = s;
	session_join(p, g);
	session_group_put(g);
	session_put(s);
	return 0;
}

void session_join(struct process *p, struct pgrp *g)
{
	struct pgrp *old = p->pgrp;

	session_group_get(g);
	if (old)
		list_del(&p->in_pgrp);
	p->pgrp = g;
	list_add_tail(&g->processes, &p->in_pgrp);
	session_group_put(old);
}

void session_leave(struct process *p)
{
	struct pgrp *old = p->pgrp;

	if (!old)
		return;
	if (old->session->leader == p)
		old->session->leader = NULL;
	list_del(&p->in_pgrp);
	p->pgrp = NULL;
	session_group_put(old);
}

bool session_orphaned(const struct pgrp *g, const struct process *without)
{
	list_for_each (at, &g->processes) {
		const struct process *p = list_entry(at, struct process,
		                                     in_pgrp);
		const struct process *up = p->parent;

		if (p == without || p->zombie || !up || up->pid == 1)
			continue;
		if (up->pgrp && up->pgrp != g &&
		    up->pgrp->session == g->session)
			return false;
	}
	return true;
}

static bool has_stopped(const struct pgrp *g)
{
	list_for_each (at, &g->processes) {
		if (list_entry(at, struct process, in_pgrp)->stopped)
			return true;
	}
	return false;
}

void session_check_orphans(struct process *p, struct process *child)
{
	struct process *who = child ? child : p;
	struct process *up = child ? p : p->parent;
	struct pgrp *g = who->pgrp;
	abi_siginfo hup = signal_info_kernel(SIGHUP);
	abi_siginfo cont = signal_info_kernel(SIGCONT);

	/* Only a parent elsewhere in the session held the group together. */
	if (!g || !up || !up->pgrp || up->pgrp == g ||
	    up->pgrp->session != g->session)
		return;
	if (!session_orphaned(g, child ? NULL : p) || !has_stopped(g))
		return;
	session_group_get(g);
	signal_send_pgrp(g, &hup);
	signal_send_pgrp(g, &cont);
	session_group_put(g);
}

void session_leader_gone(struct process *p)
{
	struct session *s = p->pgrp ? p->pgrp->session : NULL;

	if (!s || s->leader != p)
		return;
	if (s->tty && s->release_tty)
		s->release_tty(s);
	s->leader = NULL;
}
