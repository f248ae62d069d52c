/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

uint8_t *buffer_reserve(struct buffer *b, size_t size)
{
	size_t want, room = MAX(b->room, (size_t)64);
	uint8_t *grown;

	if (b->bad || !size_add(b->size, size, &want)) {
		b->bad = true;
		return NULL;
	}
	if (want <= b->room)
		return b->at + b->size;
	while (room < want)
		if (!size_mul(room, 2, &room)) {
			b->bad = true;
			return NULL;
		}
	grown = realloc(b->at, room);
	if (!grown) {
		b->bad = true;
		return NULL;
	}
	b->at = grown;
	b->room = room;
	return b->at + b->size;
}

void buffer_put(struct buffer *b, const void *bytes, size_t size)
{
	uint8_t *to = size ? buffer_reserve(b, size) : NULL;

	if (!to)
		return;
	memcpy(to, bytes, size);
	b->size += size;
}

void buffer_text(struct buffer *b, const char *text)
{
	buffer_put(b, text, strlen(text));
}

void buffer_text0(struct buffer *b, const char *text)
{
	buffer_put(b, text, strlen(text) + 1);
}

void buffer_printf(struct buffer *b, const char *fmt, ...)
{
	va_list ap;
	uint8_t *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	to = n < 0 ? NULL : buffer_reserve(b, (size_t)n + 1);
	if (!to) {
		b->bad = true;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf((char *)to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->size += (size_t)n;
}

void buffer_drop(struct buffer *b, size_t size)
{
	size = MIN(size, b->size);
	if (size == 0)
		return;
	memmove(b->at, b->at + size, b->size - size);
	b->size -= size;
}

void buffer_clear(struct buffer *b)
{
	b->size = 0;
	b->bad = false;
}

void buffer_fini(struct buffer *b)
{
	free(b->at);
	*b = (struct buffer){0};
}
