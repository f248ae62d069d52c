/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The qubes there are, as policies see them (policy/policy_system.h): read from
 * the ledger and from what runs.
 */
#pragma once

#include "base/fault.h"
#include "policy/policy_system.h"

struct census;
struct manager;

/*
 * The census as it is now: the one taken last, if nothing has changed since.
 * Returns 0 and a new reference, whose census never changes; or a negative
 * errno and why.  No transaction is open.
 */
must_check int census_get(struct manager *m, struct census **out,
                          struct fault *f);

/* The same in a transaction that reads: it is taken anew. */
must_check int census_take(struct manager *m, struct census **out,
                           struct fault *f);

/* NULL will do. */
void census_put(struct census *c);

/* Something has changed that the ledger does not know: what runs. */
void census_forget(struct manager *m);

const struct policy_system *census_system(const struct census *c);
