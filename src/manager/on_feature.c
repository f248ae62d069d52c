/* SPDX-License-Identifier: Apache-2.0 */
/* admin.vm.feature.*: texts under names that mean something to somebody. */
#include "manager/handlers.h"
#include "manager/manager.h"
#include "manager/preload.h"
#include "manager/property.h"

#include <stdio.h>

#define VALUE_MAX 1024u

int on_feature_list(struct call *c)
{
	char prefix[LEDGER_KEY_MAX];
	struct ledger_walk w;

	qube_key(prefix, &c->target, "f/", "");
	ledger_walk_begin(&w, c->m->ledger, prefix);
	while (ledger_walk_next(&w))
		buffer_printf(&c->answer, "%s\n", w.rest);
	ledger_walk_end(&w);
	return 0;
}

int on_feature_of_all(struct call *c)
{
	char key[LEDGER_KEY_MAX];
	struct ledger_walk w;
	struct span value;
	struct qube q;

	qube_walk_begin(&w, c->m->ledger);
	while (qube_walk_next(&w, &q)) {
		qube_key(key, &q, "f/", c->argument);
		if (ledger_get(c->m->ledger, key, &value) < 0)
			continue;
		buffer_printf(&c->answer, "%s ", q.name);
		call_put_line(c, value);
	}
	qube_walk_end(&w);
	return 0;
}

/* Answers with the feature of `q`; false if it has none. */
static bool answer_with(struct call *c, const struct qube *q)
{
	char key[LEDGER_KEY_MAX];
	struct span value;

	qube_key(key, q, "f/", c->argument);
	if (ledger_get(c->m->ledger, key, &value) < 0)
		return false;
	buffer_put(&c->answer, value.at, value.size);
	return true;
}

/*
 * The qube's own, else that of the first behind it along `property` that has
 * one; else dom0's if that is asked for.
 */
static int look_along(struct call *c, const char *property, bool adminvm)
{
	char next[PROPERTY_VALUE_MAX];
	struct qube at = c->target;

	/* As many steps as a chain may sensibly have, since it may be a ring. */
	for (int depth = 0; depth < 16; depth++) {
		if (answer_with(c, &at))
			return 0;
		if (!property)
			break;
		property_text(c->m->ledger, &at, property, next);
		if (qube_find(c->m->ledger, next, &at) < 0)
			break;
	}
	if (adminvm && qube_find(c->m->ledger, "dom0", &at) == 0 &&
	    answer_with(c, &at))
		return 0;
	return call_fail(c, EX_QubesFeatureNotFoundError,
	                 "%s has no feature '%s'", c->target.name, c->argument);
}

int on_feature_get(struct call *c)
{
	return look_along(c, NULL, false);
}

int on_feature_template(struct call *c)
{
	return look_along(c, "template", false);
}

int on_feature_netvm(struct call *c)
{
	return look_along(c, "netvm", false);
}

int on_feature_adminvm(struct call *c)
{
	return look_along(c, NULL, true);
}

int on_feature_both(struct call *c)
{
	return look_along(c, "template", true);
}

/* What is kept ready follows, once this is committed. */
static void note_change(struct call *c)
{
	if (strncmp(c->argument, "preload-", strlen("preload-")) == 0)
		preload_look(c->m);
}

int on_feature_remove(struct call *c)
{
	char key[LEDGER_KEY_MAX], event[REQUEST_WORD_MAX + 64];

	qube_key(key, &c->target, "f/", c->argument);
	if (!ledger_has(c->m->ledger, key))
		return call_fail(c, EX_QubesFeatureNotFoundError,
		                 "%s has no feature '%s'", c->target.name,
		                 c->argument);
	(void)snprintf(event, sizeof(event), "domain-feature-pre-delete:%s",
	               c->argument);
	events_queue(&c->m->events, c->target.name, event, "feature",
	             c->argument, NULL);
	ledger_delete(c->m->ledger, key);
	(void)snprintf(event, sizeof(event), "domain-feature-delete:%s",
	               c->argument);
	events_queue(&c->m->events, c->target.name, event, "feature",
	             c->argument, NULL);
	note_change(c);
	return 0;
}

int on_feature_set(struct call *c)
{
	static const char *const when[] = {"pre-set", "set"};
	char key[LEDGER_KEY_MAX], event[REQUEST_WORD_MAX + 64];
	char value[VALUE_MAX], old[VALUE_MAX];
	bool had;
	int err = call_text(c, value, sizeof(value), true);

	if (err < 0)
		return err;
	qube_key(key, &c->target, "f/", c->argument);
	had = ledger_text(c->m->ledger, key, old, sizeof(old));
	ledger_put_text(c->m->ledger, key, value);
	for (size_t i = 0; i < ARRAY_LEN(when); i++) {
		(void)snprintf(event, sizeof(event), "domain-feature-%s:%s",
		               when[i], c->argument);
		if (had)
			events_queue(&c->m->events, c->target.name, event,
			             "feature", c->argument, "value", value,
			             "oldvalue", old, NULL);
		else
			events_queue(&c->m->events, c->target.name, event,
			             "feature", c->argument, "value", value,
			             NULL);
	}
	note_change(c);
	return 0;
}
