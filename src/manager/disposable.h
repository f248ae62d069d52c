/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unnamed disposables, disp0 to disp9999: they are removed when they end, and
 * nothing of them is synced to a disk (manager/ledger.h).  One
 * that is made for a call ends with the last call it serves (manager/trunk.h);
 * the ledger notes that, so that a later manager knows.
 */
#pragma once

#include "base/fault.h"
#include "manager/qube.h"

struct manager;

enum disposable_kind {
	DISPOSABLE_PLAIN, /* it stays until somebody ends it */
	DISPOSABLE_CALL,  /* it goes with its last call */
};

/*
 * In a transaction that writes: adds one of this template, a name.  0; -ENOSPC:
 * there are too many; -ENOENT or -EINVAL: that is no template for disposables;
 * and why.
 */
must_check int disposable_add(struct manager *m, const char *template,
                              enum disposable_kind kind, struct qube *out,
                              struct fault *f);

/* The same by the template's UUID, in a transaction of its own. */
must_check int disposable_make(struct manager *m, const char *template_uuid,
                               enum disposable_kind kind, struct qube *out,
                               struct fault *f);

/* In a transaction that writes: one that was made for a call is to stay. */
void disposable_keep(struct manager *m, const struct qube *q);

/* Removes one that was never started. */
void disposable_drop(struct manager *m, uint32_t id);

/* In a transaction: was it made for a call? */
bool disposable_is_for_call(struct ledger *l, const struct qube *q);
