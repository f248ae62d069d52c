/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open regular files of a host folder.
 *
 * Reading takes what the host has in memory; what it would have to fetch is
 * read by a helper thread while the task waits, and the call then runs again.
 * fsync is always a helper's work.
 */
#pragma once

#include "kernel/fs/file.h"

/* inode_ops.open for a regular file of hostfs. */
must_check long hostfile_open(struct inode *i, struct file *f);

/*
 * Does the host's file system on which this descriptor lies keep its files in
 * memory, so that reading never waits?  It knows no RWF_NOWAIT then.
 */
bool hostfile_in_memory(int fd);
