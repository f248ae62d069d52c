/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/store.h"

#include <lmdb.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#define FILE_NAME "meta.mdb"
#define MAP_SIZE  ((size_t)64 << 30) /* of addresses, not of memory */
#define SUM       8u
#define NONCE     crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG       crypto_aead_xchacha20poly1305_ietf_ABYTES
#define ROOM      (VRECORD_KEY_MAX + VRECORD_MAX + 64)

static_assert(SUM == crypto_shorthash_BYTES, "part of the format");

struct store {
	struct store_keys keys;
	MDB_env *env;
	MDB_dbi dbi;
	MDB_txn *read;
	struct pending current;
	struct pending frozen;
	uint64_t batch;
	uint64_t safe;
	bool freezing;
	uint8_t *opened; /* ROOM bytes: the value last read */
	uint8_t *sealed; /* the same for the committing thread */
};

/* What LMDB says in terms of errno. */
static int as_errno(int rc)
{
	if (rc == MDB_SUCCESS)
		return 0;
	if (rc > 0)
		return -rc;
	if (rc == MDB_NOTFOUND)
		return -ENOENT;
	if (rc == MDB_MAP_FULL)
		return -ENOSPC;
	return -EIO;
}

static int out_of_env(struct fault *f, int rc, const char *what)
{
	return fault_set(f, as_errno(rc), "%s of the volume: %s", what,
	                 mdb_strerror(rc));
}

/* ---- seals ---- */

static void checksum(struct span key, struct span value, uint8_t *work,
                     uint8_t sum[SUM])
{
	static const uint8_t zero[crypto_shorthash_KEYBYTES];

	memcpy(work, key.at, key.size);
	if (value.size)
		memcpy(work + key.size, value.at, value.size);
	crypto_shorthash(sum, work, key.size + value.size, zero);
}

/* The bytes as they lie on the disk, in s->sealed. */
static struct span seal(struct store *s, struct span key, struct span value)
{
	uint8_t *to = s->sealed;
	unsigned long long size;

	if (!s->keys.encrypted) {
		uint8_t sum[SUM];

		checksum(key, value, to, sum);
		memcpy(to + key.size + value.size, sum, SUM);
		return (struct span){to + key.size, value.size + SUM};
	}
	randombytes_buf(to, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(to + NONCE, &size, value.at,
	                                           value.size, key.at, key.size,
	                                           NULL, to, s->keys.records);
	return (struct span){to, NONCE + (size_t)size};
}

/* And back.  0 or -EIO. */
static int unseal(struct store *s, struct span key, struct span raw,
                  struct span *out)
{
	uint8_t *to = s->opened;
	unsigned long long size;

	if (!s->keys.encrypted) {
		struct span value = {raw.at, raw.size - SUM};
		uint8_t sum[SUM];

		if (raw.size < SUM || value.size > VRECORD_MAX)
			return -EIO;
		checksum(key, value, to, sum);
		if (sodium_memcmp(sum, raw.at + value.size, SUM) != 0)
			return -EIO;
		*out = (struct span){to + key.size, value.size};
		return 0;
	}
	if (raw.size < NONCE + TAG || raw.size > NONCE + TAG + VRECORD_MAX)
		return -EIO;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    to, &size, NULL, raw.at + NONCE, raw.size - NONCE, key.at,
		    key.size, raw.at, s->keys.records) != 0)
		return -EIO;
	*out = (struct span){to, (size_t)size};
	return 0;
}

void store_hash(const struct store *s, struct span name, uint8_t hash[16])
{
	crypto_generichash(hash, 16, name.at, name.size, s->keys.names,
	                   sizeof(s->keys.names));
}

/* ---- opening ---- */

