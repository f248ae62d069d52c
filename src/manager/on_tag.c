/* SPDX-License-Identifier: Apache-2.0 */
/* admin.vm.tag.*: a tag is there or not. */
#include "manager/handlers.h"
#include "manager/manager.h"

#include <stdio.h>

int on_tag_list(struct call *c)
{
	char prefix[LEDGER_KEY_MAX];
	struct ledger_walk w;

	qube_key(prefix, &c->target, "t/", "");
	ledger_walk_begin(&w, c->m->ledger, prefix);
	while (ledger_walk_next(&w))
		buffer_printf(&c->answer, "%s\n", w.rest);
	ledger_walk_end(&w);
	return 0;
}

int on_tag_of_all(struct call *c)
{
	struct ledger *l = c->m->ledger;
	struct ledger_walk qubes, tags;
	char prefix[LEDGER_KEY_MAX];
	struct qube q;

	qube_walk_begin(&qubes, l);
	while (qube_walk_next(&qubes, &q)) {
		const char *apart = "";

		buffer_printf(&c->answer, "%s ", q.name);
		qube_key(prefix, &q, "t/", "");
		ledger_walk_begin(&tags, l, prefix);
		while (ledger_walk_next(&tags)) {
			buffer_printf(&c->answer, "%s%s", apart, tags.rest);
			apart = ",";
		}
		ledger_walk_end(&tags);
		buffer_text(&c->answer, "\n");
	}
	qube_walk_end(&qubes);
	return 0;
}

int on_tag_get(struct call *c)
{
	char key[LEDGER_KEY_MAX];

	qube_key(key, &c->target, "t/", c->argument);
	buffer_text(&c->answer, ledger_has(c->m->ledger, key) ? "1" : "0");
	return 0;
}

static bool name_ok(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
	                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return name[len] == '\0' && name[0] != '-' &&
	       !(name[0] >= '0' && name[0] <= '9');
}

static void tell(const struct call *c, const char *what)
{
	char event[REQUEST_WORD_MAX + 32];

	(void)snprintf(event, sizeof(event), "domain-tag-%s:%s", what,
	               c->argument);
	events_queue(&c->m->events, c->target.name, event, "tag", c->argument,
	             NULL);
}

int on_tag_set(struct call *c)
{
	char key[LEDGER_KEY_MAX];

	if (!name_ok(c->argument))
		return call_fail(c, EX_QubesValueError,
		                 "a tag is of letters, digits, '-' and '_'");
	qube_key(key, &c->target, "t/", c->argument);
	if (ledger_has(c->m->ledger, key))
		return 0;
	ledger_put_text(c->m->ledger, key, "");
	tell(c, "add");
	return 0;
}

int on_tag_remove(struct call *c)
{
	char key[LEDGER_KEY_MAX];

	qube_key(key, &c->target, "t/", c->argument);
	if (!ledger_has(c->m->ledger, key))
		return call_fail(c, EX_QubesTagNotFoundError,
		                 "%s has no tag '%s'", c->target.name,
		                 c->argument);
	ledger_delete(c->m->ledger, key);
	tell(c, "delete");
	return 0;
}
