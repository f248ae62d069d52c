/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/ledger.h"

#include <lmdb.h>
#include <stdio.h>
#include <zlib.h>

#define LEDGER_SIZE ((size_t)1 << 30) /* of the mapping: no more than this */
#define CHECK_SIZE  4u

struct ledger {
	MDB_env *env;
	MDB_dbi db;
	MDB_txn *txn;
	bool writes; /* the open transaction */
	uint64_t version;
	int err; /* that sticks to the transaction; negative */
	char why[LEDGER_KEY_MAX + 64];
	struct buffer scratch;
};

/* LMDB's own errors are below -30000; the rest are errnos. */
static int plain_error(int err)
{
	switch (err) {
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		return -ENOSPC;
	case MDB_CORRUPTED:
	case MDB_INVALID:
	case MDB_PAGE_NOTFOUND:
	case MDB_VERSION_MISMATCH:
	case MDB_PANIC:
		return -EBADMSG;
	default:
		return err > 0 ? -err : -EIO;
	}
}

static void stick(struct ledger *l, int err, const char *what, const char *key)
{
	if (l->err < 0)
		return;
	l->err = err;
	(void)snprintf(l->why, sizeof(l->why), "%s %s", what, key);
}

/* Opens the one table, making it if need be. */
static int open_table(struct ledger *l)
{
	MDB_txn *txn;
	int err = mdb_txn_begin(l->env, NULL, 0, &txn);

	if (err)
		return err;
	err = mdb_dbi_open(txn, NULL, 0, &l->db);
	if (err) {
		mdb_txn_abort(txn);
		return err;
	}
	return mdb_txn_commit(txn);
}