static int open_env(struct store *s, int dir_fd, struct fault *f)
{
	char path[64];
	MDB_txn *txn;
	int rc = mdb_env_create(&s->env);

	if (rc != 0)
		return out_of_env(f, rc, "make the store");
	(void)mdb_env_set_mapsize(s->env, MAP_SIZE);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/" FILE_NAME,
	               dir_fd);
	rc = mdb_env_open(s->env, path,
	                  MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS | MDB_NORDAHEAD,
	                  0600);
	if (rc != 0)
		return out_of_env(f, rc, "open the metadata");
	rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return out_of_env(f, rc, "read the metadata");
	rc = mdb_dbi_open(txn, NULL, 0, &s->dbi);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return out_of_env(f, rc, "read the metadata");
	}
	/* The handle stays: the unnamed database is always there. */
	s->read = txn;
	return 0;
}

int store_open(int dir_fd, const struct store_keys *keys, struct store **out,
               struct fault *f)
{
	struct store *s = calloc(1, sizeof(*s));
	int err;

	if (!s || sodium_init() < 0) {
		free(s);
		return fault_set(f, -ENOMEM, "out of memory");
	}
	s->keys = *keys;
	s->batch = 2;
	s->safe = 2;
	pending_init(&s->current);
	pending_init(&s->frozen);
	s->opened = malloc(ROOM);
	s->sealed = malloc(ROOM);
	if (!s->opened || !s->sealed)
		err = fault_set(f, -ENOMEM, "out of memory");
	else
		err = open_env(s, dir_fd, f);
	if (err < 0) {
		store_close(s);
		return err;
	}
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	pending_clear(&s->current);
	pending_clear(&s->frozen);
	if (s->read)
		mdb_txn_abort(s->read);
	if (s->env)
		mdb_env_close(s->env);
	free(s->opened);
	free(s->sealed);
	sodium_memzero(s, sizeof(*s));
	free(s);
}

/* ---- changing ---- */

static int edit(struct store_edit *e, const struct vrecord_key *k,
                struct span value, bool gone)
{
	struct pending_entry *new = pending_make(vrecord_span(k), value, gone);

	if (!new)
		return -ENOMEM;
	new->link = e->first;
	e->first = new;
	return 0;
}

int store_edit_put(struct store_edit *e, const struct vrecord_key *k,
                   struct span value)
{
	assert(value.size <= VRECORD_MAX);
	return edit(e, k, value, false);
}

int store_edit_delete(struct store_edit *e, const struct vrecord_key *k)
{
	return edit(e, k, (struct span){NULL, 0}, true);
}

void store_edit_apply(struct store *s, struct store_edit *e)
{
	struct pending_entry *in_order = NULL;

	/* As they were asked for: the last word on a key counts. */
	while (e->first) {
		struct pending_entry *next = e->first->link;

		e->first->link = in_order;
		in_order = e->first;
		e->first = next;
	}
	while (in_order) {
		struct pending_entry *next = in_order->link;

		pending_enter(&s->current, in_order);
		in_order = next;
	}
}

void store_edit_drop(struct store_edit *e)
{
	while (e->first) {
		struct pending_entry *next = e->first->link;

		pending_free(e->first);
		e->first = next;
	}
}

/* ---- reading ---- */

static MDB_val as_val(struct span s)
{
	return (MDB_val){s.size, (void *)(uintptr_t)s.at};
}

static struct span as_span(MDB_val v)
{
	return (struct span){v.mv_data, v.mv_size};
}

int store_get(struct store *s, struct span key, struct span *out)
{
	struct pending_entry *e = pending_find(&s->current, key);
	MDB_val k = as_val(key);
	MDB_val v;
	int err;

	if (!e)
		e = pending_find(&s->frozen, key);
	if (e) {
		*out = e->value;
		return e->gone ? -ENOENT : 0;
	}
	err = as_errno(mdb_get(s->read, s->dbi, &k, &v));
	return err < 0 ? err : unseal(s, key, as_span(v), out);
}

void store_step(struct vrecord_key *key)
{
	assert(key->size < VRECORD_KEY_MAX);
	key->at[key->size++] = 0;
}

static bool begins(struct span key, struct span prefix)
{
	return key.size >= prefix.size &&
	       memcmp(key.at, prefix.at, prefix.size) == 0;
}

