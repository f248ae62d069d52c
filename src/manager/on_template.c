/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bento.template.*: what the maker of template images asks about qubes.  Images
 * themselves are made beside us (template/tplstore.h).
 */
#include "manager/disk.h"
#include "manager/handlers.h"
#include "manager/keyring.h"
#include "manager/manager.h"
#include "manager/rootbase.h"
#include "manager/worker.h"
#include "volume/revision.h"

#include <stdio.h>

/* The root volume of a halted target that has one of its own. */
static int open_root(struct call *c, int *home)
{
	struct fault f;
	int err;

	(void)snprintf(c->argument, sizeof(c->argument), "root");
	err = on_volume_halted(c);
	if (err < 0)
		return err;
	*home = disk_open(c->m, c->target.uuid, "root", &f);
	return *home < 0 ? call_fault(c, *home, &f) : 0;
}

int on_template_base(struct call *c)
{
	autoclose int home = -1, live = -1;
	const char *image = c->target.class == QUBE_TemplateVM ? c->target.name
	                                                       : "";
	struct fault f;
	int err = open_root(c, &home);

	if (err < 0)
		return err;
	live = revision_live(home, &f);
	if (live < 0)
		return call_fault(c, live, &f);
	/* Not started yet: what it would be started over. */
	err = rootbase_keep(live, image, false, &f);
	if (err < 0)
		return call_fault(c, err, &f);
	if (rootbase_is_image(live))
		buffer_printf(&c->answer, "image volumes/%s/root/live",
		              c->target.uuid);
	else
		buffer_text(&c->answer, "host");
	return 0;
}

struct reset {
	struct call *call;
};

static void reset_done(struct manager *m, void *what, int err,
                       const struct fault *f)
{
	struct call *c = ((struct reset *)what)->call;

	(void)m;
	call_finish(c, err < 0 ? call_fault(c, err, f) : 0);
}

int on_template_reset(struct call *c)
{
	struct chore w = {.kind = CHORE_reset, .volume = "root"};
	autoclose int home = -1;
	struct reset *r;
	struct fault f;
	int err = open_root(c, &home);

	if (err < 0)
		return err;
	r = calloc(1, sizeof(*r));
	if (!r)
		return call_fail(c, EX_QubesMemoryError, "out of memory");
	err = on_volume_key(c, &w.key);
	if (err < 0) {
		free(r);
		return err;
	}
	r->call = c;
	memcpy(w.uuid, c->target.uuid, sizeof(w.uuid));
	if (disk_is_used(c->m, c->target.uuid))
		w.number = on_volume_kept(c);
	err = worker_start(c->m, &w, reset_done, r, &f);
	explicit_bzero(&w.key, sizeof(w.key));
	if (err < 0) {
		free(r);
		return call_fault(c, err, &f);
	}
	return CALL_LATER;
}
