/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular files of a volume: open descriptions, and what changes contents.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/volumefs_node.h"

/* inode_ops.open of a regular file.  0, -EWAIT or another negative errno. */
must_check long volumefs_file_open(struct inode *i, struct task *t,
                                   struct file *f);

/* Takes so much more of the volume's limit for it.  0 or -ENOSPC. */
must_check int volumefs_file_charge(struct volumefs_node *n, uint64_t bytes);

/* The part of inode_change() that is the object's: size and times. */
must_check long volumefs_file_change(struct volumefs_node *n, struct task *t,
                                     const struct inode_change *c);
