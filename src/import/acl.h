/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX access control lists of archives, as extended attributes: what
 * linux/posix_acl_xattr.h has.
 */
#pragma once

#include "image/imgtree.h"

struct archive_entry;

/* 0, -ENOMEM, or -EOPNOTSUPP: it names somebody by name only. */
must_check int acl_take(struct imgtree *t, struct imgtree_file *file,
                        struct archive_entry *e);
