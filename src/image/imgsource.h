/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks of an image file, read when they are wanted, checked against the
 * tree of hashes, and kept in memory of our own.
 */
#pragma once

#include "image/imgread.h"
#include "image/merkle.h"

struct imgsource {
	int fd;              /* of the .erofs file; borrowed */
	struct merkle *tree; /* borrowed; NULL: there is none to check with */
	struct merkle_memory memory;
	uint64_t count;
	uint8_t **block;
};

/* 0 or -ENOMEM. */
must_check int imgsource_init(struct imgsource *s, int fd, uint64_t blocks,
                              struct merkle *tree,
                              const struct merkle_memory *memory);
void imgsource_fini(struct imgsource *s);

/* What imgread_open() wants. */
struct imgread_source imgsource_blocks(struct imgsource *s);
