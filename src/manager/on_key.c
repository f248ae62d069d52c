/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bento.volume.*: encrypted volumes are made, unlocked and locked.  Passphrases
 * and key files come as payloads; they are tried by a worker, since to try a
 * passphrase takes long on purpose, and stay nowhere.
 */
#include "manager/disk.h"
#include "manager/domain.h"
#include "manager/handlers.h"
#include "manager/keyring.h"
#include "manager/worker.h"
#include "volume/revision.h"

#include <stdio.h>

struct unlocking {
	struct call *call;
	struct keyring_box *box; /* the worker's and ours */
	enum header_lock how;
	uint8_t id[16]; /* of the volume */
};

static void let_go(struct unlocking *u)
{
	/* The request has it, too. */
	explicit_bzero(u->call->wire.at, u->call->wire.size);
	keyring_unbox(u->box);
	u->box = NULL;
}

/* A passphrase or a key file: what is left of the payload behind `skip`. */
static int begin(struct call *c, size_t skip, enum chore_kind kind,
                 worker_done *done, const struct unlocking *like)
{
	struct chore w = {.kind = kind, .number = like->how};
	autoclose int fd = -1;
	struct unlocking *u = malloc(sizeof(*u));
	struct span secret = span_from(c->request.payload, skip);
	struct fault f;
	int err = 0;

	if (!u)
		return call_fail(c, EX_QubesMemoryError, "out of memory");
	*u = *like;
	u->call = c;
	u->box = keyring_box(&fd);
	w.fd = fd;
	memcpy(w.uuid, c->target.uuid, sizeof(w.uuid));
	(void)snprintf(w.volume, sizeof(w.volume), "%.15s", c->argument);
	if (!u->box)
		err = call_fail(c, EX_QubesMemoryError, "out of memory");
	else if (secret.size > KEYRING_SECRET_MAX)
		err = call_fail(c, EX_QubesValueError,
		                "a passphrase or key file has at most %u bytes",
		                KEYRING_SECRET_MAX);
	if (err == 0) {
		u->box->key = like->box->key;
		u->box->size = secret.size;
		if (secret.size)
			memcpy(u->box->secret, secret.at, secret.size);
		if (worker_start(c->m, &w, done, u, &f) < 0)
			err = call_fault(c, -EIO, &f);
	}
	if (err < 0) {
		let_go(u);
		free(u);
		return err;
	}
	return CALL_LATER;
}

/* ---- unlock, lock ---- */

static void unlock_done(struct manager *m, void *what, int err,
                        const struct fault *why)
{
	struct unlocking *u = what;
	struct call *c = u->call;

	if (err == 0 && keyring_put(m->keys, u->id, u->box->key.at) < 0)
		err = call_fail(c, EX_QubesException,
		                "too many volumes are unlocked");
	else if (err == -EKEYREJECTED)
		err = call_fail(c, EX_VolumeKeyError, "%s", why->text);
	else if (err < 0)
		err = call_fault(c, err, why);
	let_go(u);
	call_finish(c, err);
	if (err == 0)
		domain_unlock_keys(m);
}

/* The header of the volume of the argument. */
static int header_of(struct call *c, struct header *h)
{
	autoclose int home = -1, live = -1;
	struct fault f;
	int err;

	home = disk_open(c->m, c->target.uuid, c->argument, &f);
	live = home < 0 ? home : revision_live(home, &f);
	err = live < 0 ? live : header_load(live, h, &f);
	return err < 0 ? call_fault(c, err, &f) : 0;
}

static int encrypted_header_of(struct call *c, struct header *h)
{
	int err = on_volume_kept_one(c);

	if (err == 0)
		err = header_of(c, h);
	if (err == 0 && h->lock == HEADER_OPEN)
		err = call_fail(c, EX_StoragePoolException,
		                "%s of %s is not encrypted", c->argument,
		                c->target.name);
	return err;
}

int on_key_unlock(struct call *c)
{
	struct keyring_box none = {0};
	struct unlocking u = {.box = &none};
	struct header h;
	int err = encrypted_header_of(c, &h);

	if (err < 0)
		return err;
	memcpy(u.id, h.uuid, sizeof(u.id));
	return begin(c, 0, CHORE_unlock, unlock_done, &u);
}

int on_key_lock(struct call *c)
{
	struct header h;
	int err = encrypted_header_of(c, &h);

	if (err == 0)
		keyring_drop(c->m->keys, h.uuid);
	return err;
}

/* ---- other locks ---- */

/* "passphrase\n", "keyfile\n" or "none\n" in front of the secret. */
static int read_how(struct call *c, enum header_lock *how, size_t *skip)
{
	static const char *const words[] = {
		[HEADER_OPEN] = "none\n",
		[HEADER_PASSPHRASE] = "passphrase\n",
		[HEADER_KEYFILE] = "keyfile\n",
	};
	struct span p = c->request.payload;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i]);

		if (p.size < len || memcmp(p.at, words[i], len) != 0)
			continue;
		*how = (enum header_lock)i;
		*skip = len;
		return 0;
	}
	return call_fail(c, EX_QubesValueError,
	                 "the payload is passphrase, keyfile or none, a line's "
	                 "end, and the secret");
}

static void recrypt_done(struct manager *m, void *what, int err,
                         const struct fault *why)
{
	struct unlocking *u = what;
	struct call *c = u->call;

	(void)m;
	let_go(u);
	call_finish(c, err < 0 ? call_fault(c, err, why) : 0);
}

int on_key_encrypt(struct call *c)
{
	struct keyring_box box = {0};
	struct unlocking u = {.box = &box};
	size_t skip = 0;
	int err = on_volume_halted(c);

	if (err == 0)
		err = read_how(c, &u.how, &skip);
	if (err == 0)
		err = on_volume_key(c, &box.key);
	if (err == 0)
		err = begin(c, skip, CHORE_recrypt, recrypt_done, &u);
	explicit_bzero(&box, sizeof(box));
	return err;
}

int on_key_change(struct call *c)
{
	struct keyring_box box = {0};
	struct unlocking u = {.box = &box};
	struct header h;
	size_t skip = 0;
	int err = on_volume_halted(c);

	if (err == 0)
		err = encrypted_header_of(c, &h);
	if (err == 0)
		err = read_how(c, &u.how, &skip);
	if (err == 0 && u.how == HEADER_OPEN)
		err = call_fail(c, EX_QubesValueError,
		                "to take the encryption away, decrypt it");
	if (err == 0)
		err = on_volume_key(c, &box.key);
	if (err == 0)
		err = begin(c, skip, CHORE_relock, recrypt_done, &u);
	explicit_bzero(&box, sizeof(box));
	return err;
}
