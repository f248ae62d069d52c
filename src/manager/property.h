/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties: what manager/properties.def and manager/globals.def say, and what
 * the ledger has set.  All of these want a transaction to be open.
 */
#pragma once

#include "base/fault.h"
#include "manager/qube.h"

enum property_type {
	PROPERTY_STR,
	PROPERTY_INT,
	PROPERTY_BOOL,
	PROPERTY_VM,
	PROPERTY_LABEL,
};

enum property_rule {
	PROPERTY_NONE,
	PROPERTY_CONST,
	PROPERTY_GLOBAL,
	PROPERTY_TEMPLATE,
	PROPERTY_TEMPLATE_OR,
	PROPERTY_COMPUTED,
};

enum property_trait { PROPERTY_LIVE, PROPERTY_HALTED, PROPERTY_FIXED };

struct property {
	const char *name;
	enum property_type type;
	const char *classes;
	enum property_rule rule;
	const char *rest; /* of the rule: a text or a global's name */
	enum property_trait traits;
	const char *what;
};

#define PROPERTY_VALUE_MAX 1024u

/* "str", "int", "bool", "vm" or "label". */
const char *property_type_name(const struct property *p);

/*
 * The property a qube of this class has, or for NULL the global one.  NULL if
 * there is none.
 */
const struct property *property_find(const struct qube *q, const char *name);

/* Number `i` of them in the order of their names, or NULL at the end. */
const struct property *property_at(const struct qube *q, size_t i);

/*
 * The value of a property of `q`, or of a global one (NULL).  True if it is the
 * default; `out` is then that, and "" if there is none.
 */
bool property_get(struct ledger *l, const struct qube *q,
                  const struct property *p, char out[PROPERTY_VALUE_MAX]);

/* What it would be if it were not set; false if there is no default. */
bool property_default(struct ledger *l, const struct qube *q,
                      const struct property *p, char out[PROPERTY_VALUE_MAX]);

/* The value by name, which must be one of the class's (else ""). */
void property_text(struct ledger *l, const struct qube *q, const char *name,
                   char out[PROPERTY_VALUE_MAX]);
uint64_t property_number(struct ledger *l, const struct qube *q,
                         const char *name);
bool property_true(struct ledger *l, const struct qube *q, const char *name);

/*
 * Brings a value into its one form and checks all that can be said without
 * knowing whether the qube runs.  0 and *value, or a negative errno and why.
 */
must_check int property_check(struct ledger *l, const struct qube *q,
                              const struct property *p,
                              char value[PROPERTY_VALUE_MAX], struct fault *f);

/* Sets a checked value; or unsets it. */
void property_put(struct ledger *l, const struct qube *q,
                  const struct property *p, const char *value);
void property_unset(struct ledger *l, const struct qube *q,
                    const struct property *p);

/*
 * Who names this qube in a property: "QUBE.template", "global default_dispvm";
 * or false if nobody does.
 */
bool property_user_of(struct ledger *l, const char *name, char *out,
                      size_t room);

/* Names it `to` wherever it is named in a property. */
void property_renamed(struct ledger *l, const char *from, const char *to);
