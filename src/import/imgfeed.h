/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images into an image: what one has becomes the lowest layer of another.
 *
 * The image is read as the kernel does: each block is checked against the tree
 * of hashes before anything is made of it.
 */
#pragma once

#include "image/imgwrite.h"
#include "import/tell.h"

struct imgfeed_files {
	int main_fd, data_fd, tree_fd; /* borrowed; data_fd may hold nothing */
};

/*
 * Adds all files of an image: names, owners, times, attributes, devices, hard
 * links, contents.  *read is moved on by the bytes read.  0, or a negative errno
 * and why.
 */
must_check int imgfeed(struct imgwrite *w, struct tell *t,
                       const struct imgfeed_files *files, uint64_t *read,
                       struct fault *f);
