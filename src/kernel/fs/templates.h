/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lower side of a qube's root: one directory that holds the template's
 * folders, each a file system of the host, and the links between them.
 *
 * Only the overlay ever sees it: the folders' inodes belong to other
 * superblocks than their directory.
 */
#pragma once

#include "kernel/fs/world.h"

/*
 * Makes the file systems of o->template[] and the directory over them.  Takes
 * over the descriptors whatever happens.  0 and a reference, or -errno.
 */
must_check int templates_create(struct kernel *k, const struct world_options *o,
                                struct superblock **out);
