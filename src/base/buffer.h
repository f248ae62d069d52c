/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that grow at their end.
 *
 * An append that finds no memory marks the buffer `bad`, and from then on
 * nothing is added: put everything in, ask once.
 */
#pragma once

#include "base/span.h"

struct buffer {
	uint8_t *at; /* the buffer's own */
	size_t size;
	size_t room;
	bool bad;
};

static inline struct span buffer_span(const struct buffer *b)
{
	return (struct span){b->at, b->size};
}

void buffer_put(struct buffer *b, const void *bytes, size_t size);

/* A text without its NUL, or with it. */
void buffer_text(struct buffer *b, const char *text);
void buffer_text0(struct buffer *b, const char *text);

void buffer_printf(struct buffer *b, const char *fmt, ...) printf_like(2);

/*
 * Room for at least `size` bytes behind the end, which the caller writes and
 * then counts into b->size; NULL without memory.
 */
must_check uint8_t *buffer_reserve(struct buffer *b, size_t size);

/* Takes `size` bytes (at most all) off the front. */
void buffer_drop(struct buffer *b, size_t size);

/* Forgets the content, keeps the room; and lets everything go. */
void buffer_clear(struct buffer *b);
void buffer_fini(struct buffer *b);

#define autobuffer __attribute__((cleanup(buffer_fini)))
