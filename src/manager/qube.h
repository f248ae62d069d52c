/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Qubes as the ledger has them.  All of these want a transaction to be open.
 *
 * A qube has a number for its life, never used again, under which its records
 * lie; a UUID, after which its folder of volumes is called; and a name, which
 * may change.
 */
#pragma once

#include "manager/ledger.h"

enum qube_class {
#define CLASS(name, makeable, what) QUBE_##name,
#include "manager/classes.def"
	QUBE_CLASSES
};

#define QUBE_NAME_MAX  31u
#define QUBE_UUID_SIZE 37u

struct qube {
	uint32_t id; /* dom0 is 0 */
	enum qube_class class;
	char name[QUBE_NAME_MAX + 1];
	char uuid[QUBE_UUID_SIZE];
};

const char *qube_class_name(enum qube_class class);

/* 0 and *out, or -ENOENT. */
must_check int qube_class_find(const char *name, enum qube_class *out);

/*
 * Why a name may not be given to a qube, or NULL if it may: a letter, then
 * letters, digits, '_', '.', '-'; at most QUBE_NAME_MAX; not reserved.
 */
const char *qube_name_wrong(const char *name);

/* By name, or by "uuid:...".  0 and *out, or -ENOENT. */
must_check int qube_find(struct ledger *l, const char *name, struct qube *out);
must_check int qube_load(struct ledger *l, uint32_t id, struct qube *out);

/*
 * Writes a new qube with the next number and a new UUID.  The name must be
 * free.
 */
void qube_add(struct ledger *l, enum qube_class class, const char *name,
              struct qube *out);

/*
 * The same for an unnamed disposable, which goes with the machine's run at the
 * latest: its number is one of those that pass (LEDGER_PASSING), and so says its
 * UUID (version 8).
 */
void qube_add_passing(struct ledger *l, const char *name, struct qube *out);
bool qube_uuid_passes(const char *uuid);

/* The same, with a UUID that was made before. */
void qube_add_as(struct ledger *l, enum qube_class class, const char *name,
                 const char *uuid, struct qube *out);

void qube_make_uuid(char out[QUBE_UUID_SIZE]);

/* Changes the name, which must be free; *q too. */
void qube_rename(struct ledger *l, struct qube *q, const char *name);

/* Deletes all its records. */
void qube_delete(struct ledger *l, const struct qube *q);

/* The key of a record of its: "qube/NUMBER/" and what. */
void qube_key(char out[LEDGER_KEY_MAX], const struct qube *q, const char *what,
              const char *name);

/*
 * Visits all qubes in the order of their names, dom0 too:
 *
 *	qube_walk_begin(&w, l);
 *	while (qube_walk_next(&w, &q))
 *		...
 *	qube_walk_end(&w);
 */
void qube_walk_begin(struct ledger_walk *w, struct ledger *l);
must_check bool qube_walk_next(struct ledger_walk *w, struct qube *out);
void qube_walk_end(struct ledger_walk *w);

/* Writes what a new ledger must have: dom0, labels, the pool. */
void qube_first(struct ledger *l);
