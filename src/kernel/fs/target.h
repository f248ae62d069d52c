/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call is about: (directory, name, AT_* flags) or a descriptor.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"

struct target {
	struct path path;    /* owns references */
	struct inode *inode; /* borrowed from path or file; never NULL */
	struct file *file;   /* if a descriptor named it; owns a reference */
};

/*
 * `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH; others are the caller's.  With
 * AT_EMPTY_PATH a null name is as good as "".  0 or a negative errno.
 */
must_check long target_at(struct task *t, int32_t dir, uaddr_t name, int flags,
                          struct target *out);

/* By descriptor; -EBADF for one of O_PATH unless `paths_too`. */
must_check long target_fd(struct task *t, int32_t fd, bool paths_too,
                          struct target *out);

void target_put(struct target *g);