/* LMDB's first record from `key` on. */
static int next_safe(struct store *s, struct span key, struct span *found,
                     struct span *raw)
{
	MDB_cursor *c;
	MDB_val k = as_val(key);
	MDB_val v;
	int rc = mdb_cursor_open(s->read, s->dbi, &c);

	if (rc != 0)
		return as_errno(rc);
	rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
	mdb_cursor_close(c);
	if (rc != 0)
		return as_errno(rc);
	if (k.mv_size >= VRECORD_KEY_MAX)
		return -EIO;
	*found = as_span(k);
	*raw = as_span(v);
	return 0;
}

int store_next(struct store *s, struct span prefix, struct vrecord_key *key,
               struct span *out)
{
	for (;;) {
		struct span from = vrecord_span(key);
		struct pending_entry *c = pending_from(&s->current, from);
		struct pending_entry *z = pending_from(&s->frozen, from);
		struct span at = {NULL, 0};
		struct span raw;
		struct pending_entry *e = c;
		int err = next_safe(s, from, &at, &raw);

		if (err < 0 && err != -ENOENT)
			return err;
		/* The smallest key; of equal ones the newest. */
		if (z && (!e || pending_compare(z->key, e->key) < 0))
			e = z;
		if (e && (err < 0 || pending_compare(e->key, at) <= 0))
			at = e->key;
		else
			e = NULL;
		if (!at.at || !begins(at, prefix))
			return -ENOENT;
		memcpy(key->at, at.at, at.size);
		key->size = at.size;
		if (!e)
			return unseal(s, vrecord_span(key), raw, out);
		if (!e->gone) {
			*out = e->value;
			return 0;
		}
		store_step(key);
	}
}

/* ---- to the disk ---- */

size_t store_waiting(const struct store *s)
{
	return s->current.bytes;
}

bool store_freezing(const struct store *s)
{
	return s->freezing;
}

uint64_t store_batch(const struct store *s)
{
	return s->batch;
}

uint64_t store_safe(const struct store *s)
{
	return s->safe;
}

bool store_freeze(struct store *s)
{
	if (s->freezing || s->current.count == 0)
		return false;
	s->frozen = s->current;
	pending_init(&s->current);
	s->current.random = s->frozen.random;
	s->freezing = true;
	s->batch++;
	return true;
}

static int write_all(struct store *s, MDB_txn *txn)
{
	int rc = 0;

	for (struct pending_entry *e = s->frozen.oldest; e && rc == 0;
	     e = e->link) {
		MDB_val k = as_val(e->key);
		MDB_val v;

		if (e->gone) {
			rc = mdb_del(txn, s->dbi, &k, NULL);
			if (rc == MDB_NOTFOUND)
				rc = 0;
			continue;
		}
		v = as_val(seal(s, e->key, e->value));
		rc = mdb_put(txn, s->dbi, &k, &v, 0);
	}
	return rc;
}

int store_commit(struct store *s)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(s->env, NULL, 0, &txn);

	if (rc != 0)
		return as_errno(rc);
	rc = write_all(s, txn);
	if (rc != 0)
		mdb_txn_abort(txn);
	else
		rc = mdb_txn_commit(txn);
	return as_errno(rc);
}

void store_settle(struct store *s, int err)
{
	assert(s->freezing);
	s->freezing = false;
	if (err < 0) {
		pending_merge(&s->current, &s->frozen);
		return;
	}
	pending_clear(&s->frozen);
	s->safe = s->batch;
	mdb_txn_reset(s->read);
	/* Without locks a reader takes no slot: nothing can be missing. */
	err = mdb_txn_renew(s->read);
	assert(err == 0);
}

int store_flush(struct store *s)
{
	int err;

	if (!store_freeze(s))
		return 0;
	err = store_commit(s);
	store_settle(s, err);
	return err;
}

int store_copy(struct store *s, int fd)
{
	return as_errno(mdb_env_copyfd2(s->env, fd, MDB_CP_COMPACT));
}
