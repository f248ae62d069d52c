/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.vm.device.*: no qube offers a device yet, so none has one.  What may
 * never be attached is kept, for when there are some.
 */
#include "manager/handlers.h"
#include "manager/manager.h"
#include "manager/property.h"

#include <stdio.h>

int on_device_classes(struct call *c)
{
	(void)c;
	return 0;
}

int on_device_available(struct call *c)
{
	(void)c;
	return 0;
}

int on_device_assigned(struct call *c)
{
	(void)c;
	return 0;
}

int on_device_attached(struct call *c)
{
	(void)c;
	return 0;
}

int on_device_refused(struct call *c)
{
	return call_fail(c, EX_QubesNotImplementedError,
	                 "no qube offers devices yet");
}

#define INTERFACE 7u /* u030102: a letter and six digits */

static bool interfaces_ok(const char *text)
{
	size_t len = strlen(text);

	if (len % INTERFACE != 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (i % INTERFACE == 0 ? !(text[i] >= 'a' && text[i] <= 'z') &&
		                                 text[i] != '?'
		                       : !strchr("0123456789abcdef*", text[i]))
			return false;
	return true;
}

static bool has(const char *set, const char *one)
{
	for (; *set; set += INTERFACE)
		if (memcmp(set, one, INTERFACE) == 0)
			return true;
	return false;
}

static int load(struct call *c, const struct property **p,
                char set[PROPERTY_VALUE_MAX])
{
	*p = property_find(&c->target, "devices_denied");
	if (!*p)
		return call_fail(c, EX_QubesNoSuchPropertyError,
		                 "%s can have all devices", c->target.name);
	(void)property_get(c->m->ledger, &c->target, *p, set);
	return 0;
}

int on_device_denied_list(struct call *c)
{
	char set[PROPERTY_VALUE_MAX];
	const struct property *p;
	int err = load(c, &p, set);

	if (err < 0)
		return err;
	for (const char *at = set; *at; at += INTERFACE)
		buffer_printf(&c->answer, "%.7s\n", at);
	return 0;
}

/* The payload's interfaces, checked. */
static int given(struct call *c, char out[PROPERTY_VALUE_MAX])
{
	int err = call_text(c, out, PROPERTY_VALUE_MAX, false);

	if (err < 0)
		return err;
	if (!interfaces_ok(out))
		return call_fail(c, EX_QubesValueError,
		                 "an interface is written as u030102");
	return 0;
}

int on_device_denied_add(struct call *c)
{
	char set[PROPERTY_VALUE_MAX], more[PROPERTY_VALUE_MAX];
	const struct property *p;
	int err = load(c, &p, set);

	if (err == 0)
		err = given(c, more);
	if (err < 0)
		return err;
	for (const char *at = more; *at; at += INTERFACE) {
		size_t len = strlen(set);

		if (has(set, at))
			continue;
		if (len + INTERFACE >= sizeof(set))
			return call_fail(c, EX_QubesValueError,
			                 "those are too many");
		memcpy(set + len, at, INTERFACE);
		set[len + INTERFACE] = '\0';
	}
	property_put(c->m->ledger, &c->target, p, set);
	return 0;
}

int on_device_denied_remove(struct call *c)
{
	char set[PROPERTY_VALUE_MAX], less[PROPERTY_VALUE_MAX];
	const struct property *p;
	size_t kept = 0;
	int err = load(c, &p, set);

	if (err < 0)
		return err;
	if (span_is(c->request.payload, "all")) {
		property_unset(c->m->ledger, &c->target, p);
		return 0;
	}
	err = given(c, less);
	if (err < 0)
		return err;
	for (size_t at = 0; set[at]; at += INTERFACE) {
		if (has(less, set + at))
			continue;
		memmove(set + kept, set + at, INTERFACE);
		kept += INTERFACE;
	}
	set[kept] = '\0';
	property_put(c->m->ledger, &c->target, p, set);
	return 0;
}
