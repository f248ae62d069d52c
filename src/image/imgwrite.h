/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing an image: data as they come, names and attributes at the end.
 *
 *	imgwrite_init()
 *	for each file of the archive:
 *		imgtree_file(), imgtree_enter()
 *		imgwrite_begin(), imgwrite_put()..., imgwrite_end()
 *	imgwrite_finish()
 *
 * Whether everyone may read a file is only known when all directories above it
 * are; a guess that turns out wrong is put right at the end, by moving the
 * data.  What no name leads to any more is wiped.
 */
#pragma once

#include "image/imgtree.h"
#include "image/merkle.h"

struct imgwrite {
	struct imgtree tree;
	int main_fd; /* borrowed; empty files, open for both */
	int data_fd;
	uint64_t main_blocks; /* used so far */
	uint64_t data_blocks;
	uint64_t max_blocks; /* of both together */
	/* Told now and then how many blocks are hashed; may be NULL. */
	void (*hashed)(void *ctx, uint64_t done, uint64_t of);
	void *ctx;
};

/* 0 or -ENOMEM.  imgwrite_fini() also after a failure. */
must_check int imgwrite_init(struct imgwrite *w, int main_fd, int data_fd);
void imgwrite_fini(struct imgwrite *w);

/* Data of a regular file that is in the tree: where they will go. */
void imgwrite_begin(struct imgwrite *w, struct imgtree_file *file,
                    const struct imgtree_file *dir);

/* Bytes at an offset; what is left out is zero.  0; -EFBIG, -EIO, -ENOSPC... */
must_check int imgwrite_put(struct imgwrite *w, struct imgtree_file *file,
                            uint64_t offset, struct span bytes,
                            struct fault *f);

/* So large it is.  0, or as imgwrite_put(). */
must_check int imgwrite_end(struct imgwrite *w, struct imgtree_file *file,
                            uint64_t size, struct fault *f);

/*
 * Writes the rest, and the tree of hashes into tree_fd, unsigned.  0 and the
 * tree's head, or a negative errno and why.
 */
must_check int imgwrite_finish(struct imgwrite *w, int tree_fd,
                               struct merkle_head *head, struct fault *f);
