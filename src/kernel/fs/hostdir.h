/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a folder of the host: a snapshot, taken when reading starts.
 *
 * Positions are indices into the snapshot, so they stay what they are however
 * the folder changes, and no descriptor is held while a guest thinks.
 */
#pragma once

#include "kernel/fs/file.h"

/* inode_ops.open for a directory of hostfs. */
must_check long hostdir_open(struct inode *i, struct file *f);
