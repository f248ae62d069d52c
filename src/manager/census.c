/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/census.h"

#include "manager/domain.h"
#include "manager/manager.h"
#include "manager/preload.h"
#include "manager/property.h"
#include "policy/policy_rules.h"

struct census {
	uint32_t references;
	uint64_t version; /* of the ledger */
	struct policy_system system;
	struct policy_qube *qube;
	size_t qube_room;
	struct span *tag; /* of all qubes */
	size_t tag_count;
	size_t tag_room;
	struct policy_rules *strings; /* without rules: they keep strings */
};

void census_put(struct census *c)
{
	if (!c || --c->references > 0)
		return;
	policy_rules_destroy(c->strings);
	free(c->qube);
	free(c->tag);
	free(c);
}

const struct policy_system *census_system(const struct census *c)
{
	return &c->system;
}

static int keep(struct census *c, const char *text, struct span *out)
{
	*out = (struct span){NULL, 0};
	return *text ? policy_rules_keep(c->strings, span_str(text), out) : 0;
}

static int add_tag(struct census *c, const char *name)
{
	size_t room = MAX(2 * c->tag_room, (size_t)64);

	if (c->tag_count == c->tag_room) {
		struct span *more = reallocarray(c->tag, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		c->tag = more;
		c->tag_room = room;
	}
	if (keep(c, name, &c->tag[c->tag_count]) < 0)
		return -ENOMEM;
	c->tag_count++;
	return 0;
}

/* Adds the qube's tags; which they are is told by their number for now. */
static int add_tags(struct census *c, struct ledger *l, const struct qube *q,
                    struct policy_qube *out)
{
	char prefix[LEDGER_KEY_MAX];
	struct ledger_walk w;
	int err = 0;

	qube_key(prefix, q, "t/", "");
	ledger_walk_begin(&w, l, prefix);
	while (err == 0 && ledger_walk_next(&w)) {
		err = add_tag(c, w.rest);
		out->tag_count++;
	}
	ledger_walk_end(&w);
	return err;
}

static int keep_property(struct census *c, struct ledger *l,
                         const struct qube *q, const char *name,
                         struct span *out)
{
	char value[PROPERTY_VALUE_MAX];

	property_text(l, q, name, value);
	return keep(c, value, out);
}

static bool has_feature(struct ledger *l, const struct qube *q,
                        const char *name)
{
	char key[LEDGER_KEY_MAX];
	struct span value;

	qube_key(key, q, "f/", name);
	return ledger_get(l, key, &value) == 0 && value.size > 0;
}

static int add_qube(struct census *c, struct manager *m, const struct qube *q)
{
	size_t room = MAX(2 * c->qube_room, (size_t)64);
	struct ledger *l = m->ledger;
	struct policy_qube new = {
		.klass = span_str(qube_class_name(q->class)),
		.internal = has_feature(l, q, "internal"),
		.running = q->class == QUBE_AdminVM ||
	                   q->class == QUBE_RemoteVM ||
	                   domain_state(m, q->id) == DOMAIN_RUNNING,
		.template_for_dispvms = property_true(l, q,
	                                              "template_for_dispvms"),
	};

	if (c->system.count == c->qube_room) {
		struct policy_qube *more = reallocarray(c->qube, room,
		                                        sizeof(*more));

		if (!more)
			return -ENOMEM;
		c->qube = more;
		c->qube_room = room;
	}
	if (keep(c, q->name, &new.name) < 0 ||
	    keep(c, q->uuid, &new.uuid) < 0 ||
	    keep_property(c, l, q, "label", &new.label) < 0 ||
	    keep_property(c, l, q, "template", &new.template) < 0 ||
	    keep_property(c, l, q, "default_dispvm", &new.default_dispvm) < 0 ||
	    keep_property(c, l, q, "relayvm", &new.relayvm) < 0 ||
	    add_tags(c, l, q, &new) < 0)
		return -ENOMEM;
	c->qube[c->system.count++] = new;
	return 0;
}

int census_take(struct manager *m, struct census **out, struct fault *f)
{
	struct census *c = calloc(1, sizeof(*c));
	struct ledger_walk w;
	struct qube q;
	size_t tags = 0;
	int err;

	if (!c)
		return fault_set(f, -ENOMEM, "out of memory");
	c->references = 1;
	c->version = ledger_version(m->ledger);
	c->strings = policy_rules_create();
	err = c->strings ? 0 : -ENOMEM;
	qube_walk_begin(&w, m->ledger);
	/* What waits to be taken is not there yet. */
	while (err == 0 && qube_walk_next(&w, &q))
		if (!preload_is_waiting(m, q.id))
			err = add_qube(c, m, &q);
	qube_walk_end(&w);
	if (err < 0) {
		census_put(c);
		return fault_set(f, err, "out of memory");
	}
	/* The list of tags moves no more. */
	for (size_t i = 0; i < c->system.count; i++) {
		c->qube[i].tags = c->tag ? &c->tag[tags] : NULL;
		tags += c->qube[i].tag_count;
	}
	c->system.qube = c->qube;
	*out = c;
	return 0;
}

void census_forget(struct manager *m)
{
	census_put(m->census);
	m->census = NULL;
}

int census_get(struct manager *m, struct census **out, struct fault *f)
{
	int err;

	if (m->census && m->census->version != ledger_version(m->ledger))
		census_forget(m);
	if (!m->census) {
		err = ledger_begin(m->ledger, false, f);
		if (err < 0)
			return err;
		err = census_take(m, &m->census, f);
		ledger_abort(m->ledger);
		if (err < 0)
			return err;
	}
	m->census->references++;
	*out = m->census;
	return 0;
}
