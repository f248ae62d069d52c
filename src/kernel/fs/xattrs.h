/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes kept in memory: an unordered list for each inode.
 */
#pragma once

#include "base/list.h"
#include "base/span.h"
#include "kernel/core/kernel.h"
#include "kernel/fs/inode.h"

#define XATTRS_VALUE_MAX 65536u  /* bytes of one value */
#define XATTRS_TOTAL_MAX 131072u /* names and values of one inode */

struct xattrs {
	struct kernel *kernel;
	struct list all;
	size_t total;
};

/*
 * May a file system that stores whatever it is given store an attribute of that
 * name for this inode?  What names mean is known to those who ask for it.
 */
bool xattrs_name_ok(const struct inode *i, struct span name);

void xattrs_init(struct xattrs *x, struct kernel *k);
void xattrs_fini(struct xattrs *x);

/* Size of the value, copied if `room` is not 0.  -ENODATA, -ERANGE. */
must_check long xattrs_get(const struct xattrs *x, struct span name, void *to,
                           size_t room);

/*
 * `flags` are XATTR_CREATE or XATTR_REPLACE.  0, -EEXIST, -ENODATA, -E2BIG,
 * -ERANGE, -ENOSPC.
 */
must_check long xattrs_set(struct xattrs *x, struct span name,
                           struct span value, int flags);

/* The names, each with its NUL; their size alone if `room` is 0.  -ERANGE. */
must_check long xattrs_list(const struct xattrs *x, char *to, size_t room);

/* 0 or -ENODATA. */
must_check long xattrs_remove(struct xattrs *x, struct span name);
