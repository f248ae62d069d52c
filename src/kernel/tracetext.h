/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pieces of a trace line: numbers with their names, strings and structures of
 * the program, made harmless for a terminal.
 */
#pragma once

#include "base/span.h"
#include "kernel/task/user.h"

#define TRACETEXT_MAX 1024u

/* One line; what does not fit is cut. */
struct tracetext {
	char text[TRACETEXT_MAX];
	size_t size;
};

void tracetext_add(struct tracetext *x, const char *fmt, ...) printf_like(2);

/* A quoted string with escapes, cut to a readable length. */
void tracetext_string(struct tracetext *x, struct span s);

/* The NUL-terminated string at a guest address. */
void tracetext_path(struct tracetext *x, struct task *t, uaddr_t at);

/* `size` bytes at a guest address, as a string. */
void tracetext_bytes(struct tracetext *x, struct task *t, uaddr_t at,
                     uint64_t size);

/* One record of a type of channel/abi.h, or its address. */
void tracetext_record(struct tracetext *x, struct task *t, const char *type,
                      uaddr_t at);

/*
 * The name or names of a number in that argument of a call.  False if the
 * table has none for it.
 */
must_check bool tracetext_named(struct tracetext *x, const char *call,
                                const char *argument, uint64_t value);

/* "ENOENT", or NULL for codes that have no name. */
const char *tracetext_errno(long err);
