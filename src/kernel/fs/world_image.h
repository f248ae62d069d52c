/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A qube's own files where its root is a template image: what the template has
 * stays, but for the files that say which qube this is.
 */
#pragma once

#include "kernel/fs/inode.h"

/*
 * What a directory of the image has under a name: 0 and a new reference, or
 * NULL for nothing; a negative errno.  `dir` NULL: nothing.
 */
must_check int world_image_look(struct inode *dir, struct span name,
                                struct inode **out);

/* Is the path (without a slash at its start) the qube's, not the template's? */
bool world_image_ours(const char *path);

/*
 * Where a path without a slash at its start leads if its first component is a
 * symbolic link of the image's root; else the path.
 */
void world_image_follow(struct inode *root, const char *path, char *to,
                        size_t room);

/*
 * Where the template has accounts of its own in that file, they stay: puts
 * them into `to` and adds, of our own text there, the line of `user` unless
 * they have one.  The new size, or 0 if it is no such file.
 */
size_t world_image_accounts(struct inode *root, const char *path, char *to,
                            size_t used, size_t room);
