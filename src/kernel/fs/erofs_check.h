/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking blocks of a template image against its tree of hashes, each once.
 */
#pragma once

#include "kernel/fs/erofs.h"

/*
 * Makes sure that `size` bytes from `at` on, counted through both files, are
 * what they should be.  A helper does it when it takes long or the host would
 * have to read: -EWAIT then (`t` NULL: never).  0, -EIO, -ENOMEM.
 */
must_check long erofs_check(struct erofs *fs, struct task *t, uint64_t at,
                            uint64_t size);

/* The host's file that holds a block, and its offset there in bytes. */
int erofs_check_place(const struct erofs *fs, uint64_t n, uint64_t *offset);
