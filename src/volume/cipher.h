/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents of encrypted files.  An object is groups of 52 pages: one of slots,
 * then 51 blocks of 4096 bytes as XChaCha20 makes them.
 *
 * A slot is of 80 bytes, two seals of a block's: nonce (24) and Poly1305 tag
 * (16), bound to the inode's number and the block's.  A block is read by
 * whichever seal fits; it is written by putting the new seal over the one that
 * does not fit, then the block.  So a process that is killed between the two
 * leaves the old block, and not something that is neither.
 *
 * A slot of zeros is a hole: its block reads as zeros.  The file's size is not
 * here but in the inode's record; what lies beyond is never looked at.
 *
 * What this shows: changed, moved and exchanged blocks.  What it does not: a
 * block put back to what it was before, or made a hole.
 */
#pragma once

#include "base/base.h"

#define CIPHER_BLOCK 4096u
#define CIPHER_KEY   32u

struct cipher;

/* Works on one object at a time; holds a copy of the key.  NULL: no memory. */
must_check struct cipher *cipher_create(const uint8_t key[CIPHER_KEY]);
void cipher_destroy(struct cipher *c); /* accepts NULL */

struct cipher_file {
	int fd;
	uint64_t ino;
	uint64_t size; /* of the contents; the caller keeps it */
};

/*
 * Reads at most `size` bytes at `at`: their number, 0 at the end, or a
 * negative errno: -EIO where a block is not authentic.
 */
must_check long cipher_read(struct cipher *c, const struct cipher_file *f,
                            void *to, size_t size, uint64_t at);

/*
 * Writes all; the size becomes at least `at + size`, which the caller notes
 * when this has succeeded.  0 or a negative errno; blocks before the one that
 * failed are written then.
 */
must_check int cipher_write(struct cipher *c, const struct cipher_file *f,
                            const void *from, size_t size, uint64_t at);

/* Before the size becomes `size`: nothing old shows when it grows again. */
must_check int cipher_resize(struct cipher *c, const struct cipher_file *f,
                             uint64_t size);

/* Bytes of the object of a file of that size. */
uint64_t cipher_extent(uint64_t size);
