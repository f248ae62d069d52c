/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open regular files of an overlay.  Each holds a description of the real
 * inode.  One opened for reading follows the file when it is copied up by
 * somebody else; what was mapped before does not, as with Linux's overlay.
 */
#pragma once

#include "kernel/fs/file.h"

/* inode_ops.open for a regular file. */
must_check long overlay_file_open(struct inode *i, struct task *t,
                                  struct file *f);
