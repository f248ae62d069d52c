/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at a whole image: is every block what the tree of hashes says, is
 * its structure sound, and which files does a bad block belong to?
 */
#pragma once

#include "image/merkle.h"

struct imgcheck_files {
	int main_fd;
	int data_fd; /* -1: there is none */
	int tree_fd;
};

struct imgcheck_told {
	void *ctx;
	/* A file (absolute, as a C string of a guest's bytes) is damaged. */
	void (*damaged)(void *ctx, const char *path, const char *what);
	/* So many blocks are looked at; may be NULL. */
	void (*progress)(void *ctx, uint64_t done, uint64_t of);
};

/*
 * 0 if everything is right; -EIO if something is not, all of it told, and a
 * sentence; -ENOMEM.
 */
must_check int imgcheck(const struct imgcheck_files *files,
                        const struct merkle_head *head,
                        const struct imgcheck_told *told, struct fault *f);
