/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open regular files of tmpfs, memory files of memfd_create(2) among them.
 */
#pragma once

#include "kernel/fs/file.h"

/* inode_ops.open for a regular file of tmpfs.  Always 0. */
must_check int tmpfs_file_open(struct inode *i, struct file *f);
