/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that grows as it is written, for files that are made when read.
 * Running out of memory is remembered and told at the end.
 */
#pragma once

#include "base/span.h"
#include "kernel/core/kernel.h"

struct text {
	struct kernel *kernel;
	char *bytes;
	size_t size;
	size_t room;
	bool failed;
};

void text_init(struct text *t, struct kernel *k);
void text_fini(struct text *t);

void text_add(struct text *t, const char *fmt, ...) printf_like(2);
void text_add_bytes(struct text *t, const void *from, size_t size);

/* Bytes that a guest chose, with \ooo for blanks and what is not printable. */
void text_add_escaped(struct text *t, const char *s, size_t size);
