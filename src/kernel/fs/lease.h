/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: host descriptors of regular files handed to cells, so that they
 * read and map by themselves.  A lease never carries more than the guest's own
 * open file does.  The handlers are in kernel/op_object.c.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/task/cells.h"

/*
 * Would read(2), or write(2) too, by the cell be the same as by us?  It would
 * tell nobody who watches.
 */
must_check bool lease_may_read(const struct task *t, const struct file *f);
must_check bool lease_may_write(const struct task *t, const struct file *f);

/* Frees what is remembered about a cell's leases and loans. */
void lease_forget(struct cell *c);

/* A forked cell holds what its parent held.  Best effort. */
void lease_inherit(struct cell *child, const struct cell *parent);

/*
 * Makes sure the task's cell has the object, sending it if need be.  Returns
 * its key in the cell, with OP_KEY_SENT if it was sent and OP_KEY_PART (and
 * the slot's arg[0] and arg[1]) as the object says, or a negative errno.
 */
must_check long lease_give(struct task *t, const struct file_object *o);
