/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/leftover.h"

#include "manager/disk.h"
#include "manager/domain.h"
#include "manager/plan.h"
#include "manager/property.h"

int leftover_remove(struct manager *m, uint32_t id, struct fault *f)
{
	struct qube q;
	int err = ledger_begin(m->ledger, true, f);

	if (err < 0)
		return err;
	if (qube_load(m->ledger, id, &q) < 0 || q.class != QUBE_DispVM ||
	    !property_true(m->ledger, &q, "auto_cleanup")) {
		ledger_abort(m->ledger);
		return 0;
	}
	events_queue(&m->events, "", "domain-pre-delete", "vm", q.name, NULL);
	qube_delete(m->ledger, &q);
	/* By its name alone it is one to be removed (disk_sweep()). */
	if (!qube_uuid_passes(q.uuid))
		disk_doom(m->ledger, q.uuid);
	events_queue(&m->events, "", "domain-delete", "vm", q.name, NULL);
	err = ledger_commit(m->ledger, f);
	if (err < 0) {
		events_drop(&m->events);
		return err;
	}
	events_flush(&m->events);
	plan_forget(m, q.name);
	return disk_is_there(m, q.uuid) ? disk_drop_later(m, q.uuid, NULL, f)
	                                : 0;
}

/* True if it is a disposable that ended while there was no manager. */
static bool is_left(struct manager *m, const struct qube *q)
{
	return q->class == QUBE_DispVM &&
	       domain_state(m, q->id) == DOMAIN_HALTED &&
	       property_true(m->ledger, q, "auto_cleanup");
}

int leftover_sweep(struct manager *m, struct fault *f)
{
	struct ledger_walk w;
	struct qube q;
	bool found;
	int err;

	do {
		err = ledger_begin(m->ledger, false, f);
		if (err < 0)
			return err;
		found = false;
		qube_walk_begin(&w, m->ledger);
		while (!found && qube_walk_next(&w, &q))
			found = is_left(m, &q);
		qube_walk_end(&w);
		ledger_abort(m->ledger);
		if (found)
			err = leftover_remove(m, q.id, f);
	} while (found && err == 0);
	return err;
}
