/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager's memory: texts under keys, in one LMDB environment
 * (data/manager.lmdb), changed in transactions only.
 *
 * What is said of unnamed disposables, which the end of the machine ends, lies in
 * an environment of its own, in the runtime folder (passing.lmdb): changes there
 * reach no disk, and cost next to nothing.  It is made anew when the machine has
 * started since (passing.boot), whatever a power cut has left of it.  A key goes
 * there if its qube's number is LEDGER_PASSING or more.  To those who read, both
 * are one.
 *
 * There is no copy of it in memory that could differ: whoever wants to know
 * reads it here.  One transaction is open at a time.  Each record carries a
 * checksum of its key and value, since LMDB has none.
 *
 * Errors of writing and damaged records stick to the transaction: whatever
 * comes later, ledger_commit() fails, and says so.
 *
 * Keys, with numbers in eight hexadecimal digits:
 *
 *	name/NAME           number of a qube
 *	uuid/UUID           number of a qube
 *	qube/NUMBER/class   and name, uuid, notes, firewall
 *	qube/NUMBER/p/NAME  a property that is set; /f/ features, /t/ tags
 *	global/NAME         a global property that is set
 *	label/NAME          "INDEX 0xRRGGBB"
 *	pool/NAME           its configuration
 *	doomed/UUID         no qube has this folder of volumes: remove it
 *	next                number of the next qube
 *	passing/next        number of the next unnamed disposable
 */
#pragma once

#include "base/buffer.h"
#include "base/fault.h"

#define LEDGER_KEY_MAX 500u

struct ledger;

#define LEDGER_PASSING 0x80000000u

/*
 * Opens or makes it in two folders: for what stays, and for what passes.  0 or a
 * negative errno.
 */
must_check int ledger_open(int folder, int runtime, struct ledger **out,
                           struct fault *f);

/* NULL will do; an open transaction is dropped. */
void ledger_close(struct ledger *l);

/* 0 or a negative errno.  None may be open. */
must_check int ledger_begin(struct ledger *l, bool write, struct fault *f);

/*
 * Makes all changes at once, durably, or none.  0 or a negative errno.  Should we be
 * killed in the middle, those of what passes can be missing.
 */
must_check int ledger_commit(struct ledger *l, struct fault *f);

/*
 * A number that is another one after each change: what was read under it holds
 * as long as it stays.
 */
uint64_t ledger_version(const struct ledger *l);

/* Drops the open transaction, if there is one. */
void ledger_abort(struct ledger *l);

/*
 * 0 and the value, which lasts until the next change or the transaction's end;
 * or -ENOENT (also for a damaged record; the error sticks).
 */
must_check int ledger_get(struct ledger *l, const char *key, struct span *out);

/* The same as a text with its NUL; false if it is not there. */
must_check bool ledger_text(struct ledger *l, const char *key, char *out,
                            size_t room);

bool ledger_has(struct ledger *l, const char *key);

void ledger_put(struct ledger *l, const char *key, struct span value);
void ledger_put_text(struct ledger *l, const char *key, const char *value);

/* Not being there is no error. */
void ledger_delete(struct ledger *l, const char *key);

/* Deletes every key that begins with `prefix`. */
void ledger_delete_below(struct ledger *l, const char *prefix);

/*
 * Visits the keys that begin with a prefix in the order of their bytes:
 *
 *	ledger_walk_begin(&w, l, "label/");
 *	while (ledger_walk_next(&w))
 *		... w.rest, w.value ...
 *	ledger_walk_end(&w);
 *
 * Nothing may be changed meanwhile.
 */
struct ledger_walk {
	struct ledger *ledger;
	struct ledger_at {
		void *cursor; /* NULL: it is at its end */
		bool started;
		bool ahead; /* the two below are still to be visited */
		struct span key, record;
	} at[2];
	char prefix[LEDGER_KEY_MAX];
	char rest[LEDGER_KEY_MAX]; /* of the key, behind the prefix */
	struct span value;
};

void ledger_walk_begin(struct ledger_walk *w, struct ledger *l,
                       const char *prefix);
must_check bool ledger_walk_next(struct ledger_walk *w);
void ledger_walk_end(struct ledger_walk *w);
