/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A start: what keeps a qube from it, the work before it on its volumes, then
 * its keeper.
 */
#include <stdio.h>
#include <sys/epoll.h>

#include "manager/domain_inside.h"
#include "manager/manager.h"
#include "manager/plan.h"
#include "manager/property.h"
#include "manager/spawner.h"
#include "manager/worker.h"

static int may_start(struct manager *m, const struct qube *q, struct fault *f)
{
	char key[LEDGER_KEY_MAX], why[128];

	if (q->class == QUBE_RemoteVM)
		return fault_set(f, -EOPNOTSUPP,
		                 "%s is a qube of another machine", q->name);
	qube_key(key, q, "f/", "prohibit-start");
	if (ledger_text(m->ledger, key, why, sizeof(why)) && *why)
		return fault_set(f, -EPERM,
		                 "Qube start is prohibited. Rationale: %s",
		                 why);
	return 0;
}

/* All is there for the kernel to be started.  0 or a negative errno. */
static int spawn(struct domain *d, struct fault *f)
{
	struct spawned s;
	int err = plan_start(d->m, d->plan, &s, f);

	if (err < 0)
		return err;
	d->pid = s.pid;
	err = reactor_add(d->m->reactor, &d->keeper, s.pidfd, EPOLLIN);
	if (err == 0)
		err = reactor_add(d->m->reactor, &d->report, s.report, EPOLLIN);
	if (err < 0) {
		spawner_kill(s.pidfd);
		(void)spawner_wait(d->m, d->pid);
		d->pid = 0;
		close(s.report);
		if (d->keeper.fd < 0)
			close(s.pidfd);
		return fault_set(f, err, "watch the keeper: %s",
		                 strerror(-err));
	}
	events_tell(&d->m->events, d->name, "domain-spawn", "start_guid",
	            "False", NULL);
	return 0;
}

struct begun {
	uint32_t id;
};

static void work_done(struct manager *m, void *what, int err,
                      const struct fault *why)
{
	struct domain *d = domain_find(m, ((const struct begun *)what)->id);
	struct fault f = *why;

	if (!d)
		return;
	if (err == 0 && d->unwanted)
		err = fault_set(&f, -ECANCELED, "nobody wants it any more");
	if (err == 0)
		err = spawn(d, &f);
	if (err < 0)
		domain_halted(d, f.text);
}

/*
 * First the user is asked for passphrases, if that may be; then a worker, if there
 * is work to do.
 */
static int begin(struct domain *d, const struct qube *q, struct fault *f)
{
	struct plan_lock lock;
	struct begun *w;
	struct chore work;
	int err = plan_create(d->m, q, &d->plan, &lock, f);

	if (err == -EKEYREJECTED && d->ask && lock.how == HEADER_PASSPHRASE)
		return domain_unlock_begin(d, &lock, f->text);
	if (err < 0)
		return err;
	domain_hurry(d, property_number(d->m->ledger, q, "qrexec_timeout"));
	if (!plan_needs_work(d->plan))
		return spawn(d, f);
	w = calloc(1, sizeof(*w));
	if (!w)
		return fault_set(f, -ENOMEM, "out of memory");
	w->id = d->id;
	plan_work(d->plan, &work);
	err = worker_start(d->m, &work, work_done, w, f);
	if (err < 0)
		free(w);
	return err;
}

int domain_launch_again(struct domain *d, struct fault *f)
{
	struct qube q;
	int err = ledger_begin(d->m->ledger, false, f);

	if (err < 0)
		return err;
	err = qube_load(d->m->ledger, d->id, &q);
	err = err < 0 ? fault_set(f, err, "it is gone") : begin(d, &q, f);
	ledger_abort(d->m->ledger);
	return err;
}

int domain_launch(struct manager *m, const struct qube *q, const char *caller,
                  struct domain **out, struct fault *f)
{
	struct domain *d;
	int err = may_start(m, q, f);

	if (err < 0)
		return err;
	events_tell(&m->events, q->name, "domain-pre-start", "start_guid",
	            "False", NULL);
	d = domain_create(m, q);
	if (!d)
		return fault_set(f, -ENOMEM, "out of memory");
	d->ask = caller != NULL;
	if (caller)
		(void)snprintf(d->caller_name, sizeof(d->caller_name), "%s",
		               caller);
	err = begin(d, q, f);
	if (err < 0) {
		events_tell(&m->events, q->name, "domain-start-failed",
		            "reason", f->text, NULL);
		domain_destroy(d);
		return err;
	}
	*out = d;
	return 0;
}
