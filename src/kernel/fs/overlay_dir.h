/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an overlay's directories: the upper names, then the lower ones that
 * they leave visible, as a snapshot taken when reading starts.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/overlay_node.h"

/* inode_ops.open for a directory. */
must_check long overlay_dir_open(struct inode *i, struct task *t,
                                 struct file *f);

/* Is the directory empty as guests see it?  0, -ENOTEMPTY or another error. */
must_check long overlay_dir_empty(struct overlay_node *n, struct task *t);

/* Takes all whiteouts out of an upper directory that is to be removed. */
must_check long overlay_dir_clear(struct inode *upper, struct task *t);

/* Is this inode of the upper side a whiteout? */
bool overlay_dir_whiteout(const struct inode *i);
