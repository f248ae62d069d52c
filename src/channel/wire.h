/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the records of launch.h and job.h are made of: numbers in little-endian
 * order; strings, which are their length in four bytes and their bytes, without
 * NUL; and lists of strings, which are their count in four bytes and one string
 * in which each ends with a NUL.
 */
#pragma once

#include "base/buffer.h"

#define WIRE_SIZE_MAX ((size_t)16 << 20)

/* Strings one behind the other, each with its NUL. */
struct wire_list {
	uint32_t count;
	struct span packed;
};

void wire_put_le(struct buffer *b, uint64_t v, size_t size);
void wire_put_str(struct buffer *b, struct span s);
void wire_put_list(struct buffer *b, const struct wire_list *l);

void wire_read_list(struct reader *r, struct wire_list *l);

/* Does it hold as many strings as it says, each ended? */
bool wire_list_ok(const struct wire_list *l);

/* At most `max` bytes, none of them NUL? */
bool wire_text_ok(struct span s, size_t max);

/*
 * A finished record: takes its memory out of `b` for the caller to free.  0,
 * -ENOMEM, or -EINVAL when it is larger than WIRE_SIZE_MAX; the buffer is
 * empty afterwards.
 */
must_check int wire_take(struct buffer *b, uint8_t **out, size_t *size);
