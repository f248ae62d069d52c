/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What qubes tell of themselves: qubes.FeaturesRequest, NotifyUpdates,
 * NotifyTools, SyncAppMenus.
 *
 * All of it is foreign bytes.  What is kept are features of the qube, or of its
 * template: only those named here, with values of a few harmless letters.  No
 * feature that decides anything is among them.
 */
#include "manager/handlers.h"
#include "manager/manager.h"
#include "manager/property.h"

#include <stdio.h>

#define VALUE_MAX 255u
#define MENU_MAX  4000u /* of all names in a menu together */
#define SAID_MAX  256u  /* features that a qube has, whoever set them */

/* May somebody update what this qube has? */
static bool is_updateable(const struct qube *q)
{
	return q->class == QUBE_TemplateVM || q->class == QUBE_StandaloneVM;
}

/* May it have one more?  It can make up names without end. */
static bool has_room(struct call *c, const struct qube *q)
{
	char prefix[LEDGER_KEY_MAX];
	struct ledger_walk w;
	uint32_t count = 0;

	qube_key(prefix, q, "f/", "");
	ledger_walk_begin(&w, c->m->ledger, prefix);
	while (count < SAID_MAX && ledger_walk_next(&w))
		count++;
	ledger_walk_end(&w);
	return count < SAID_MAX;
}

/* Sets a feature, or with "" takes it away, if that changes anything. */
static void put(struct call *c, const struct qube *q, const char *name,
                const char *value)
{
	char key[LEDGER_KEY_MAX], event[REQUEST_WORD_MAX + 64];
	struct span old = {NULL, 0};

	qube_key(key, q, "f/", name);
	(void)!ledger_get(c->m->ledger, key, &old);
	if (span_is(old, value) || (!old.at && !has_room(c, q)))
		return;
	if (*value)
		ledger_put_text(c->m->ledger, key, value);
	else
		ledger_delete(c->m->ledger, key);
	(void)snprintf(event, sizeof(event), "domain-feature-%s:%s",
	               *value ? "set" : "delete", name);
	if (*value)
		events_queue(&c->m->events, q->name, event, "feature", name,
		             "value", value, NULL);
	else
		events_queue(&c->m->events, q->name, event, "feature", name,
		             NULL);
}

static bool letter_ok(uint8_t b)
{
	return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') ||
	       (b >= '0' && b <= '9') || b == '-' || b == '.' || b == '_' ||
	       b == '+';
}

static bool word_ok(struct span s)
{
	for (size_t i = 0; i < s.size; i++)
		if (!letter_ok(s.at[i]))
			return false;
	return s.size > 0 && s.size <= VALUE_MAX;
}

/* The next line, without its end; false behind the last. */
static bool next_line(struct span *rest, struct span *out)
{
	size_t size = 0;

	if (rest->size == 0)
		return false;
	while (size < rest->size && rest->at[size] != '\n')
		size++;
	*out = (struct span){rest->at, size};
	*rest = span_from(*rest, size + 1);
	return true;
}

static struct span word_before(struct span s, uint8_t end)
{
	size_t size = 0;

	while (size < s.size && s.at[size] != end)
		size++;
	return (struct span){s.at, size};
}

static void copy(char *to, size_t room, struct span s)
{
	size_t size = MIN(s.size, room - 1);

	if (size > 0)
		memcpy(to, s.at, size);
	to[size] = '\0';
}

int on_report_updates(struct call *c)
{
	struct span p = c->request.payload;
	struct qube source, template;
	char name[PROPERTY_VALUE_MAX];
	bool some = false;
	int err = call_source(c, &source);

	if (err < 0)
		return err;
	if (p.size > 0 && p.at[p.size - 1] == '\n')
		p.size--;
	if (p.size == 0 || p.size > 9)
		return call_fail(c, EX_ProtocolError, "that is no number");
	for (size_t i = 0; i < p.size; i++) {
		if (p.at[i] < '0' || p.at[i] > '9')
			return call_fail(c, EX_ProtocolError,
			                 "that is no number");
		some |= p.at[i] != '0';
	}
	if (is_updateable(&source)) {
		put(c, &source, "updates-available", some ? "1" : "");
		return 0;
	}
	/* What it says of its template can only be that there is something. */
	property_text(c->m->ledger, &source, "template", name);
	if (some && qube_find(c->m->ledger, name, &template) == 0 &&
	    is_updateable(&template))
		put(c, &template, "updates-available", "1");
	return 0;
}

/* Names that a qube may note of itself; with a dot at the end, any behind it. */
static const char *const features[] = {
	"qrexec",
	"gui",
	"gui-emulated",
	"qubes-firewall",
	"vmexec",
	"os",
	"os-distribution",
	"os-distribution-like",
	"os-version",
	"os-eol",
	"supported-feature.",
	"supported-service.",
	"supported-rpc.",
};

static bool feature_ok(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		struct span known = span_str(features[i]);

		if (span_eq(name, known))
			return features[i][known.size - 1] != '.';
		if (features[i][known.size - 1] == '.' &&
		    name.size > known.size &&
		    memcmp(name.at, known.at, known.size) == 0)
			return true;
	}
	return false;
}

/* Lines NAME=VALUE.  What is not for it to say is passed over. */
static int note_features(struct call *c, const struct qube *q)
{
	struct span rest = c->request.payload, line;
	char name[VALUE_MAX + 1], value[VALUE_MAX + 1];

	while (next_line(&rest, &line)) {
		struct span key = word_before(line, '=');
		struct span text = span_from(line, key.size + 1);

		if (key.size == line.size || !word_ok(key) ||
		    (text.size > 0 && !word_ok(text)))
			return call_fail(c, EX_ProtocolError,
			                 "lines of NAME=VALUE, of letters, "
			                 "digits and + - . _");
		if (!feature_ok(key))
			continue;
		copy(name, sizeof(name), key);
		copy(value, sizeof(value), text);
		put(c, q, name, value);
	}
	return 0;
}

int on_report_features(struct call *c)
{
	struct qube source;
	int err = call_source(c, &source);

	if (err < 0)
		return err;
	/* What an app qube is made of, its template says. */
	return is_updateable(&source) ? note_features(c, &source) : 0;
}

int on_report_tools(struct call *c)
{
	struct qube source;
	int err = call_source(c, &source);

	if (err < 0 || !is_updateable(&source))
		return err;
	put(c, &source, "qrexec", "1");
	put(c, &source, "vmexec", "1");
	return note_features(c, &source);
}

int on_report_menus(struct call *c)
{
	struct span rest = c->request.payload, line, last = {NULL, 0};
	autobuffer struct buffer menu = {0};
	struct qube source;
	int err = call_source(c, &source);

	if (err < 0 || !is_updateable(&source))
		return err;
	/* FILE.desktop:KEY=VALUE: of each file the name is kept. */
	while (next_line(&rest, &line)) {
		struct span name = word_before(line, ':');

		if (name.size == line.size || !word_ok(name))
			return call_fail(c, EX_ProtocolError,
			                 "lines of FILE:KEY=VALUE");
		if (span_eq(name, last))
			continue;
		last = name;
		buffer_put(&menu, " ", menu.size > 0);
		buffer_put(&menu, name.at, name.size);
	}
	if (menu.size > MENU_MAX)
		return call_fail(c, EX_QubesValueError,
		                 "that is too long a menu");
	buffer_put(&menu, "", 1);
	if (menu.bad)
		return call_fail(c, EX_QubesMemoryError, "out of memory");
	put(c, &source, "menu-available", (const char *)menu.at);
	return 0;
}
