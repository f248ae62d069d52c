/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/ledger.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <zlib.h>

#define LEDGER_SIZE ((size_t)1 << 30) /* of the mapping: no more than this */
#define CHECK_SIZE  4u

#define LASTING_FILE "manager.lmdb"
#define PASSING_FILE "passing.lmdb"
#define BOOT         "passing.boot"

enum { LASTING, PASSING, PARTS };

struct part {
	MDB_env *env;
	MDB_dbi db;
	MDB_txn *txn;
};

struct ledger {
	struct part part[PARTS];
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
static int open_table(struct part *p)
{
	MDB_txn *txn;
	int err = mdb_txn_begin(p->env, NULL, 0, &txn);

	if (err)
		return err;
	err = mdb_dbi_open(txn, NULL, 0, &p->db);
	if (err) {
		mdb_txn_abort(txn);
		return err;
	}
	return mdb_txn_commit(txn);
}

static int open_part(struct part *p, int folder, const char *name,
                     unsigned flags, struct fault *f)
{
	char path[64];
	int err = mdb_env_create(&p->env);

	/* LMDB wants a path; this one goes through the held folder. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", folder, name);
	if (!err)
		err = mdb_env_set_mapsize(p->env, LEDGER_SIZE);
	if (!err)
		err = mdb_env_open(p->env, path,
		                   MDB_NOSUBDIR | MDB_NOTLS | flags, 0600);
	if (!err)
		err = open_table(p);
	return err ? fault_set(f, plain_error(err), "open %s: %s", name,
	                       mdb_strerror(err))
	           : 0;
}

/* A text of a file, or "". */
static void read_text(int folder, const char *name, char *out, size_t room)
{
	autoclose int fd = openat(folder, name,
	                          O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, room - 1);

	out[n > 0 ? n : 0] = '\0';
}

/*
 * Takes away what was written before the machine started, which was never synced.
 * Without a name for this start, nothing is believed.
 */
static int forget_passed(int runtime, struct fault *f)
{
	autoclose int fd = -1;
	char now[64], then[64];

	read_text(AT_FDCWD, "/proc/sys/kernel/random/boot_id", now,
	          sizeof(now));
	read_text(runtime, BOOT, then, sizeof(then));
	if (*now && strcmp(now, then) == 0)
		return 0;
	(void)unlinkat(runtime, PASSING_FILE, 0);
	fd = openat(runtime, BOOT,
	            O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
	            0600);
	if (fd < 0 || write(fd, now, strlen(now)) != (ssize_t)strlen(now))
		return fault_errno(f, "write " BOOT);
	return 0;
}

int ledger_open(int folder, int runtime, struct ledger **out, struct fault *f)
{
	struct ledger *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return fault_set(f, -ENOMEM, "out of memory");
	err = forget_passed(runtime, f);
	if (err == 0)
		err = open_part(&l->part[LASTING], folder, LASTING_FILE, 0, f);
	/* Nobody else is there: the manager has a lock of its own. */
	if (err == 0)
		err = open_part(&l->part[PASSING], runtime, PASSING_FILE,
		                MDB_NOSYNC | MDB_NOLOCK, f);
	if (err < 0)
		ledger_close(l);
	else
		*out = l;
	return err;
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	ledger_abort(l);
	for (size_t i = 0; i < PARTS; i++)
		if (l->part[i].env)
			mdb_env_close(l->part[i].env);
	buffer_fini(&l->scratch);
	free(l);
}

int ledger_begin(struct ledger *l, bool write, struct fault *f)
{
	int err = 0;

	assert(!l->part[LASTING].txn);
	l->err = 0;
	l->writes = write;
	for (size_t i = 0; i < PARTS && !err; i++)
		err = mdb_txn_begin(l->part[i].env, NULL,
		                    write ? 0 : MDB_RDONLY, &l->part[i].txn);
	if (!err)
		return 0;
	ledger_abort(l);
	return fault_set(f, plain_error(err), "use " LASTING_FILE ": %s",
	                 mdb_strerror(err));
}

void ledger_abort(struct ledger *l)
{
	for (size_t i = 0; i < PARTS; i++) {
		if (l->part[i].txn)
			mdb_txn_abort(l->part[i].txn);
		l->part[i].txn = NULL;
	}
}

int ledger_commit(struct ledger *l, struct fault *f)
{
	int err = 0;

	assert(l->part[LASTING].txn);
	if (l->err < 0) {
		ledger_abort(l);
		return fault_set(f, l->err, LASTING_FILE ": %s: %s", l->why,
		                 strerror(-l->err));
	}
	/* A part without a change costs nothing. */
	for (size_t i = 0; i < PARTS && !err; i++) {
		err = mdb_txn_commit(l->part[i].txn);
		l->part[i].txn = NULL;
	}
	ledger_abort(l);
	l->version += l->writes;
	if (err)
		return fault_set(f, plain_error(err),
		                 "write " LASTING_FILE ": %s",
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

/* Is this the number of a qube that passes? */
static bool passes(struct span number)
{
	return number.size >= 8 && number.at[0] >= '8';
}

/* Where a record is to lie. */
static struct part *home_of(struct ledger *l, const char *key,
                            struct span value)
{
	struct span k = span_str(key);
	bool here;

	if (strncmp(key, "qube/", 5) == 0)
		here = passes(span_from(k, 5));
	else if (strncmp(key, "name/", 5) == 0 || strncmp(key, "uuid/", 5) == 0)
		here = value.size == 8 && passes(value);
	else
		here = strncmp(key, "passing/", 8) == 0;
	return &l->part[here ? PASSING : LASTING];
}

int ledger_get(struct ledger *l, const char *key, struct span *out)
{
	MDB_val k = key_of(key), v;
	int err = MDB_NOTFOUND;

	assert(l->part[LASTING].txn);
	for (size_t i = 0; i < PARTS && err == MDB_NOTFOUND; i++)
		err = mdb_get(l->part[i].txn, l->part[i].db, &k, &v);
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
	struct part *p = home_of(l, key, value);
	int err;

	assert(p->txn);
	buffer_clear(&l->scratch);
	buffer_put(&l->scratch, head, sizeof(head));
	buffer_put(&l->scratch, value.at, value.size);
	if (l->scratch.bad) {
		stick(l, -ENOMEM, "write", key);
		return;
	}
	v = (MDB_val){l->scratch.size, l->scratch.at};
	err = mdb_put(p->txn, p->db, &k, &v, 0);
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

	assert(l->part[LASTING].txn);
	for (size_t i = 0; i < PARTS; i++) {
		int err = mdb_del(l->part[i].txn, l->part[i].db, &k, NULL);

		if (err && err != MDB_NOTFOUND)
			stick(l, plain_error(err), "delete", key);
	}
}

static bool has_prefix(const MDB_val *k, const char *prefix)
{
	size_t len = strlen(prefix);

	return k->mv_size >= len && memcmp(k->mv_data, prefix, len) == 0;
}

static void delete_below(struct ledger *l, struct part *p, const char *prefix)
{
	MDB_val k = key_of(prefix), v;
	MDB_cursor *at;
	int err = mdb_cursor_open(p->txn, p->db, &at);

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

void ledger_delete_below(struct ledger *l, const char *prefix)
{
	assert(l->part[LASTING].txn);
	for (size_t i = 0; i < PARTS; i++)
		delete_below(l, &l->part[i], prefix);
}

void ledger_walk_begin(struct ledger_walk *w, struct ledger *l,
                       const char *prefix)
{
	assert(l->part[LASTING].txn && strlen(prefix) < LEDGER_KEY_MAX);
	static_assert(ARRAY_LEN(w->at) == PARTS, "a place in each");
	*w = (struct ledger_walk){.ledger = l};
	memcpy(w->prefix, prefix, strlen(prefix) + 1);
	for (size_t i = 0; i < PARTS; i++) {
		MDB_cursor *at = NULL;
		int err = mdb_cursor_open(l->part[i].txn, l->part[i].db, &at);

		if (err)
			stick(l, plain_error(err), "read", prefix);
		w->at[i].cursor = err ? NULL : at;
	}
}

static void end_at(struct ledger_at *at)
{
	if (at->cursor)
		mdb_cursor_close(at->cursor);
	at->cursor = NULL;
	at->ahead = false;
}

/* Looks at the next record of one part. */
static void look_ahead(struct ledger_walk *w, struct ledger_at *at)
{
	MDB_val k = key_of(w->prefix), v;
	int err;

	if (!at->cursor || at->ahead)
		return;
	err = mdb_cursor_get(at->cursor, &k, &v,
	                     at->started ? MDB_NEXT : MDB_SET_RANGE);
	at->started = true;
	if (err || !has_prefix(&k, w->prefix)) {
		if (err && err != MDB_NOTFOUND)
			stick(w->ledger, plain_error(err), "read", w->prefix);
		end_at(at);
		return;
	}
	at->ahead = true;
	at->key = (struct span){k.mv_data, k.mv_size};
	at->record = (struct span){v.mv_data, v.mv_size};
}

/* Does one key come before another, by their bytes? */
static bool comes_first(struct span a, struct span b)
{
	int order = memcmp(a.at, b.at, MIN(a.size, b.size));

	return order < 0 || (order == 0 && a.size < b.size);
}

bool ledger_walk_next(struct ledger_walk *w)
{
	struct ledger_at *next = NULL;
	size_t len = strlen(w->prefix);
	MDB_val k, v;

	for (size_t i = 0; i < PARTS; i++) {
		struct ledger_at *at = &w->at[i];

		look_ahead(w, at);
		if (at->ahead && (!next || comes_first(at->key, next->key)))
			next = at;
	}
	if (!next)
		return false;
	next->ahead = false;
	k = (MDB_val){next->key.size, (void *)(uintptr_t)next->key.at};
	v = (MDB_val){next->record.size, (void *)(uintptr_t)next->record.at};
	if (k.mv_size >= LEDGER_KEY_MAX || !open_record(&k, &v, &w->value)) {
		stick(w->ledger, -EBADMSG, "damaged record below", w->prefix);
		return false;
	}
	memcpy(w->rest, next->key.at + len, k.mv_size - len);
	w->rest[k.mv_size - len] = '\0';
	return true;
}

void ledger_walk_end(struct ledger_walk *w)
{
	for (size_t i = 0; i < PARTS; i++)
		end_at(&w->at[i]);
}
