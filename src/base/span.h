/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading bytes we did not write.
 *
 * A span is a borrowed run of bytes with its length; a reader takes fields off
 * the front of one.  The first field that does not fit makes the reader `bad`,
 * and from then on every read yields zero or an empty span.  So a parser reads
 * all its fields in order, asks rd_end() once, and only then believes them.
 *
 * Do not call two rd_*() in one expression or initialiser: C leaves their
 * order open.
 */
#pragma once

#include <string.h>

#include "base/base.h"

struct span {
	const uint8_t *at;
	size_t size;
};

struct reader {
	struct span rest;
	bool bad;
};

/* A span over a C string, without its NUL. */
static inline struct span span_str(const char *s)
{
	return (struct span){(const uint8_t *)s, strlen(s)};
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.size == b.size &&
	       (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

static inline bool span_is(struct span a, const char *s)
{
	return span_eq(a, span_str(s));
}

/* The part of `s` from `from` on; empty if `s` is shorter than that. */
static inline struct span span_from(struct span s, size_t from)
{
	if (from > s.size)
		return (struct span){NULL, 0};
	return (struct span){s.at + from, s.size - from};
}

static inline struct span rd_take(struct reader *r, size_t size)
{
	struct span got = {r->rest.at, size};

	if (r->bad || size > r->rest.size) {
		r->bad = true;
		return (struct span){NULL, 0};
	}
	r->rest.at += size;
	r->rest.size -= size;
	return got;
}

static inline uint8_t rd_u8(struct reader *r)
{
	struct span b = rd_take(r, 1);

	return b.size ? b.at[0] : 0;
}

static inline uint16_t rd_le16(struct reader *r)
{
	struct span b = rd_take(r, 2);

	return b.size ? (uint16_t)(b.at[0] | b.at[1] << 8) : 0;
}

static inline uint32_t rd_le32(struct reader *r)
{
	struct span b = rd_take(r, 4);

	if (!b.size)
		return 0;
	return (uint32_t)b.at[0] | (uint32_t)b.at[1] << 8 |
	       (uint32_t)b.at[2] << 16 | (uint32_t)b.at[3] << 24;
}

static inline uint64_t rd_le64(struct reader *r)
{
	uint64_t low = rd_le32(r);
	uint64_t high = rd_le32(r);

	return low | high << 32;
}

/* A string preceded by its length in one byte. */
static inline struct span rd_str8(struct reader *r)
{
	return rd_take(r, rd_u8(r));
}

/* A string preceded by its length in four bytes, little-endian. */
static inline struct span rd_str32(struct reader *r)
{
	return rd_take(r, rd_le32(r));
}

/* True when every field fitted and no byte is left over. */
static inline bool rd_end(const struct reader *r)
{
	return !r->bad && r->rest.size == 0;
}
