/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata of an image being written: where each inode goes, then inodes,
 * attributes, directories and the superblock.  For imgwrite.c.
 *
 * An inode is 64 bytes at a multiple of 64, its attributes behind it, and
 * behind those the target of a link or a directory, if all of it fits into
 * one block; else that has blocks of its own after the inodes.
 */
#pragma once

#include "image/imgtree.h"

struct imgwrite;

struct imgmeta {
	struct imgtree_file **order; /* directories before what is in them */
	size_t count;
	size_t room;
};

/*
 * Finds out what can be reached, and what of it everyone may read.  0 or
 * -ENOMEM; imgmeta_fini() in any case.
 */
must_check int imgmeta_init(struct imgmeta *m, const struct imgtree *t);
void imgmeta_fini(struct imgmeta *m);

/* Writes it behind the data of the .erofs file.  0, or why not. */
must_check int imgmeta_write(struct imgmeta *m, struct imgwrite *w,
                             struct fault *f);
