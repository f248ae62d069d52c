/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hand: a process of root's without a cell, by which the kernel uses itself
 * as a guest would.  Names are looked up, checked, watched and cached in the one
 * usual way.
 */
#pragma once

#include "kernel/fs/inode.h"
#include "kernel/fs/path.h"

/* Takes one whose root and folder is `root`.  0 or -ENOMEM, -EAGAIN. */
must_check int hand_take(struct kernel *k, const struct path *root,
                         struct task **out);

void hand_drop(struct task *t);

/*
 * Makes a thing whose folder is there; how->mode has S_IFMT.  0 also when it is
 * there already.
 */
must_check long hand_make(struct task *t, const char *at,
                          const struct inode_new *how);

/*
 * Reads at most `room` bytes of the regular file `p`, without waiting for
 * anyone else.  The number of bytes, or a negative errno; -EFBIG: it has more.
 */
must_check long hand_read(struct task *t, const struct path *p, void *to,
                          size_t room);
