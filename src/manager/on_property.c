/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.property.* and admin.vm.property.*: one set of methods, for global
 * properties and for those of a qube.  admin.vm.property.* on dom0 means dom0's.
 */
#include "manager/domain.h"
#include "manager/handlers.h"
#include "manager/manager.h"
#include "manager/property.h"

#include <fcntl.h>
#include <stdio.h>

/* The qube it is about, or NULL for global ones. */
static const struct qube *owner_of(const struct call *c)
{
	return strncmp(c->name, "admin.vm.", 9) == 0 ? &c->target : NULL;
}

static int wanted(struct call *c, const struct property **out)
{
	const struct qube *q = owner_of(c);
	const struct property *p = property_find(q, c->argument);

	if (!p && q)
		return call_fail(c, EX_QubesNoSuchPropertyError,
		                 "%s has no property '%.200s'", q->name,
		                 c->argument);
	if (!p)
		return call_fail(c, EX_QubesNoSuchPropertyError,
		                 "there is no global property '%.200s'",
		                 c->argument);
	*out = p;
	return 0;
}

/* The value as it is shown; true if it is the default. */
static bool value_of(const struct call *c, const struct qube *q,
                     const struct property *p, char out[PROPERTY_VALUE_MAX])
{
	int64_t started = q ? domain_start_time(c->m, q->id) : 0;
	bool is_default = property_get(c->m->ledger, q, p, out);

	if (q && started && strcmp(p->name, "start_time") == 0)
		(void)snprintf(out, PROPERTY_VALUE_MAX, "%lld.0",
		               (long long)started);
	return is_default;
}

int on_property_list(struct call *c)
{
	const struct property *p;

	for (size_t i = 0; (p = property_at(owner_of(c), i)); i++)
		buffer_printf(&c->answer, "%s\n", p->name);
	return 0;
}

int on_property_of_all(struct call *c)
{
	char value[PROPERTY_VALUE_MAX];
	const struct property *p;
	struct ledger_walk w;
	struct qube q;

	qube_walk_begin(&w, c->m->ledger);
	while (qube_walk_next(&w, &q)) {
		p = property_find(&q, c->argument);
		if (!p)
			continue;
		(void)value_of(c, &q, p, value);
		buffer_printf(&c->answer, "%s ", q.name);
		call_put_line(c, span_str(value));
	}
	qube_walk_end(&w);
	return 0;
}

int on_property_get_all(struct call *c)
{
	char value[PROPERTY_VALUE_MAX];
	const struct property *p;

	for (size_t i = 0; (p = property_at(owner_of(c), i)); i++) {
		bool is_default = value_of(c, owner_of(c), p, value);

		buffer_printf(&c->answer, "%s default=%s type=%s ", p->name,
		              is_default ? "True" : "False",
		              property_type_name(p));
		call_put_line(c, span_str(value));
	}
	return 0;
}

int on_property_get(struct call *c)
{
	char value[PROPERTY_VALUE_MAX];
	const struct property *p;
	bool is_default;
	int err = wanted(c, &p);

	if (err < 0)
		return err;
	is_default = value_of(c, owner_of(c), p, value);
	buffer_printf(&c->answer, "default=%s type=%s %s",
	              is_default ? "True" : "False", property_type_name(p),
	              value);
	return 0;
}

int on_property_default(struct call *c)
{
	char value[PROPERTY_VALUE_MAX];
	const struct property *p;
	int err = wanted(c, &p);

	if (err < 0)
		return err;
	if (property_default(c->m->ledger, owner_of(c), p, value))
		buffer_printf(&c->answer, "type=%s %s", property_type_name(p),
		              value);
	return 0;
}

int on_property_help(struct call *c)
{
	const struct property *p;
	int err = wanted(c, &p);

	if (err < 0)
		return err;
	buffer_text(&c->answer, p->what);
	return 0;
}

