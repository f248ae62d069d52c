/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/uio.h"

#include <limits.h>
#include <string.h>

#include "kernel/task/cells.h"

void uio_init(struct uio *u, struct task *t, uaddr_t at, size_t size)
{
	*u = (struct uio){
		.task = t,
		.count = 1,
		.left = size,
		.one = {at.raw, size},
	};
}

int uio_init_iov(struct uio *u, struct task *t, uaddr_t at, abi_iovec *iov,
                 size_t count)
{
	uint64_t room = UIO_MAX;

	if (user_read(t, at, iov, count * sizeof(*iov)) < 0)
		return -EFAULT;
	for (size_t i = 0; i < count; i++) {
		if (iov[i].size > (uint64_t)INT64_MAX)
			return -EINVAL;
		iov[i].size = MIN(iov[i].size, room);
		room -= iov[i].size;
	}
	*u = (struct uio){
		.task = t,
		.iov = iov,
		.count = count,
		.left = (size_t)(UIO_MAX - room),
	};
	return 0;
}

void uio_init_kernel(struct uio *u, void *at, size_t size)
{
	*u = (struct uio){.kernel = at, .left = size};
}

/* The piece that is next, empty ones passed over.  Something must be left. */
static const abi_iovec *piece(struct uio *u)
{
	const abi_iovec *iov = u->iov ? u->iov : &u->one;

	assert(u->left > 0);
	while (u->skip == iov->size) {
		iov++;
		u->iov = iov;
		u->count--;
		u->skip = 0;
	}
	return iov;
}

/* How much of the current piece is left, and where it goes on. */
static size_t piece_left(struct uio *u, uaddr_t *at)
{
	const abi_iovec *p = piece(u);

	at->raw = p->base + u->skip;
	return MIN(u->left, p->size - u->skip);
}

static void advance(struct uio *u, size_t size)
{
	assert(size <= u->left);
	u->left -= size;
	u->done += size;
	if (u->kernel)
		u->kernel += size;
	else
		u->skip += size;
}

int uio_put(struct uio *u, const void *from, size_t size)
{
	const uint8_t *src = from;

	assert(size <= u->left);
	while (size > 0) {
		uaddr_t at;
		size_t n = size;

		if (u->kernel) {
			memcpy(u->kernel, src, n);
		} else {
			n = MIN(n, piece_left(u, &at));
			if (user_write(u->task, at, src, n) < 0)
				return -EFAULT;
		}
		advance(u, n);
		src += n;
		size -= n;
	}
	return 0;
}

/*
 * Before the first byte is taken: are all of them within reach?  Where they
 * must be fetched, that has to come before anything is done with them.
 */
static bool all_ready(struct uio *u)
{
	const abi_iovec *iov = u->iov ? u->iov : &u->one;
	size_t left = u->left;

	for (size_t i = 0; !u->ready && u->done == 0 && left > 0; i++) {
		size_t size = MIN(left, iov[i].size);
		uaddr_t at = {iov[i].base};

		if (size > 0 && !user_staged(u->task, at, size) &&
		    !cells_ready(u->task, at.raw, size))
			return false;
		left -= size;
	}
	u->ready = true;
	return true;
}

int uio_take(struct uio *u, void *to, size_t size)
{
	uint8_t *dst = to;

	assert(size <= u->left);
	if (!u->kernel && !all_ready(u))
		return -EFAULT;
	while (size > 0) {
		uaddr_t at;
		size_t n = size;

		if (u->kernel) {
			memcpy(dst, u->kernel, n);
		} else {
			n = MIN(n, piece_left(u, &at));
			if (user_read(u->task, at, dst, n) < 0)
				return -EFAULT;
		}
		advance(u, n);
		dst += n;
		size -= n;
	}
	return 0;
}

void *uio_room(struct uio *u, size_t *size)
{
	uaddr_t at;
	void *room;

	*size = u->left;
	if (u->kernel || u->left == 0)
		return u->kernel ? u->kernel : u->task->kernel->scratch;
	*size = piece_left(u, &at);
	room = user_room(u->task, at, *size);
	if (room)
		return room;
	*size = MIN(*size, SCRATCH_SIZE);
	return u->task->kernel->scratch;
}

int uio_room_done(struct uio *u, size_t size)
{
	uaddr_t at;
	size_t left;
	int err = 0;

	if (size == 0)
		return 0;
	if (!u->kernel) {
		left = piece_left(u, &at);
		if (user_room(u->task, at, left))
			err = user_room_done(u->task, at, size);
		else
			err = user_write(u->task, at, u->task->kernel->scratch,
			                 size);
	}
	if (err == 0)
		advance(u, size);
	return err;
}

const void *uio_data(struct uio *u, size_t *size)
{
	uaddr_t at;
	const void *data;

	*size = u->left;
	if (u->kernel || u->left == 0)
		return u->kernel ? u->kernel : u->task->kernel->scratch;
	if (!all_ready(u))
		return NULL;
	*size = piece_left(u, &at);
	data = user_staged(u->task, at, *size);
	if (data)
		return data;
	*size = MIN(*size, SCRATCH_SIZE);
	if (user_read(u->task, at, u->task->kernel->scratch, *size) < 0)
		return NULL;
	return u->task->kernel->scratch;
}

void uio_data_done(struct uio *u, size_t size)
{
	while (size > 0) {
		uaddr_t at;
		size_t n = u->kernel ? size : MIN(size, piece_left(u, &at));

		advance(u, n);
		size -= n;
	}
}
