/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/property.h"

#include <stdio.h>

#include "channel/callmsg.h"
#include "manager/property_compute.h"

#define STR               PROPERTY_STR
#define INT               PROPERTY_INT
#define BOOL              PROPERTY_BOOL
#define VM                PROPERTY_VM
#define LABEL             PROPERTY_LABEL
#define NONE              PROPERTY_NONE, NULL
#define CONST(text)       PROPERTY_CONST, text
#define GLOBAL(name)      PROPERTY_GLOBAL, #name
#define TEMPLATE(text)    PROPERTY_TEMPLATE, text
#define TEMPLATE_OR(name) PROPERTY_TEMPLATE_OR, #name
#define COMPUTED          PROPERTY_COMPUTED, NULL
#define LIVE              PROPERTY_LIVE
#define HALTED            PROPERTY_HALTED
#define FIXED             PROPERTY_FIXED

/* Of the names of accounts that calls can carry. */
#define USER_BYTES                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789+-._"

#define PROPERTY(name, type, classes, rule, traits, what) \
	{#name, type, classes, rule, traits, what},

static const struct property of_qubes[] = {
#include "manager/properties.def"
};

#define PROPERTY(name, type, classes, rule, traits, what) \
	{#name, type, classes, rule, traits, what},
static const struct property globals[] = {
#include "manager/globals.def"
};

static const char class_letters[QUBE_CLASSES] = {
	[QUBE_AdminVM] = 'M',      [QUBE_AppVM] = 'A',  [QUBE_TemplateVM] = 'T',
	[QUBE_StandaloneVM] = 'S', [QUBE_DispVM] = 'D', [QUBE_RemoteVM] = 'R',
};

const char *property_type_name(const struct property *p)
{
	static const char *const names[] = {
		[STR] = "str", [INT] = "int",     [BOOL] = "bool",
		[VM] = "vm",   [LABEL] = "label",
	};

	return names[p->type];
}

static bool applies(const struct qube *q, const struct property *p)
{
	return !q || strchr(p->classes, class_letters[q->class]);
}

const struct property *property_find(const struct qube *q, const char *name)
{
	const struct property *p = q ? of_qubes : globals;
	size_t count = q ? ARRAY_LEN(of_qubes) : ARRAY_LEN(globals);

	for (size_t i = 0; i < count; i++)
		if (strcmp(p[i].name, name) == 0)
			return applies(q, &p[i]) ? &p[i] : NULL;
	return NULL;
}

const struct property *property_at(const struct qube *q, size_t at)
{
	const struct property *p = q ? of_qubes : globals;
	size_t count = q ? ARRAY_LEN(of_qubes) : ARRAY_LEN(globals);
	const struct property *last = NULL;

	/* Each pass finds the next one in order. */
	for (size_t n = 0; n <= at; n++) {
		const struct property *next = NULL;

		for (size_t i = 0; i < count; i++)
			if (applies(q, &p[i]) &&
			    (!last || strcmp(p[i].name, last->name) > 0) &&
			    (!next || strcmp(p[i].name, next->name) < 0))
				next = &p[i];
		if (!next)
			return NULL;
		last = next;
	}
	return last;
}

static void key_of(char key[LEDGER_KEY_MAX], const struct qube *q,
                   const struct property *p)
{
	if (q)
		qube_key(key, q, "p/", p->name);
	else
		(void)snprintf(key, LEDGER_KEY_MAX, "global/%s", p->name);
}

static bool stored(struct ledger *l, const struct qube *q,
                   const struct property *p, char out[PROPERTY_VALUE_MAX])
{
	char key[LEDGER_KEY_MAX];

	key_of(key, q, p);
	return ledger_text(l, key, out, PROPERTY_VALUE_MAX);
}

/* The qube's template, if it has one that is there. */
static bool template_of(struct ledger *l, const struct qube *q,
                        struct qube *out)
{
	const struct property *p = property_find(q, "template");
	char name[PROPERTY_VALUE_MAX];

	return p && stored(l, q, p, name) && qube_find(l, name, out) == 0;
}

static bool global_default(struct ledger *l, const char *name,
                           char out[PROPERTY_VALUE_MAX])
{
	const struct property *p = property_find(NULL, name);

	assert(p);
	if (stored(l, NULL, p, out))
		return true;
	if (p->rule == PROPERTY_GLOBAL) {
		p = property_find(NULL, p->rest);
		assert(p && p->rule == PROPERTY_CONST);
		if (stored(l, NULL, p, out))
			return true;
	}
	(void)snprintf(out, PROPERTY_VALUE_MAX, "%s", p->rest ? p->rest : "");
	return p->rest != NULL;
}

/* The first of its templates that sets it. */
static bool from_templates(struct ledger *l, const struct qube *q,
                           const struct property *p,
                           char out[PROPERTY_VALUE_MAX])
{
	struct qube at = *q, next;

	/* A DispVM's is an AppVM, whose is a TemplateVM: no longer chain. */
	for (int depth = 0; depth < 3 && template_of(l, &at, &next); depth++) {
		if (applies(&next, p) && stored(l, &next, p, out))
			return true;
		at = next;
	}
	return false;
}

bool property_default(struct ledger *l, const struct qube *q,
                      const struct property *p, char out[PROPERTY_VALUE_MAX])
{
	out[0] = '\0';
	switch (p->rule) {
	case PROPERTY_NONE:
		return false;
	case PROPERTY_CONST:
		(void)snprintf(out, PROPERTY_VALUE_MAX, "%s", p->rest);
		return true;
	case PROPERTY_GLOBAL:
		return global_default(l, p->rest, out);
	case PROPERTY_TEMPLATE:
		if (!from_templates(l, q, p, out))
			(void)snprintf(out, PROPERTY_VALUE_MAX, "%s", p->rest);
		return true;
	case PROPERTY_TEMPLATE_OR:
		return from_templates(l, q, p, out) ||
		       global_default(l, p->rest, out);
	case PROPERTY_COMPUTED:
		return property_compute(l, q, p->name, out);
	}
	return false;
}

bool property_get(struct ledger *l, const struct qube *q,
                  const struct property *p, char out[PROPERTY_VALUE_MAX])
{
	if (stored(l, q, p, out))
		return false;
	(void)property_default(l, q, p, out);
	return true;
}

void property_text(struct ledger *l, const struct qube *q, const char *name,
                   char out[PROPERTY_VALUE_MAX])
{
	const struct property *p = property_find(q, name);

	out[0] = '\0';
	if (p)
		(void)property_get(l, q, p, out);
}

uint64_t property_number(struct ledger *l, const struct qube *q,
                         const char *name)
{
	char text[PROPERTY_VALUE_MAX];
	uint64_t n;

	property_text(l, q, name, text);
	return property_compute_number(text, &n) ? n : 0;
}

bool property_true(struct ledger *l, const struct qube *q, const char *name)
{
	char text[PROPERTY_VALUE_MAX];

	property_text(l, q, name, text);
	return strcmp(text, "True") == 0;
}

static int check_bool(char value[PROPERTY_VALUE_MAX], struct fault *f)
{
	static const struct {
		const char *said;
		bool means;
	} words[] = {
		{"True", true},   {"true", true}, {"1", true},
		{"yes", true},    {"on", true},   {"False", false},
		{"false", false}, {"0", false},   {"no", false},
		{"off", false},   {"", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].said, value) == 0) {
			(void)snprintf(value, PROPERTY_VALUE_MAX, "%s",
			               words[i].means ? "True" : "False");
			return 0;
		}
	return fault_set(f, -EINVAL, "'%.100s' is neither True nor False",
	                 value);
}

/* What each property that names a qube wants of it. */
static int check_vm(struct ledger *l, const struct qube *q,
                    const struct property *p, char value[PROPERTY_VALUE_MAX],
                    struct fault *f)
{
	bool dispvm = strcmp(p->name, "default_dispvm") == 0 ||
	              strcmp(p->name, "management_dispvm") == 0;
	bool template = strcmp(p->name, "template") == 0 ||
	                strcmp(p->name, "default_template") == 0;
	bool netvm = strcmp(p->name, "netvm") == 0 ||
	             strcmp(p->name, "default_netvm") == 0;
	struct qube other;

	if (template && q && q->class == QUBE_DispVM)
		dispvm = true;
	if (value[0] == '\0' || strcmp(value, "None") == 0) {
		value[0] = '\0';
		if (template && q)
			return fault_set(f, -EINVAL, "%s needs a template",
			                 q->name);
		return 0;
	}
	if (qube_find(l, value, &other) < 0)
		return fault_set(f, -ENOENT, "No such domain: '%.64s'", value);
	(void)snprintf(value, PROPERTY_VALUE_MAX, "%s", other.name);
	if (dispvm && (other.class != QUBE_AppVM ||
	               !property_true(l, &other, "template_for_dispvms")))
		return fault_set(f, -EINVAL,
		                 "%s is no disposable template: set its "
		                 "template_for_dispvms first",
		                 other.name);
	if (template && !dispvm && other.class != QUBE_TemplateVM)
		return fault_set(f, -EINVAL, "%s is no TemplateVM", other.name);
	if (netvm && !property_true(l, &other, "provides_network"))
		return fault_set(f, -EINVAL,
		                 "%s does not provide network: set its "
		                 "provides_network first",
		                 other.name);
	if (strcmp(p->name, "relayvm") == 0 &&
	    (other.class == QUBE_AdminVM || other.class == QUBE_RemoteVM))
		return fault_set(f, -EINVAL,
		                 "%s cannot be a relay: that is a qube of this "
		                 "machine",
		                 other.name);
	if (netvm && q && other.id == q->id)
		return fault_set(f, -EINVAL, "%s cannot be its own netvm",
		                 q->name);
	return 0;
}

/* Numbers that would let nothing start. */
static int check_number(const struct property *p, const char *value,
                        struct fault *f)
{
	static const struct {
		const char *name;
		uint64_t least, most;
	} bounds[] = {
		{"memory", 16, 1u << 24},
		{"maxmem", 0, 1u << 24},
		{"vcpus", 1, 512},
		{"pids", 8, 4u << 20},
		{"stats_interval", 1, 86400},
	};
	uint64_t n;

	if (!property_compute_number(value, &n))
		return fault_set(f, -EINVAL, "'%.100s' is not a number", value);
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		if (strcmp(bounds[i].name, p->name) == 0 &&
		    (n < bounds[i].least || n > bounds[i].most))
			return fault_set(f, -EINVAL, "%s is from %llu to %llu",
			                 p->name,
			                 (unsigned long long)bounds[i].least,
			                 (unsigned long long)bounds[i].most);
	return 0;
}

/* One of the words that a '+' divides in a call. */
static bool is_call_word(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= CALLMSG_NAME_MAX && !strchr(text, '+') &&
	       strspn(text, USER_BYTES) == len;
}

static int check_text(struct ledger *l, const struct property *p,
                      const char *value, struct fault *f)
{
	const char *wrong;
	struct qube other;

	if (strcmp(p->name, "virt_mode") == 0 && strcmp(value, "process") != 0)
		return fault_set(f, -EINVAL, "virt_mode is 'process'");
	if (strncmp(p->name, "default_pool", 12) == 0 &&
	    strcmp(value, "file") != 0)
		return fault_set(f, -EINVAL, "there is one pool: 'file'");
	if (strcmp(p->name, "default_user") == 0 &&
	    (!*value || strlen(value) > CALLMSG_NAME_MAX ||
	     strspn(value, USER_BYTES) != strlen(value)))
		return fault_set(f, -EINVAL,
		                 "default_user is of at most %u letters, "
		                 "digits and + - . _",
		                 CALLMSG_NAME_MAX);
	if (strcmp(p->name, "transport_rpc") == 0 && !is_call_word(value))
		return fault_set(f, -EINVAL,
		                 "a service is of letters, digits and - . _");
	if (strcmp(p->name, "remote_name") == 0 && qube_name_wrong(value))
		return fault_set(f, -EINVAL, "%s", qube_name_wrong(value));
	if (strcmp(p->name, "name") != 0)
		return 0;
	wrong = qube_name_wrong(value);
	if (wrong)
		return fault_set(f, -EINVAL, "%s", wrong);
	if (qube_find(l, value, &other) == 0)
		return fault_set(f, -EEXIST, "there is a qube called %s",
		                 value);
	return 0;
}

int property_check(struct ledger *l, const struct qube *q,
                   const struct property *p, char value[PROPERTY_VALUE_MAX],
                   struct fault *f)
{
	char key[LEDGER_KEY_MAX];

	switch (p->type) {
	case PROPERTY_BOOL:
		return check_bool(value, f);
	case PROPERTY_INT:
		return check_number(p, value, f);
	case PROPERTY_VM:
		return check_vm(l, q, p, value, f);
	case PROPERTY_LABEL:
		(void)snprintf(key, sizeof(key), "label/%.255s", value);
		if (!ledger_has(l, key))
			return fault_set(f, -ENOENT, "no label '%.100s'",
			                 value);
		return 0;
	case PROPERTY_STR:
		return check_text(l, p, value, f);
	}
	return -EINVAL;
}

void property_put(struct ledger *l, const struct qube *q,
                  const struct property *p, const char *value)
{
	char key[LEDGER_KEY_MAX];

	key_of(key, q, p);
	ledger_put_text(l, key, value);
}

void property_unset(struct ledger *l, const struct qube *q,
                    const struct property *p)
{
	char key[LEDGER_KEY_MAX];

	key_of(key, q, p);
	ledger_delete(l, key);
}

/* Does a property of `q` (NULL: a global one) name this qube? */
static const struct property *naming(struct ledger *l, const struct qube *q,
                                     const char *name)
{
	const struct property *p = q ? of_qubes : globals;
	size_t count = q ? ARRAY_LEN(of_qubes) : ARRAY_LEN(globals);
	char value[PROPERTY_VALUE_MAX];

	for (size_t i = 0; i < count; i++)
		if (p[i].type == PROPERTY_VM && stored(l, q, &p[i], value) &&
		    strcmp(value, name) == 0)
			return &p[i];
	return NULL;
}

bool property_user_of(struct ledger *l, const char *name, char *out,
                      size_t room)
{
	const struct property *p = naming(l, NULL, name);
	struct ledger_walk w;
	struct qube q;

	if (p) {
		(void)snprintf(out, room, "the global property %s", p->name);
		return true;
	}
	qube_walk_begin(&w, l);
	while (!p && qube_walk_next(&w, &q)) {
		if (strcmp(q.name, name) == 0)
			continue;
		p = naming(l, &q, name);
		if (p)
			(void)snprintf(out, room, "%s of %s", p->name, q.name);
	}
	qube_walk_end(&w);
	return p != NULL;
}

void property_renamed(struct ledger *l, const char *from, const char *to)
{
	const struct property *p;
	struct ledger_walk w;
	struct qube q;
	bool found;

	while ((p = naming(l, NULL, from)))
		property_put(l, NULL, p, to);
	/* Nothing may change while we walk: find one, change it, look on. */
	do {
		found = false;
		qube_walk_begin(&w, l);
		while (!found && qube_walk_next(&w, &q)) {
			p = naming(l, &q, from);
			found = p != NULL;
		}
		qube_walk_end(&w);
		if (found)
			property_put(l, &q, p, to);
	} while (found);
}
