/* SPDX-License-Identifier: Apache-2.0 */
/* admin.label.*: a record is "INDEX 0xRRGGBB". */
#include "manager/handlers.h"
#include "manager/manager.h"
#include "manager/property.h"

#include <stdio.h>

#define OWN_FIRST 9u /* number of the first that is made by hand */
#define RECORD    64u

static void key_of(const struct call *c, char key[LEDGER_KEY_MAX])
{
	(void)snprintf(key, LEDGER_KEY_MAX, "label/%.255s", c->argument);
}

static int load(struct call *c, char record[RECORD])
{
	char key[LEDGER_KEY_MAX];

	key_of(c, key);
	if (!ledger_text(c->m->ledger, key, record, RECORD))
		return call_fail(c, EX_QubesLabelNotFoundError,
		                 "no label '%.200s'", c->argument);
	return 0;
}

int on_label_list(struct call *c)
{
	struct ledger_walk w;

	ledger_walk_begin(&w, c->m->ledger, "label/");
	while (ledger_walk_next(&w))
		buffer_printf(&c->answer, "%s\n", w.rest);
	ledger_walk_end(&w);
	return 0;
}

int on_label_get(struct call *c)
{
	char record[RECORD];
	const char *colour;
	int err = load(c, record);

	if (err < 0)
		return err;
	colour = strchr(record, ' ');
	buffer_text(&c->answer, colour ? colour + 1 : "");
	return 0;
}

int on_label_index(struct call *c)
{
	char record[RECORD];
	int err = load(c, record);

	if (err < 0)
		return err;
	record[strcspn(record, " ")] = '\0';
	buffer_text(&c->answer, record);
	return 0;
}

static bool name_ok(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
	                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return len > 0 && len <= 31 && name[len] == '\0' && name[0] != '-' &&
	       name[0] != '.';
}

static bool colour_ok(const char *colour)
{
	return strncmp(colour, "0x", 2) == 0 && strlen(colour) == 8 &&
	       strspn(colour + 2, "0123456789abcdefABCDEF") == 6;
}

static unsigned next_index(const struct call *c)
{
	unsigned next = OWN_FIRST;
	struct ledger_walk w;

	ledger_walk_begin(&w, c->m->ledger, "label/");
	while (ledger_walk_next(&w)) {
		char number[RECORD] = "";

		memcpy(number, w.value.at,
		       MIN(w.value.size, sizeof(number) - 1));
		next = MAX(next, (unsigned)strtoul(number, NULL, 10) + 1);
	}
	ledger_walk_end(&w);
	return next;
}

int on_label_create(struct call *c)
{
	char key[LEDGER_KEY_MAX], colour[16], record[RECORD];
	int err;

	if (!name_ok(c->argument))
		return call_fail(c, EX_QubesValueError,
		                 "a label's name has 1 to 31 letters, digits, "
		                 "'-', '_' and '.'");
	key_of(c, key);
	if (ledger_has(c->m->ledger, key))
		return call_fail(c, EX_QubesValueError, "there is a label '%s'",
		                 c->argument);
	err = call_text(c, colour, sizeof(colour), false);
	if (err < 0)
		return err;
	if (!colour_ok(colour))
		return call_fail(c, EX_QubesValueError,
		                 "a colour is written 0xRRGGBB");
	(void)snprintf(record, sizeof(record), "%u %s", next_index(c), colour);
	ledger_put_text(c->m->ledger, key, record);
	return 0;
}

/* A qube that has the label; false if none has. */
static bool find_user(const struct call *c, struct qube *out)
{
	char label[PROPERTY_VALUE_MAX];
	struct ledger_walk w;
	bool found = false;

	qube_walk_begin(&w, c->m->ledger);
	while (!found && qube_walk_next(&w, out)) {
		property_text(c->m->ledger, out, "label", label);
		found = strcmp(label, c->argument) == 0;
	}
	qube_walk_end(&w);
	return found;
}

int on_label_remove(struct call *c)
{
	char key[LEDGER_KEY_MAX], record[RECORD];
	struct qube user;
	int err = load(c, record);

	if (err < 0)
		return err;
	if (strtoul(record, NULL, 10) < OWN_FIRST)
		return call_fail(c, EX_QubesException,
		                 "label '%s' is one of those that always are",
		                 c->argument);
	if (find_user(c, &user))
		return call_fail(c, EX_QubesLabelInUseError,
		                 "label '%s' is in use: %s has it", c->argument,
		                 user.name);
	key_of(c, key);
	ledger_delete(c->m->ledger, key);
	return 0;
}
