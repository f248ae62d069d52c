/* SPDX-License-Identifier: Apache-2.0 */
/* admin.vm.notes.*: whatever text its owner wants to remember. */
#include "manager/handlers.h"
#include "manager/manager.h"

int on_notes_get(struct call *c)
{
	char key[LEDGER_KEY_MAX];
	struct span value;

	qube_key(key, &c->target, "notes", "");
	if (ledger_get(c->m->ledger, key, &value) == 0)
		buffer_put(&c->answer, value.at, value.size);
	return 0;
}

int on_notes_set(struct call *c)
{
	char key[LEDGER_KEY_MAX];

	/* The text is the user's own and shown to nobody else: any bytes but
	 * NUL, which ends texts. */
	if (c->request.payload.size &&
	    memchr(c->request.payload.at, 0, c->request.payload.size))
		return call_fail(c, EX_QubesValueError,
		                 "notes have no NUL bytes");
	qube_key(key, &c->target, "notes", "");
	ledger_put(c->m->ledger, key, c->request.payload);
	return 0;
}
