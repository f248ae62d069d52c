/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: host descriptors of regular files handed to cells, so that they
 * read and map by themselves.  A lease never carries more than the guest's own
 * open file does.  The handlers of OP_object and OP_lease live here too.
 */
#pragma once

#include "kernel/task/cells.h"

/* Frees what is remembered about a cell's leases. */
void lease_forget(struct cell *c);

/* A forked cell holds what its parent held.  Best effort. */
void lease_inherit(struct cell *child, const struct cell *parent);
