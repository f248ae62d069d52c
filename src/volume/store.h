/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata of a volume: an LMDB environment, and before it the changes
 * that are not yet on the disk.
 *
 *	current   what was changed last; grows until store_freeze()
 *	frozen    a batch on its way to the disk, or empty
 *	LMDB      what is safe
 *
 * A reader sees the three as one.  Whoever owns the store changes it, reads
 * it, freezes and settles; store_commit() alone may run on another thread
 * meanwhile, because it looks at the frozen batch, which nobody changes, and
 * writes to LMDB, which readers see as it was before.  There is never more
 * than one commit, and the reader moves on before the next: so LMDB's own
 * locks, which know processes and not namespaces, are not needed.  Who else
 * may open the folder is decided by the volume's lock.
 *
 * A batch is one transaction, written with LMDB's own order of flushes: after
 * a power cut there is all of it or nothing, and what was committed before.
 *
 * Each value is sealed: with a key, by XChaCha20-Poly1305 bound to its record
 * key; without, by a SipHash over both, so that a flipped bit is noticed.
 */
#pragma once

#include "base/fault.h"
#include "volume/pending.h"
#include "volume/vrecord.h"

struct store;

struct store_keys {
	bool encrypted;
	uint8_t names[32];   /* of name hashes */
	uint8_t records[32]; /* seals values, if encrypted */
};

/*
 * Opens, or makes, the store in a folder.  0, or a negative errno and why.
 */
must_check int store_open(int dir_fd, const struct store_keys *keys,
                          struct store **out, struct fault *f);

/* What is not committed is lost. */
void store_close(struct store *s);

/* ---- changing ---- */

/* Changes that are to come together; {0} is none. */
struct store_edit {
	struct pending_entry *first;
};

/* 0 or -ENOMEM. */
must_check int store_edit_put(struct store_edit *e, const struct vrecord_key *k,
                              struct span value);
must_check int store_edit_delete(struct store_edit *e,
                                 const struct vrecord_key *k);

/* Makes them, all together; cannot fail.  The edit is empty then. */
void store_edit_apply(struct store *s, struct store_edit *e);
void store_edit_drop(struct store_edit *e);

/* ---- reading ---- */

/*
 * The value of a key, valid until the next call on the store.  0, -ENOENT, or
 * -EIO when the record is damaged (or sealed with another key).
 */
must_check int store_get(struct store *s, struct span key, struct span *out);

/*
 * The first record whose key is not less than *key and begins with `prefix`:
 * its key in *key, its value in *out.  Results as of store_get(); *key is set
 * even with -EIO.
 */
must_check int store_next(struct store *s, struct span prefix,
                          struct vrecord_key *key, struct span *out);

/* Moves a key to the smallest one behind it. */
void store_step(struct vrecord_key *key);

/* 16 bytes that stand for a name in keys. */
void store_hash(const struct store *s, struct span name, uint8_t hash[16]);

/* ---- to the disk ---- */

/* Bytes that wait to be frozen. */
size_t store_waiting(const struct store *s);

/* Is a batch under way? */
bool store_freezing(const struct store *s);

/* The number of the batch being filled; counts from 1. */
uint64_t store_batch(const struct store *s);

/* All batches below this one are safe. */
uint64_t store_safe(const struct store *s);

/* Begins a batch.  False if there is nothing to write, or one is under way. */
must_check bool store_freeze(struct store *s);

/* Writes the frozen batch; on any thread.  0 or a negative errno. */
must_check int store_commit(struct store *s);

/*
 * Back on the owner's thread, with what store_commit() said: a batch that
 * failed joins the current one.
 */
void store_settle(struct store *s, int err);

/* All three, on this thread.  0 or a negative errno. */
must_check int store_flush(struct store *s);

/* Writes a compact copy of what is safe to a new file.  0 or -errno. */
must_check int store_copy(struct store *s, int fd);
