/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every file needs: result checking, scope-bound resources, sizes that
 * cannot wrap.
 */
#pragma once

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define must_check     __attribute__((warn_unused_result))
#define printf_like(n) __attribute__((format(printf, n, (n) + 1)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MAX(a, b)    ((a) > (b) ? (a) : (b))

/* The structure that holds `member` at address `ptr`. */
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Closes a descriptor that is not -1, and makes it so: never twice. */
static inline void base_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void base_free(void *p)
{
	free(*(void **)p);
}

/* A descriptor, or memory, that is let go at the end of its scope. */
#define autoclose __attribute__((cleanup(base_close)))
#define autofree  __attribute__((cleanup(base_free)))

/* Takes a descriptor out of its scope: returns it and leaves -1. */
must_check static inline int take_fd(int *fd)
{
	int got = *fd;

	*fd = -1;
	return got;
}

/* Takes memory out of its scope: returns it and leaves NULL. */
must_check static inline void *take_ptr(void *p)
{
	void *got = *(void **)p;

	*(void **)p = NULL;
	return got;
}

/* Sum and product of sizes: true and *out set, or false on overflow. */
must_check static inline bool size_add(size_t a, size_t b, size_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}

must_check static inline bool size_mul(size_t a, size_t b, size_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

/* `n` rounded up to a multiple of `to`, a power of two. */
static inline uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & ~(to - 1);
}
