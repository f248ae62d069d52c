/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory.  What the stub staged with the request is served from the
 * data window; everything else is reached through the host.  Callers never
 * know which.  Addresses are a type that cannot be dereferenced.
 */
#pragma once

#include "kernel/task/task.h"

typedef struct {
	uint64_t raw;
} uaddr_t;

#define UADDR_NULL ((uaddr_t){0})

static inline uaddr_t uaddr_add(uaddr_t a, uint64_t n)
{
	return (uaddr_t){a.raw + n};
}

/* Copies from the guest.  Returns 0, or -EFAULT with *to undefined. */
must_check int user_read(struct task *t, uaddr_t from, void *to, size_t size);

/*
 * Copies to the guest.  Returns 0 or -EFAULT.  What lies in a reserved piece
 * of the window reaches the guest with the answer.
 */
must_check int user_write(struct task *t, uaddr_t to, const void *from,
                          size_t size);

/*
 * Copies a string with its NUL.  Returns its length without it, -EFAULT, or
 * -ENAMETOOLONG when `room` bytes do not hold it.
 */
must_check long user_string(struct task *t, uaddr_t from, char *to,
                            size_t room);

/*
 * Where `size` bytes at `to` may be written directly (a piece of the data
 * window), or NULL.  Follow with user_room_done().
 */
void *user_room(struct task *t, uaddr_t to, size_t size);

/* Hands the first `size` bytes of that room to the guest. */
must_check int user_room_done(struct task *t, uaddr_t to, size_t size);

/*
 * For a handler that is about to wait: what it has written stays part of the answer
 * when it runs again, which then writes behind it.
 */
void user_keep(struct task *t);

/* Where the staged bytes lie, or NULL.  Opaque data only: they may change. */
const void *user_staged(struct task *t, uaddr_t from, size_t size);
