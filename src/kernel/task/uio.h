/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One data transfer between a file and guest memory (or, for sendfile and
 * splice, kernel memory), whatever its pieces are.
 *
 * A file's read() either copies with uio_put(), or asks uio_room() for a
 * place, fills some of it and says so with uio_done().  A write() mirrors that
 * with uio_take(), or uio_data() and uio_done().
 */
#pragma once

#include "kernel/task/user.h"

#define UIO_MAX 0x7ffff000u /* one call moves no more, as on Linux */

struct uio {
	struct task *task;
	const abi_iovec *iov; /* checked: the sizes' sum fits */
	size_t count;         /* pieces from `iov` on */
	size_t skip;          /* bytes of the first piece already done */
	size_t left;          /* bytes still to go in all */
	size_t done;
	uint8_t *kernel; /* not NULL: kernel memory instead */
	abi_iovec one;
	bool nonblock; /* the caller does not wait */
	bool ready;    /* no piece has to be fetched first */
};

/* A transfer of one piece of guest memory. */
void uio_init(struct uio *u, struct task *t, uaddr_t at, size_t size);

/*
 * Of the `count` pieces that the guest lists at `at`, read into `iov`, which is
 * borrowed; what is over UIO_MAX in all is cut off.  0, -EFAULT, or -EINVAL: a
 * size is negative as a long, wherever it stands.
 */
must_check int uio_init_iov(struct uio *u, struct task *t, uaddr_t at,
                            abi_iovec *iov, size_t count);

/* Of kernel memory. */
void uio_init_kernel(struct uio *u, void *at, size_t size);

/* Copies to / from the transfer's place and moves on.  0 or -EFAULT. */
must_check int uio_put(struct uio *u, const void *from, size_t size);
must_check int uio_take(struct uio *u, void *to, size_t size);

/*
 * A place for the next bytes, *size of them (at most what is left, at least
 * one unless nothing is left); valid until the next call on `u`.  Never NULL.
 */
void *uio_room(struct uio *u, size_t *size);

/* `size` bytes of that room were filled.  0 or -EFAULT. */
must_check int uio_room_done(struct uio *u, size_t size);

/* The next bytes to write, *size of them.  NULL: -EFAULT. */
const void *uio_data(struct uio *u, size_t *size);

/* `size` of them were used; also skips more, at most what is left. */
void uio_data_done(struct uio *u, size_t size);
