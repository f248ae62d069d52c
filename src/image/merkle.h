/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of hashes over an image's blocks.
 *
 * A tree file begins with a head in a block of its own:
 *
 *	"BentoTre"  8 bytes
 *	version     le32, 1
 *	main        le32, blocks of the .erofs file
 *	data        le32, blocks of the .data file
 *	reserved    le32, 0
 *	top         32 bytes, the hash of the highest level's one block
 *	signature   64 bytes, ed25519 of the root; zeros: not signed
 *
 * Then come the levels, the lowest first.  A level is hashes of 32 bytes, its
 * last block filled up with zeros: the lowest has one for each block of the
 * image (those of the .erofs file, then those of the .data file), the next one
 * for each block of the lowest, and so on up to a level of one block.
 *
 * The root is SHA-256 of "bento image 1\n", main, data and top: whoever knows
 * it can check every byte.  Blocks of the tree are read when they are wanted,
 * checked against their parents, and kept in memory of our own.
 */
#pragma once

#include "base/fault.h"
#include "image/ondisk.h"
#include "image/sha256.h"

#define MERKLE_FANOUT    (ONDISK_BLOCK / SHA256_SIZE)
#define MERKLE_LEVELS    6u
#define MERKLE_SIGNATURE 64u

struct merkle_head {
	uint32_t main_blocks;
	uint32_t data_blocks;
	uint8_t top[SHA256_SIZE];
	uint8_t signature[MERKLE_SIGNATURE];
};

/* Whose memory is used.  `free` gets the size that was asked for. */
struct merkle_memory {
	void *ctx;
	void *(*alloc)(void *ctx, size_t size); /* zeroed, or NULL */
	void (*free)(void *ctx, void *p, size_t size);
};

struct merkle_level {
	uint64_t first; /* block in the file */
	uint64_t count;
	uint8_t **block; /* checked ones; NULL: not yet read */
};

struct merkle {
	int fd; /* borrowed */
	uint64_t blocks;
	uint8_t top[SHA256_SIZE];
	struct merkle_memory memory;
	uint32_t level_count;
	struct merkle_level level[MERKLE_LEVELS];
};

/* Memory of malloc(3). */
extern const struct merkle_memory merkle_plain_memory;

/* Reads a head, and writes one.  0, or -EIO and why. */
must_check int merkle_read_head(int fd, struct merkle_head *out,
                                struct fault *f);
must_check int merkle_write_head(int fd, const struct merkle_head *h,
                                 struct fault *f);

void merkle_root(const struct merkle_head *h, uint8_t root[SHA256_SIZE]);

/*
 * Gets ready to check blocks against the tree in `fd` (borrowed) with that
 * head.  0, -EIO, -ENOMEM, and why.  merkle_fini() also after a failure.
 */
must_check int merkle_init(struct merkle *m, int fd,
                           const struct merkle_head *h,
                           const struct merkle_memory *memory, struct fault *f);
void merkle_fini(struct merkle *m);

/* The hash that block `n` must have: 0 and *out; -EIO, -ENOMEM. */
must_check int merkle_hash(struct merkle *m, uint64_t n, const uint8_t **out);

/* Is it block `n`?  0; -EIO; -ENOMEM. */
must_check int merkle_check(struct merkle *m, uint64_t n,
                            const uint8_t block[static ONDISK_BLOCK]);

/*
 * Writes the levels of an image into a tree file and completes *h, which has
 * the numbers of blocks and no signature; the head is for the caller to write.
 * next() is asked for each block in turn.  0, or a negative errno and why.
 */
struct merkle_blocks {
	void *ctx;
	/* 0 and a block that stays until the next call. */
	int (*next)(void *ctx, const uint8_t **block, struct fault *f);
};
must_check int merkle_write(int fd, struct merkle_head *h,
                            const struct merkle_blocks *from, struct fault *f);
