/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The qubes there are, as policies see them (policy/policy_system.h): read from
 * the ledger, in which a transaction is open, and from what runs.
 */
#pragma once

#include "base/fault.h"
#include "policy/policy_system.h"

struct census;
struct manager;

/* Returns 0 and *out, which lives on behind the transaction; or -ENOMEM. */
must_check int census_take(struct manager *m, struct census **out,
                           struct fault *f);
const struct policy_system *census_system(const struct census *c);
void census_destroy(struct census *c);
