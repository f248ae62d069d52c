/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder to copy into, and streams of bytes to copy from.
 */
#pragma once

#include "base/buffer.h"
#include "filecopy/copyrecv.h"
#include "filecopy/copywire.h"

struct copybed {
	char path[64]; /* of the folder around all */
	int around;    /* the same */
	int folder;    /* "in", below it */
	int proc;
};

void copybed_init(struct copybed *b);
void copybed_fini(struct copybed *b);

/* A header and a name; and the content. */
void copybed_put(struct buffer *wire, uint32_t mode, const char *name,
                 uint64_t size);
void copybed_put_file(struct buffer *wire, uint32_t mode, const char *name,
                      const char *content);
void copybed_put_end(struct buffer *wire);

struct copybed_result {
	int got; /* by copyrecv() */
	struct copyrecv_count count;
	struct copywire_result wire;
	char name[256];
	struct fault fault;
};

/* Receives `wire` into the folder; of `job`, limits and such count. */
void copybed_receive(struct copybed *b, const struct buffer *wire,
                     const struct copyrecv_job *job,
                     struct copybed_result *out);

/* A file below a folder has this content, and no more. */
void copybed_has(int folder, const char *name, const char *content);

/* How many entries a folder has, "." and ".." not counted. */
int copybed_count(int folder, const char *name);
