/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/chore.h"

#include <stdio.h>
#include <sys/mman.h>

#include "channel/launch.h"
#include "manager/chore_tar.h"
#include "manager/disk.h"
#include "manager/recrypt.h"
#include "volume/revision.h"
#include "volume/volume_check.h"

size_t chore_format(const struct chore *w, uint8_t wire[static CHORE_SIZE_MAX])
{
	autobuffer struct buffer b = {0};

	wire_put_le(&b, w->kind, 4);
	wire_put_str(&b, span_str(w->uuid));
	wire_put_str(&b, span_str(w->from));
	wire_put_str(&b, span_str(w->also_from));
	wire_put_str(&b, span_str(w->volume));
	wire_put_str(&b, span_str(w->image));
	wire_put_le(&b, w->volumes, 4);
	wire_put_le(&b, w->number, 8);
	wire_put_le(&b, w->keep[0], 4);
	wire_put_le(&b, w->keep[1], 4);
	wire_put_le(&b, w->key.has, 1);
	buffer_put(&b, w->key.at, sizeof(w->key.at));
	assert(b.size <= CHORE_SIZE_MAX);
	if (b.bad)
		return 0;
	memcpy(wire, b.at, b.size);
	explicit_bzero(b.at, b.size);
	return b.size;
}

/* As qube_make_uuid() makes them. */
static bool uuid_ok(struct span s)
{
	for (size_t i = 0; i < s.size; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		char c = (char)s.at[i];

		if (dash ? c != '-'
		         : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return s.size == QUBE_UUID_SIZE - 1;
}

static bool take_uuid(struct span s, bool may_be_empty,
                      char out[static QUBE_UUID_SIZE])
{
	if (s.size == 0)
		return may_be_empty;
	if (!uuid_ok(s))
		return false;
	memcpy(out, s.at, s.size);
	return true;
}

static bool take_volume(struct span s, char out[static CHORE_VOLUME_SIZE])
{
	if (s.size >= CHORE_VOLUME_SIZE || !wire_text_ok(s, CHORE_VOLUME_SIZE))
		return false;
	if (s.size > 0)
		memcpy(out, s.at, s.size);
	return s.size == 0 || disk_volume_bit(out) != 0;
}

static bool take_name(struct span s, char out[static QUBE_NAME_MAX + 1])
{
	if (s.size > 0 && (s.size > QUBE_NAME_MAX || !launch_name_ok(s)))
		return false;
	if (s.size > 0)
		memcpy(out, s.at, s.size);
	return true;
}

/* Is there such work? */
static bool kind_ok(uint32_t kind)
{
	switch (kind) {
#define CHORE(number, name, what) case number:
#include "manager/chore.def"
		return true;
	default:
		return false;
	}
}

int chore_parse(struct span wire, struct chore *out)
{
	struct reader r = {.rest = wire};
	struct chore w = {.fd = -1};
	struct span key;
	uint32_t kind = rd_le32(&r);
	struct span uuid = rd_str32(&r);
	struct span from = rd_str32(&r);
	struct span also_from = rd_str32(&r);
	struct span volume = rd_str32(&r);
	struct span image = rd_str32(&r);

	w.volumes = rd_le32(&r);
	w.number = rd_le64(&r);
	w.keep[0] = rd_le32(&r);
	w.keep[1] = rd_le32(&r);
	w.key.has = rd_u8(&r) != 0;
	key = rd_take(&r, sizeof(w.key.at));
	if (!rd_end(&r) || !kind_ok(kind) || !take_uuid(uuid, false, w.uuid) ||
	    !take_uuid(from, true, w.from) ||
	    !take_uuid(also_from, true, w.also_from) ||
	    !take_volume(volume, w.volume) || !take_name(image, w.image))
		return -EPROTO;
	memcpy(w.key.at, key.at, sizeof(w.key.at));
	w.kind = (enum chore_kind)kind;
	*out = w;
	return 0;
}

static int chore_make(const struct manager *m, const struct chore *w,
                      struct fault *f)
{
	const struct disk_wish wish = {w->volumes, w->image, NULL};

	return disk_make(m, w->uuid, &wish, f);
}

static int chore_copy(const struct manager *m, const struct chore *w,
                      struct fault *f)
{
	const struct disk_wish wish = {w->volumes, w->image, w->watch};

	return disk_copy(m, w->from, w->uuid, &wish, f);
}

static int chore_drop(const struct manager *m, const struct chore *w,
                      struct fault *f)
{
	return disk_drop(m, w->uuid, f);
}

/* What it was before this start; that it cannot be kept is said, and no more. */
static void keep_before(const struct manager *m, const struct chore *w,
                        const char *volume, uint32_t keep)
{
	struct fault why;
	autoclose int home = keep ? disk_open(m, w->uuid, volume, &why) : -1;

	if (keep > 0 && (home < 0 || revision_take(home, keep, NULL, &why) < 0))
		(void)fprintf(stderr, "keep a revision of %s of %s: %s\n",
		              volume, w->uuid, why.text);
}

static int chore_begin(const struct manager *m, const struct chore *w,
                       struct fault *f)
{
	int err;

	keep_before(m, w, "root", w->keep[0]);
	keep_before(m, w, "private", w->keep[1]);
	err = *w->volume ? disk_commit(m, w->uuid, w->volume, f) : 0;

	if (err == 0 && *w->from)
		err = disk_snapshot(m, w->from, w->uuid, "root", f);
	if (err == 0 && *w->also_from)
		err = disk_snapshot(m, w->also_from, w->uuid, "private", f);
	return err;
}

static int chore_revert(const struct manager *m, const struct chore *w,
                        struct fault *f)
{
	autoclose int home = disk_open(m, w->uuid, w->volume, f);

	return home < 0 ? home : revision_revert(home, w->number, f);
}

static int chore_resize(const struct manager *m, const struct chore *w,
                        struct fault *f)
{
	struct volume_limits limits = {.bytes = w->number};
	autoclose int home = disk_open(m, w->uuid, w->volume, f);

	return home < 0 ? home
	                : revision_resize(home, keyring_bytes(&w->key), &limits,
	                                  f);
}

static int chore_clear(const struct manager *m, const struct chore *w,
                       struct fault *f)
{
	autoclose int home = disk_open(m, w->uuid, w->volume, f);

	return home < 0 ? home
	                : revision_clear(home, keyring_bytes(&w->key), f);
}

static int chore_snapshot(const struct manager *m, const struct chore *w,
                          struct fault *f)
{
	autoclose int home = disk_open(m, w->uuid, w->volume, f);
	uint32_t keep = (uint32_t)MIN(w->number, (uint64_t)UINT32_MAX);
	uint64_t id = 0;
	int err = home < 0 ? home : revision_take(home, keep, &id, f);

	if (err == 0)
		(void)snprintf(f->text, sizeof(f->text), "%llu",
		               (unsigned long long)id);
	return err;
}

static void add_line(void *arg, const char *what)
{
	struct fault *f = arg;
	size_t len = strlen(f->text);

	/* The first ones that have room. */
	if (len + strlen(what) + 2 < sizeof(f->text))
		(void)snprintf(f->text + len, sizeof(f->text) - len, "%s\n",
		               what);
}

static int chore_check(const struct manager *m, const struct chore *w,
                       struct fault *f)
{
	autoclose int home = disk_open(m, w->uuid, w->volume, f);
	autoclose int live = home < 0 ? home : revision_live(home, f);
	struct volume_check_report report;
	struct volume *v;
	int err, closed;

	if (live < 0)
		return live;
	err = volume_open(live, keyring_bytes(&w->key), &v, f);
	if (err < 0)
		return err;
	f->text[0] = '\0';
	err = volume_check(v, 0, add_line, f, &report);
	closed = volume_close(v);
	if (err == 0)
		err = closed;
	return err < 0 ? fault_set(f, err, "check the volume: %s",
	                           strerror(-err))
	               : 0;
}

static int chore_replace(const struct manager *m, const struct chore *w,
                         struct fault *f)
{
	return disk_replace(m, w->from, w->uuid, w->volume, w->watch, f);
}

static int chore_reset(const struct manager *m, const struct chore *w,
                       struct fault *f)
{
	autoclose int home = disk_open(m, w->uuid, w->volume, f);
	uint32_t keep = (uint32_t)MIN(w->number, (uint64_t)UINT32_MAX);
	int err = MIN(home, 0);

	if (err == 0 && keep > 0)
		err = revision_take(home, keep, NULL, f);
	return err < 0 ? err : revision_clear(home, keyring_bytes(&w->key), f);
}

static int chore_import(const struct manager *m, const struct chore *w,
                        struct fault *f)
{
	autoclose int home = disk_open(m, w->uuid, w->volume, f);

	return home < 0 ? home : chore_tar_import(home, w, f);
}

static int chore_export(const struct manager *m, const struct chore *w,
                        struct fault *f)
{
	autoclose int home = disk_open(m, w->uuid, w->volume, f);

	return home < 0 ? home : chore_tar_export(home, w, f);
}

static int chore_unlock(const struct manager *m, const struct chore *w,
                        struct fault *f)
{
	autoclose int home = disk_open(m, w->uuid, w->volume, f);
	autoclose int live = home < 0 ? home : revision_live(home, f);
	struct keyring_box *b;
	int err;

	if (live < 0)
		return live;
	b = keyring_box_open(w->fd);
	if (!b)
		return fault_set(f, -ENOMEM, "out of memory");
	err = volume_unlock(live, keyring_secret(b), b->key.at, f);
	(void)munmap(b, sizeof(*b));
	return err;
}

/* What is done with a box that has a new secret. */
typedef int with_box(const struct manager *m, const char *uuid,
                     const char *volume, enum header_lock how,
                     const struct keyring_box *box, struct fault *f);

static int by_box(const struct manager *m, const struct chore *w,
                  with_box *what, struct fault *f)
{
	struct keyring_box *b = keyring_box_open(w->fd);
	int err;

	if (!b)
		return fault_set(f, -ENOMEM, "out of memory");
	if (w->number > HEADER_KEYFILE)
		return fault_set(f, -EPROTO, "no such lock");
	err = what(m, w->uuid, w->volume, (enum header_lock)w->number, b, f);
	(void)munmap(b, sizeof(*b));
	return err;
}

static int chore_recrypt(const struct manager *m, const struct chore *w,
                         struct fault *f)
{
	return by_box(m, w, recrypt_volume, f);
}

static int chore_relock(const struct manager *m, const struct chore *w,
                        struct fault *f)
{
	return by_box(m, w, recrypt_lock, f);
}

int chore_do(const struct manager *m, const struct chore *w, struct fault *f)
{
	switch (w->kind) {
#define CHORE(number, name, what) \
	case CHORE_##name:        \
		return chore_##name(m, w, f);
#include "manager/chore.def"
	}
	return fault_set(f, -EPROTO, "no such work");
}
