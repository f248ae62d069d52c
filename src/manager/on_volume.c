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
#include "manager/keyring.h"
#include "manager/property.h"
#include "manager/property_compute.h"
#include "manager/worker.h"
#include "volume/revision.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#define VOLUME_LEAST (1u << 20) /* bytes */

static const char *const names[] = {"root", "private", "volatile"};

/* The volume of the argument: 0, or what to return. */
static int wanted(struct call *c)
{
	if (c->target.class == QUBE_RemoteVM)
		return call_fail(c, EX_QubesVolumeNotFoundError,
		                 "%s is a qube of another machine",
		                 c->target.name);
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

int on_volume_kept_one(struct call *c)
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

int on_volume_halted(struct call *c)
{
	int err = on_volume_kept_one(c);

	if (err < 0)
		return err;
	if (domain_state(c->m, c->target.id) != DOMAIN_HALTED)
		return call_fail(c, EX_QubesVMNotHaltedError,
		                 "%s must be halted for that: shut it down "
		                 "first",
		                 c->target.name);
	return 0;
}

int on_volume_key(struct call *c, struct keyring_key *out)
{
	autoclose int home = -1;
	struct fault f;
	int err;

	home = disk_open(c->m, c->target.uuid, c->argument, &f);
	err = home < 0 ? home : keyring_find(c->m->keys, home, out, &f);
	if (err == -EKEYREJECTED)
		return call_fail(c, EX_VolumeLockedError, "%s:%s %s",
		                 c->target.name, c->argument, f.text);
	return err < 0 ? call_fault(c, err, &f) : 0;
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
		if (c->target.class != QUBE_RemoteVM)
			buffer_printf(&c->answer, "%s\n", names[i]);
	return 0;
}

/* What its folder says of a volume that stays. */
struct facts {
	struct volume_usage usage;
	const char *encryption;
	bool locked;
};

static int look_at(const struct manager *m, const char *uuid, const char *name,
                   struct facts *out)
{
	static const char *const words[] = {
		[HEADER_OPEN] = "none",
		[HEADER_PASSPHRASE] = "passphrase",
		[HEADER_KEYFILE] = "keyfile",
	};
	char path[QUBE_UUID_SIZE + 32];
	autoclose int live = -1;
	struct fault ignored;
	struct header h;
	int err;

	(void)snprintf(path, sizeof(path), "%s/%s/live", uuid, name);
	live = openat(m->volumes, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (live < 0)
		return -errno;
	err = header_load(live, &h, &ignored);
	if (err < 0)
		return err;
	out->encryption = words[h.lock];
	out->locked = h.lock != HEADER_OPEN && !keyring_has(m->keys, h.uuid);
	if (volume_usage(live, &out->usage) < 0)
		out->usage = (struct volume_usage){
			0, strtoull(disk_default_size(name), NULL, 10)};
	return 0;
}

int on_volume_info(struct call *c)
{
	char keep[64], rw[64];
	bool kept = is_kept(c);
	struct facts facts = {.encryption = NULL};
	int err = wanted(c);

	if (err < 0)
		return err;
	facts.usage.max_bytes = strtoull(disk_default_size(c->argument), NULL,
	                                 10);
	if (kept && look_at(c->m, c->target.uuid, c->argument, &facts) < 0)
		facts.encryption = NULL;
	setting(c, "revisions_to_keep", "1", keep);
	setting(c, "rw", "True", rw);
	buffer_printf(&c->answer,
	              "pool=file\nvid=%s/%s\nsize=%llu\nusage=%llu\n",
	              c->target.uuid, c->argument,
	              (unsigned long long)facts.usage.max_bytes,
	              (unsigned long long)facts.usage.bytes);
	buffer_printf(&c->answer,
	              "rw=%s\nsource=\nsave_on_stop=%s\nsnap_on_start=%s\n"
	              "revisions_to_keep=%s\nis_outdated=False\n"
	              "ephemeral=False\n",
	              rw, kept ? "True" : "False",
	              !kept && strcmp(c->argument, "root") == 0 ? "True"
	                                                        : "False",
	              kept ? keep : "0");
	if (facts.encryption)
		buffer_printf(&c->answer, "encryption=%s\nlocked=%s\n",
		              facts.encryption,
		              facts.locked ? "True" : "False");
	return 0;
}

/* All at once: to ask for each by itself takes longer than to look. */
int on_volume_all(struct call *c)
{
	static const char *const kept[] = {"root", "private"};
	struct ledger_walk w;
	struct qube q;

	qube_walk_begin(&w, c->m->ledger);
	while (qube_walk_next(&w, &q)) {
		buffer_printf(&c->answer, "%s ", q.name);
		for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
			struct facts facts;

			if (!(disk_volumes(q.class) &
			      disk_volume_bit(kept[i])) ||
			    look_at(c->m, q.uuid, kept[i], &facts) < 0)
				continue;
			buffer_printf(
				&c->answer,
				"%s-usage=%llu %s-size=%llu %s-encryption=%s ",
				kept[i], (unsigned long long)facts.usage.bytes,
				kept[i],
				(unsigned long long)facts.usage.max_bytes,
				kept[i], facts.encryption);
		}
		buffer_text(&c->answer, "\n");
	}
	qube_walk_end(&w);
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
	int err = on_volume_kept_one(c);

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
	int err = on_volume_halted(c);

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

int on_volume_snapshots(struct call *c)
{
	autofree uint64_t *ids = NULL;
	autoclose int home = -1;
	struct fault f;
	int count, err = on_volume_kept_one(c);

	if (err < 0)
		return err;
	home = disk_open(c->m, c->target.uuid, c->argument, &f);
	count = home < 0 ? home : revision_list(home, &ids, &f);
	if (count < 0)
		return call_fault(c, count, &f);
	for (int i = 0; i < count; i++)
		buffer_printf(&c->answer, "%llu\n", (unsigned long long)ids[i]);
	return 0;
}

/* What a worker does for a call. */
struct task_of_volume {
	struct call *call;
	char volume[CHORE_VOLUME_SIZE];
};

/* What the fault says after success is the answer. */
static void task_done(struct manager *m, void *what, int err,
                      const struct fault *f)
{
	const struct task_of_volume *t = what;
	struct call *c = t->call;

	(void)m;
	if (err == 0)
		buffer_text(&c->answer, f->text);
	call_finish(c, err == -EBUSY ? call_fail(c, EX_StoragePoolException,
	                                         "%s of %s is in use",
	                                         t->volume, c->target.name)
	               : err < 0     ? call_fault(c, err, f)
	                             : 0);
}

static int start_task(struct call *c, const struct chore *like)
{
	struct task_of_volume *t = malloc(sizeof(*t));
	struct chore w = *like;
	struct fault f;
	int err;

	if (!t)
		return call_fail(c, EX_QubesMemoryError, "out of memory");
	memcpy(w.uuid, c->target.uuid, sizeof(w.uuid));
	(void)snprintf(w.volume, sizeof(w.volume), "%.15s", c->argument);
	t->call = c;
	memcpy(t->volume, w.volume, sizeof(t->volume));
	err = worker_start(c->m, &w, task_done, t, &f);
	explicit_bzero(&w.key, sizeof(w.key));
	if (err < 0) {
		free(t);
		return call_fault(c, err, &f);
	}
	return CALL_LATER;
}

/* The payload as a number; nothing is 0 if that may be. */
static int number_of(struct call *c, bool may_be_empty, uint64_t *out)
{
	char text[32];
	int err = call_text(c, text, sizeof(text), false);

	if (err < 0)
		return err;
	*out = 0;
	if (may_be_empty && !*text)
		return 0;
	if (!property_compute_number(text, out))
		return call_fail(c, EX_QubesValueError, "'%s' is not a number",
		                 text);
	return 0;
}

int on_volume_revert(struct call *c)
{
	struct chore w = {.kind = CHORE_revert};
	int err = on_volume_halted(c);

	if (err == 0)
		err = number_of(c, true, &w.number);
	return err < 0 ? err : start_task(c, &w);
}

int on_volume_resize(struct call *c)
{
	struct chore w = {.kind = CHORE_resize};
	int err = on_volume_halted(c);

	if (err == 0)
		err = number_of(c, false, &w.number);
	if (err < 0)
		return err;
	if (w.number < VOLUME_LEAST || w.number > VOLUME_BYTES_MAX)
		return call_fail(c, EX_QubesValueError,
		                 "a volume has 1 MiB at least");
	err = on_volume_key(c, &w.key);
	return err < 0 ? err : start_task(c, &w);
}

int on_volume_clear(struct call *c)
{
	struct chore w = {.kind = CHORE_clear};
	int err = on_volume_halted(c);

	if (err == 0)
		err = on_volume_key(c, &w.key);
	return err < 0 ? err : start_task(c, &w);
}

uint32_t on_volume_kept(const struct call *c)
{
	char keep[64];

	setting(c, "revisions_to_keep", "1", keep);
	return (uint32_t)strtoul(keep, NULL, 10);
}

int on_volume_snapshot(struct call *c)
{
	struct chore w = {.kind = CHORE_snapshot};
	int err = on_volume_halted(c);

	if (err < 0)
		return err;
	w.number = on_volume_kept(c);
	if (w.number == 0)
		return call_fail(c, EX_StoragePoolException,
		                 "%s of %s keeps no revisions: set "
		                 "revisions_to_keep first",
		                 c->argument, c->target.name);
	return start_task(c, &w);
}

int on_volume_check(struct call *c)
{
	struct chore w = {.kind = CHORE_check};
	int err = on_volume_halted(c);

	if (err == 0)
		err = on_volume_key(c, &w.key);
	return err < 0 ? err : start_task(c, &w);
}

/* The token names the volume: whoever may ask us may read it anyway. */
int on_volume_clone_from(struct call *c)
{
	int err = on_volume_kept_one(c);

	if (err < 0)
		return err;
	buffer_printf(&c->answer, "%s/%s", c->target.uuid, c->argument);
	return 0;
}

int on_volume_clone_to(struct call *c)
{
	struct chore w = {.kind = CHORE_replace};
	char token[64], by_uuid[64];
	struct qube from;
	char *slash;
	int err = on_volume_halted(c);

	if (err == 0)
		err = call_text(c, token, sizeof(token), false);
	if (err < 0)
		return err;
	slash = strchr(token, '/');
	if (!slash || strcmp(slash + 1, c->argument) != 0)
		return call_fail(c, EX_PermissionDenied,
		                 "that is no token of a volume %s",
		                 c->argument);
	*slash = '\0';
	(void)snprintf(by_uuid, sizeof(by_uuid), "uuid:%.36s", token);
	if (qube_find(c->m->ledger, by_uuid, &from) < 0 ||
	    !(disk_volumes(from.class) & disk_volume_bit(c->argument)))
		return call_fail(c, EX_PermissionDenied,
		                 "the volume of that token has gone");
	if (from.id == c->target.id)
		return 0;
	memcpy(w.from, from.uuid, sizeof(w.from));
	return start_task(c, &w);
}

int on_volume_progress(struct call *c)
{
	uint64_t done, all;

	if (worker_progress(c->m, c->target.uuid, &done, &all))
		buffer_printf(&c->answer, "%" PRIu64 " %" PRIu64, done, all);
	return 0;
}
