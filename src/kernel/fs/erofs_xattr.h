/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes of a template image's files: inode_ops.getxattr and
 * listxattr.
 */
#pragma once

#include "kernel/fs/erofs.h"

long erofs_xattr_get(struct inode *i, struct task *t, struct span name,
                     void *to, size_t room);
long erofs_xattr_list(struct inode *i, struct task *t, char *to, size_t room);