/* May it be changed now? */
static int changeable(struct call *c, const struct property *p)
{
	const struct qube *q = owner_of(c);

	if (p->traits == PROPERTY_FIXED)
		return call_fail(c, EX_QubesPropertyAccessError,
		                 "property '%s' cannot be set", p->name);
	if (q && p->traits == PROPERTY_HALTED &&
	    domain_state(c->m, q->id) != DOMAIN_HALTED)
		return call_fail(c, EX_QubesVMNotHaltedError,
		                 "%s must be halted for that: shut it down "
		                 "first",
		                 q->name);
	if (q && q->class == QUBE_AdminVM && strcmp(p->name, "name") == 0)
		return call_fail(c, EX_QubesPropertyAccessError,
		                 "dom0 is called dom0");
	return 0;
}

static void tell(const struct call *c, const struct property *p,
                 const char *value, const char *old)
{
	const struct qube *q = owner_of(c);
	const char *subject = q ? q->name : "";
	struct events *e = &c->m->events;
	char name[128];

	(void)snprintf(name, sizeof(name), "property-pre-%s:%s",
	               value ? "set" : "reset", p->name);
	if (value)
		events_queue(e, subject, name, "name", p->name, "newvalue",
		             value, "oldvalue", old, NULL);
	else
		events_queue(e, subject, name, "name", p->name, "oldvalue", old,
		             NULL);
	(void)snprintf(name, sizeof(name), "property-%s:%s",
	               value ? "set" : "reset", p->name);
	if (value)
		events_queue(e, subject, name, "name", p->name, "newvalue",
		             value, "oldvalue", old, NULL);
	else
		events_queue(e, subject, name, "name", p->name, "oldvalue", old,
		             NULL);
}

int on_property_reset(struct call *c)
{
	const struct qube *q = owner_of(c);
	char old[PROPERTY_VALUE_MAX];
	const struct property *p;
	int err = wanted(c, &p);

	if (err == 0)
		err = changeable(c, p);
	if (err < 0)
		return err;
	/* Its name is always the one it has, and an AppVM has a template. */
	if (strcmp(p->name, "name") == 0 ||
	    (q && strcmp(p->name, "template") == 0))
		return call_fail(c, EX_QubesValueError,
		                 "property '%s' has no default", p->name);
	if (property_get(c->m->ledger, q, p, old))
		return 0;
	property_unset(c->m->ledger, q, p);
	tell(c, p, NULL, old);
	return 0;
}

/* A change of name is one of the ledger's alone. */
static int rename_qube(struct call *c, const char *value)
{
	char old[QUBE_NAME_MAX + 1], image[64];

	memcpy(old, c->target.name, sizeof(old));
	(void)snprintf(image, sizeof(image), "templates/%s/current", old);
	if (c->target.class == QUBE_TemplateVM &&
	    faccessat(c->m->data, image, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return call_fail(c, EX_QubesValueError,
		                 "%s has a template image, which is called "
		                 "like it: make a new template instead",
		                 old);
	if (strcmp(old, value) == 0)
		return 0;
	property_renamed(c->m->ledger, old, value);
	qube_rename(c->m->ledger, &c->target, value);
	events_queue(&c->m->events, value, "property-set:name", "name", "name",
	             "newvalue", value, "oldvalue", old, NULL);
	return 0;
}

static enum exception why_not(int err, const struct property *p)
{
	if (err != -ENOENT)
		return EX_QubesValueError;
	return p->type == PROPERTY_LABEL ? EX_QubesLabelNotFoundError
	                                 : EX_QubesVMNotFoundError;
}

int on_property_set(struct call *c)
{
	const struct qube *q = owner_of(c);
	char value[PROPERTY_VALUE_MAX], old[PROPERTY_VALUE_MAX];
	const struct property *p;
	struct fault f;
	int err = wanted(c, &p);

	if (err == 0)
		err = changeable(c, p);
	if (err == 0)
		err = call_text(c, value, sizeof(value), false);
	if (err < 0)
		return err;
	if (q && strcmp(p->name, "name") == 0 && strcmp(value, q->name) == 0)
		return 0;
	err = property_check(c->m->ledger, q, p, value, &f);
	if (err < 0)
		return call_fail(c, why_not(err, p), "%s", f.text);
	if (q && strcmp(p->name, "name") == 0)
		return rename_qube(c, value);
	(void)property_get(c->m->ledger, q, p, old);
	property_put(c->m->ledger, q, p, value);
	tell(c, p, value, old);
	return 0;
}
