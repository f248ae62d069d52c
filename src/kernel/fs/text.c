/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/core/limits.h"

#define TEXT_MAX ((size_t)16 * 1024 * 1024)

void text_init(struct text *t, struct kernel *k)
{
	*t = (struct text){.kernel = k};
}

void text_fini(struct text *t)
{
	limits_free(t->kernel, t->bytes, t->room);
	*t = (struct text){.kernel = t->kernel};
}

static bool reserve(struct text *t, size_t more)
{
	size_t room = MAX(t->room, 1024);
	char *bytes;

	if (t->failed || more > TEXT_MAX - t->size) {
		t->failed = true;
		return false;
	}
	if (t->size + more <= t->room)
		return true;
	while (room < t->size + more)
		room *= 2;
	bytes = limits_alloc(t->kernel, room);
	if (!bytes) {
		t->failed = true;
		return false;
	}
	if (t->size)
		memcpy(bytes, t->bytes, t->size);
	limits_free(t->kernel, t->bytes, t->room);
	t->bytes = bytes;
	t->room = room;
	return true;
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!reserve(t, 128))
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->bytes + t->size, t->room - t->size, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= t->room - t->size) {
		if (!reserve(t, (size_t)n + 1))
			return;
		va_start(ap, fmt);
		n = vsnprintf(t->bytes + t->size, t->room - t->size, fmt, ap);
		va_end(ap);
	}
	t->size += (size_t)n;
}

void text_add_bytes(struct text *t, const void *from, size_t size)
{
	if (size == 0 || !reserve(t, size))
		return;
	memcpy(t->bytes + t->size, from, size);
	t->size += size;
}

void text_add_escaped(struct text *t, const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= ' ' || c == '\\' || c == 0x7f)
			text_add(t, "\\%03o", c);
		else
			text_add_bytes(t, &s[i], 1);
	}
}
