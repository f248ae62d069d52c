/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.vm.volume.*: what a qube keeps.  root and private are folders below
 * volumes/UUID where the qube's class has them; what it has not itself, and
 * volatile, is shown as Qubes shows a snapshot that is discarded.
 *
 * A volume's settings are records volume/NAME/SETTING of its qube.
 */
#include "manager/disk.h"
#include "manager/domain.h"
#include "manager/handlers.h"
#include "manager/property.h"
#include "manager/property_compute.h"

#include <stdio.h>

static const char *const names[] = {"root", "private", "volatile"};

/* The volume of the argument: 0, or what to return. */
static int wanted(struct call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(c->argument, names[i]) == 0)
			return 0;
	return call_fail(c, EX_QubesVolumeNotFoundError,
	                 "%s has no volume '%.100s': there are root, private "
	                 "and volatile",
	                 c->target.name, c->argument);
}

/* Does the qube keep it, as a folder of its own? */
static bool is_kept(const struct call *c)
{
	return disk_volumes(c->target.class) & disk_volume_bit(c->argument);
}

static int wanted_kept(struct call *c)
{
	int err = wanted(c);

	if (err < 0)
		return err;
	if (!is_kept(c))
		return call_fail(c, EX_StoragePoolException,
		                 "%s of %s is discarded when it ends",
		                 c->argument, c->target.name);
	return 0;
}

static int wanted_halted(struct call *c)
{
	int err = wanted_kept(c);

	if (err < 0)
		return err;
	if (domain_state(c->m, c->target.id) != DOMAIN_HALTED)
		return call_fail(c, EX_QubesVMNotHaltedError,
		                 "%s must be halted for that: shut it down "
		                 "first",
		                 c->target.name);
	return 0;
}

static void setting_key(const struct call *c, const char *setting,
                        char key[LEDGER_KEY_MAX])
{
	char what[64];

	(void)snprintf(what, sizeof(what), "volume/%.31s/", c->argument);
	qube_key(key, &c->target, what, setting);
}

/* A setting of the volume, else of the pool, else what is given. */
static void setting(const struct call *c, const char *name,
                    const char *otherwise, char out[64])
{
	char key[LEDGER_KEY_MAX], pool[64];
	size_t len = strlen(name);

	setting_key(c, name, key);
	if (ledger_text(c->m->ledger, key, out, 64))
		return;
	if (ledger_text(c->m->ledger, "pool/file", pool, sizeof(pool)) &&
	    strncmp(pool, name, len) == 0 && pool[len] == '=')
		(void)snprintf(out, 64, "%s", pool + len + 1);
	else
		(void)snprintf(out, 64, "%s", otherwise);
}

int on_volume_list(struct call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		buffer_printf(&c->answer, "%s\n", names[i]);
	return 0;
}

int on_volume_info(struct call *c)
{
	char size[64], keep[64], rw[64];
	bool kept = is_kept(c);
	int err = wanted(c);

	if (err < 0)
		return err;
	setting(c, "size", disk_default_size(c->argument), size);
	setting(c, "revisions_to_keep", "1", keep);
	setting(c, "rw", "True", rw);
	buffer_printf(&c->answer, "pool=file\nvid=%s/%s\nsize=%s\n",
	              c->target.uuid, c->argument, size);
	buffer_printf(&c->answer,
	              "rw=%s\nsource=\nsave_on_stop=%s\nsnap_on_start=%s\n"
	              "revisions_to_keep=%s\nis_outdated=False\n"
	              "ephemeral=False\n",
	              rw, kept ? "True" : "False",
	              !kept && strcmp(c->argument, "root") == 0 ? "True"
	                                                        : "False",
	              kept ? keep : "0");
	return 0;
}

/* Keeps a setting. */
static int put_setting(struct call *c, const char *name, const char *value)
{
	char key[LEDGER_KEY_MAX];

	setting_key(c, name, key);
	ledger_put_text(c->m->ledger, key, value);
	return 0;
}

int on_volume_keep(struct call *c)
{
	char text[32];
	uint64_t n;
	int err = wanted_kept(c);

	if (err == 0)
		err = call_text(c, text, sizeof(text), false);
	if (err < 0)
		return err;
	if (!property_compute_number(text, &n) || n > 1000)
		return call_fail(c, EX_QubesValueError,
		                 "revisions_to_keep is from 0 to 1000");
	return put_setting(c, "revisions_to_keep", text);
}

int on_volume_rw(struct call *c)
{
	char text[32];
	int err = wanted_halted(c);

	if (err == 0)
		err = call_text(c, text, sizeof(text), false);
	if (err < 0)
		return err;
	if (strcmp(text, "True") != 0 && strcmp(text, "False") != 0)
		return call_fail(c, EX_QubesValueError, "rw is True or False");
	return put_setting(c, "rw", text);
}

int on_volume_ephemeral(struct call *c)
{
	int err = wanted(c);

	if (err < 0)
		return err;
	if (!span_is(c->request.payload, "False"))
		return call_fail(
			c, EX_QubesNotImplementedError,
			"volatile volumes are gone at the end, and not "
			"encrypted");
	return 0;
}

static int not_yet(struct call *c, int err)
{
	if (err < 0)
		return err;
	return call_fail(c, EX_QubesNotImplementedError, "%s is not there yet",
	                 c->name);
}

int on_volume_snapshots(struct call *c)
{
	return not_yet(c, wanted_kept(c));
}

int on_volume_revert(struct call *c)
{
	return not_yet(c, wanted_halted(c));
}

int on_volume_resize(struct call *c)
{
	return not_yet(c, wanted_kept(c));
}

int on_volume_clear(struct call *c)
{
	return not_yet(c, wanted_halted(c));
}

int on_volume_clone_from(struct call *c)
{
	return not_yet(c, wanted_kept(c));
}

int on_volume_clone_to(struct call *c)
{
	return not_yet(c, wanted_halted(c));
}

int on_volume_import(struct call *c)
{
	return not_yet(c, wanted_halted(c));
}

int on_volume_export(struct call *c)
{
	return not_yet(c, wanted_halted(c));
}

int on_volume_check(struct call *c)
{
	return not_yet(c, wanted_halted(c));
}

int on_volume_snapshot(struct call *c)
{
	return not_yet(c, wanted_halted(c));
}
