/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/disposable.h"

#include <stdio.h>

#include "manager/domain.h"
#include "manager/leftover.h"
#include "manager/manager.h"
#include "manager/property.h"

#define COUNT_MAX 10000u
#define FOR_CALL  "call" /* the record of one that is made for a call */

/* The lowest free number. */
static int free_name(struct ledger *l, char name[QUBE_NAME_MAX + 1],
                     struct fault *f)
{
	struct qube other;

	for (unsigned i = 0; i < COUNT_MAX; i++) {
		(void)snprintf(name, QUBE_NAME_MAX + 1, "disp%u", i);
		if (qube_find(l, name, &other) < 0)
			return 0;
	}
	return fault_set(f, -ENOSPC, "there are %u disposables already",
	                 COUNT_MAX);
}

static int set(struct ledger *l, const struct qube *q, const char *name,
               const char *value, struct fault *f)
{
	const struct property *p = property_find(q, name);
	char text[PROPERTY_VALUE_MAX];
	int err;

	assert(p);
	(void)snprintf(text, sizeof(text), "%s", value);
	err = property_check(l, q, p, text, f);
	if (err == 0)
		property_put(l, q, p, text);
	return err;
}

int disposable_add(struct manager *m, const char *template,
                   enum disposable_kind kind, struct qube *out, struct fault *f)
{
	struct ledger *l = m->ledger;
	char name[QUBE_NAME_MAX + 1], key[LEDGER_KEY_MAX];
	struct qube q;
	int err = free_name(l, name, f);

	if (err < 0)
		return err;
	qube_add_passing(l, name, &q);
	err = set(l, &q, "template", template, f);
	if (err == 0)
		err = set(l, &q, "auto_cleanup", "True", f);
	if (err < 0)
		return err;
	if (kind == DISPOSABLE_CALL) {
		qube_key(key, &q, FOR_CALL, "");
		ledger_put_text(l, key, "1");
	}
	events_queue(&m->events, "", "domain-add", "vm", name, NULL);
	events_queue(&m->events, name, "domain-create-on-disk", NULL);
	*out = q;
	return 0;
}

int disposable_make(struct manager *m, const char *template_uuid,
                    enum disposable_kind kind, struct qube *out,
                    struct fault *f)
{
	char name[QUBE_UUID_SIZE + 8];
	struct qube template, q = {0};
	int err = ledger_begin(m->ledger, true, f);

	if (err < 0)
		return err;
	(void)snprintf(name, sizeof(name), "uuid:%s", template_uuid);
	err = qube_find(m->ledger, name, &template);
	if (err < 0)
		err = fault_set(f, err, "the disposable's template is gone");
	else
		err = disposable_add(m, template.name, kind, &q, f);
	if (err < 0)
		ledger_abort(m->ledger);
	else
		err = ledger_commit(m->ledger, f);
	if (err < 0) {
		events_drop(&m->events);
		return err;
	}
	events_flush(&m->events);
	*out = q;
	return 0;
}

void disposable_keep(struct manager *m, const struct qube *q)
{
	char key[LEDGER_KEY_MAX];

	qube_key(key, q, FOR_CALL, "");
	ledger_delete(m->ledger, key);
	domain_keep(m, q->id);
}

void disposable_drop(struct manager *m, uint32_t id)
{
	struct fault f;

	if (leftover_remove(m, id, &f) < 0)
		(void)fprintf(stderr, "%s\n", f.text);
}

bool disposable_is_for_call(struct ledger *l, const struct qube *q)
{
	char key[LEDGER_KEY_MAX];

	qube_key(key, q, FOR_CALL, "");
	return ledger_has(l, key);
}