int ledger_open(int folder, struct ledger **out, struct fault *f)
{
	struct ledger *l = calloc(1, sizeof(*l));
	char path[64];
	int err;

	if (!l)
		return fault_set(f, -ENOMEM, "out of memory");
	/* LMDB wants a path; this one goes through the held folder. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/manager.lmdb",
	               folder);
	err = mdb_env_create(&l->env);
	if (err)
		goto fail;
	err = mdb_env_set_mapsize(l->env, LEDGER_SIZE);
	if (!err)
		err = mdb_env_open(l->env, path, MDB_NOSUBDIR | MDB_NOTLS,
		                   0600);
	if (!err)
		err = open_table(l);
	if (err)
		goto fail;
	*out = l;
	return 0;

fail:
	ledger_close(l);
	return fault_set(f, plain_error(err), "open manager.lmdb: %s",
	                 mdb_strerror(err));
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	ledger_abort(l);
	if (l->env)
		mdb_env_close(l->env);
	buffer_fini(&l->scratch);
	free(l);
}

int ledger_begin(struct ledger *l, bool write, struct fault *f)
{
	int err;

	assert(!l->txn);
	l->err = 0;
	l->writes = write;
	err = mdb_txn_begin(l->env, NULL, write ? 0 : MDB_RDONLY, &l->txn);
	if (err)
		return fault_set(f, plain_error(err), "use manager.lmdb: %s",
		                 mdb_strerror(err));
	return 0;
}

void ledger_abort(struct ledger *l)
{
	if (l->txn)
		mdb_txn_abort(l->txn);
	l->txn = NULL;
}

int ledger_commit(struct ledger *l, struct fault *f)
{
	int err;

	assert(l->txn);
	if (l->err < 0) {
		ledger_abort(l);
		return fault_set(f, l->err, "manager.lmdb: %s: %s", l->why,
		                 strerror(-l->err));
	}
	err = mdb_txn_commit(l->txn);
	l->txn = NULL;
	l->version += l->writes;
	if (err)
		return fault_set(f, plain_error(err), "write manager.lmdb: %s",
		                 mdb_strerror(err));
	return 0;
}

uint64_t ledger_version(const struct ledger *l)
{
	return l->version;
}

static MDB_val key_of(const char *key)
{
	union {
		const char *in;
		void *out;
	} any = {.in = key};

	assert(strlen(key) < LEDGER_KEY_MAX);
	return (MDB_val){strlen(key), any.out};
}

static uint32_t checksum(struct span key, struct span value)
{
	uLong sum = crc32(0, Z_NULL, 0);

	sum = crc32(sum, key.at, (uInt)key.size);
	if (value.size)
		sum = crc32(sum, value.at, (uInt)value.size);
	return (uint32_t)sum;
}

/* Takes the checksum off a record; false if it does not fit. */
static bool open_record(const MDB_val *key, const MDB_val *data,
                        struct span *out)
{
	struct reader r = {.rest = {data->mv_data, data->mv_size}};
	uint32_t sum = rd_le32(&r);

	if (r.bad ||
	    sum != checksum((struct span){key->mv_data, key->mv_size}, r.rest))
		return false;
	*out = r.rest;
	return true;
}

int ledger_get(struct ledger *l, const char *key, struct span *out)
{
	MDB_val k = key_of(key), v;
	int err;

	assert(l->txn);
	err = mdb_get(l->txn, l->db, &k, &v);
	if (err == MDB_NOTFOUND)
		return -ENOENT;
	if (err) {
		stick(l, plain_error(err), "read", key);
		return -ENOENT;
	}
	if (!open_record(&k, &v, out)) {
		stick(l, -EBADMSG, "damaged record", key);
		return -ENOENT;
	}
	return 0;
}

bool ledger_text(struct ledger *l, const char *key, char *out, size_t room)
{
	struct span s;
	size_t size;

	if (ledger_get(l, key, &s) < 0)
		return false;
	size = MIN(s.size, room - 1);
	if (size)
		memcpy(out, s.at, size);
	out[size] = '\0';
	return true;
}

bool ledger_has(struct ledger *l, const char *key)
{
	struct span s;

	return ledger_get(l, key, &s) == 0;
}

void ledger_put(struct ledger *l, const char *key, struct span value)
{
	MDB_val k = key_of(key), v;
	uint32_t sum = checksum((struct span){k.mv_data, k.mv_size}, value);
	uint8_t head[CHECK_SIZE] = {(uint8_t)sum, (uint8_t)(sum >> 8),
	                            (uint8_t)(sum >> 16), (uint8_t)(sum >> 24)};
	int err;

	assert(l->txn);
	buffer_clear(&l->scratch);
	buffer_put(&l->scratch, head, sizeof(head));
	buffer_put(&l->scratch, value.at, value.size);
	if (l->scratch.bad) {
		stick(l, -ENOMEM, "write", key);
		return;
	}
	v = (MDB_val){l->scratch.size, l->scratch.at};
	err = mdb_put(l->txn, l->db, &k, &v, 0);
	if (err)
		stick(l, plain_error(err), "write", key);
}

void ledger_put_text(struct ledger *l, const char *key, const char *value)
{
	ledger_put(l, key, span_str(value));
}

void ledger_delete(struct ledger *l, const char *key)
{
	MDB_val k = key_of(key);
	int err;

	assert(l->txn);
	err = mdb_del(l->txn, l->db, &k, NULL);
	if (err && err != MDB_NOTFOUND)
		stick(l, plain_error(err), "delete", key);
}

static bool has_prefix(const MDB_val *k, const char *prefix)
{
	size_t len = strlen(prefix);

	return k->mv_size >= len && memcmp(k->mv_data, prefix, len) == 0;
}

void ledger_delete_below(struct ledger *l, const char *prefix)
{
	MDB_val k = key_of(prefix), v;
	MDB_cursor *at;
	int err;

	assert(l->txn);
	err = mdb_cursor_open(l->txn, l->db, &at);
	if (err) {
		stick(l, plain_error(err), "delete", prefix);
		return;
	}
	err = mdb_cursor_get(at, &k, &v, MDB_SET_RANGE);
	while (!err && has_prefix(&k, prefix)) {
		err = mdb_cursor_del(at, 0);
		if (!err)
			err = mdb_cursor_get(at, &k, &v, MDB_GET_CURRENT);
		/* The last of all is gone: there is no current one. */
		if (err == EINVAL)
			err = MDB_NOTFOUND;
	}
	if (err && err != MDB_NOTFOUND)
		stick(l, plain_error(err), "delete", prefix);
	mdb_cursor_close(at);
}

void ledger_walk_begin(struct ledger_walk *w, struct ledger *l,
                       const char *prefix)
{
	MDB_cursor *at = NULL;
	int err;

	assert(l->txn && strlen(prefix) < LEDGER_KEY_MAX);
	*w = (struct ledger_walk){.ledger = l};
	memcpy(w->prefix, prefix, strlen(prefix) + 1);
	err = mdb_cursor_open(l->txn, l->db, &at);
	if (err)
		stick(l, plain_error(err), "read", prefix);
	w->cursor = err ? NULL : at;
}

bool ledger_walk_next(struct ledger_walk *w)
{
	MDB_val k = key_of(w->prefix), v;
	size_t len = strlen(w->prefix);
	int err;

	if (!w->cursor)
		return false;
	err = mdb_cursor_get(w->cursor, &k, &v,
	                     w->started ? MDB_NEXT : MDB_SET_RANGE);
	w->started = true;
	if (err || !has_prefix(&k, w->prefix)) {
		if (err && err != MDB_NOTFOUND)
			stick(w->ledger, plain_error(err), "read", w->prefix);
		return false;
	}
	if (k.mv_size >= LEDGER_KEY_MAX || !open_record(&k, &v, &w->value)) {
		stick(w->ledger, -EBADMSG, "damaged record below", w->prefix);
		return false;
	}
	memcpy(w->rest, (const char *)k.mv_data + len, k.mv_size - len);
	w->rest[k.mv_size - len] = '\0';
	return true;
}

void ledger_walk_end(struct ledger_walk *w)
{
	if (w->cursor)
		mdb_cursor_close(w->cursor);
	w->cursor = NULL;
}
