/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copy-up: before anything is changed, it is copied to the upper side, with
 * the directories that lead there.
 */
#pragma once

#include "kernel/fs/overlay_node.h"

/*
 * Makes sure that the node has an upper.  `contents` says whether a regular
 * file's bytes matter (not if it is to be truncated).  Those are copied piece
 * by piece: it may return -EWAIT, and goes on where it was when called again.
 * 0 or a negative errno.
 */
must_check long overlay_copy_up(struct overlay_node *n, struct task *t,
                                bool contents);

/* An open description of a real inode, for our own reading.  -errno. */
must_check long overlay_copy_open(struct inode *real, struct task *t,
                                  uint32_t flags, struct file **out);
