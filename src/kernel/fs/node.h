/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing directories: the checks Linux makes, then the file system's
 * operation, then the dentries and those who watch.
 *
 * `dir` and `last` are what path_parent() gave.  0 or a negative errno, -EWAIT
 * among them.
 */
#pragma once

#include "kernel/fs/path.h"

struct file;
struct inode;
struct inode_change;

/*
 * Makes a file, directory, node, link or socket: `mode` has S_IFMT, and the
 * umask, or the directory's default access list, is applied here.  `target` is that of a symbolic link.  *out (may be
 * NULL) gets references.  For mknod(2), bind(2) of AF_UNIX...
 */
must_check long node_create(struct task *t, const struct path *dir,
                            const struct path_last *last, uint32_t mode,
                            uint64_t rdev, struct span target,
                            struct path *out);
must_check long node_link(struct task *t, const struct path *from,
                          const struct path *dir, const struct path_last *last);
must_check long node_unlink(struct task *t, const struct path *dir,
                            const struct path_last *last, bool rmdir);
must_check long node_rename(struct task *t, const struct path *from_dir,
                            const struct path_last *from,
                            const struct path *to_dir,
                            const struct path_last *to, uint32_t flags);

/*
 * A file without a name in `dir`, for O_TMPFILE; `linkable`: link(2) may give
 * it one.  New references.
 */
must_check long node_tmpfile(struct task *t, const struct path *dir,
                             uint32_t mode, bool linkable, struct path *out);

/* If not read-only: inode_change(), then IN_ATTRIB or IN_MODIFY. */
must_check long node_change(struct task *t, const struct path *p,
                            struct inode *i, const struct inode_change *c);

/* A new size, without set-id bits that a writer must not keep. */
must_check long node_resize(struct task *t, const struct path *p,
                            struct inode *i, uint64_t size);

/*
 * The file was written: set-id bits go, unless the writer may keep them, and
 * watchers hear of it.  For write(2) and its kin.
 */
void node_written(struct task *t, struct file *f);
