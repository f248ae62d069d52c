/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory devices, and the way to all others by their number.
 */
#include "kernel/fs/device.h"

#include <string.h>
#include <sys/random.h>

#include "kernel/fs/inode.h"
#include "kernel/fs/tmpfs.h"

/* kernel/tty/devpts.h; there may be no terminals. */
__attribute__((weak)) long devpts_open_device(struct task *t, uint64_t rdev,
                                              struct file *f);

/* /dev/zero mapped shared is memory that is as large as one likes. */
#define ZERO_SIZE (1ull << 42)

/* Fills what is left of a transfer by `fill`, which cannot fail. */
static long read_filled(struct uio *u, void (*fill)(void *to, size_t size))
{
	size_t before = u->done;
	int err = 0;

	while (u->left > 0 && err == 0) {
		size_t size;
		void *to = uio_room(u, &size);

		fill(to, size);
		err = uio_room_done(u, size);
	}
	return u->done > before ? (long)(u->done - before) : err;
}

static long read_null(struct file *f, struct uio *u, int64_t *pos)
{
	(void)f, (void)u, (void)pos;
	return 0;
}

static long write_null(struct file *f, struct uio *u, int64_t *pos)
{
	size_t size = u->left;

	(void)f, (void)pos;
	u->left = 0;
	u->done += size;
	return (long)size;
}

static long write_full(struct file *f, struct uio *u, int64_t *pos)
{
	(void)f, (void)pos;
	return u->left ? -ENOSPC : 0;
}

static void fill_zero(void *to, size_t size)
{
	memset(to, 0, size);
}

static long read_zero(struct file *f, struct uio *u, int64_t *pos)
{
	(void)f, (void)pos;
	return read_filled(u, fill_zero);
}

static void fill_random(void *to, size_t size)
{
	uint8_t *at = to;

	while (size > 0) {
		ssize_t n = getrandom(at, size, 0);

		if (n <= 0)
			continue;
		at += n;
		size -= (size_t)n;
	}
}

static long read_random(struct file *f, struct uio *u, int64_t *pos)
{
	(void)f, (void)pos;
	return read_filled(u, fill_random);
}

/* Seeking goes nowhere, and never fails. */
static int64_t seek_nowhere(struct file *f, int64_t offset, int whence)
{
	(void)offset, (void)whence;
	return f->pos = 0;
}

static long zero_object(struct file *f, struct task *t, int prot, bool shared,
                        struct file_object *out)
{
	struct file *memory = f->private;
	int err;

	if (!memory) {
		err = tmpfs_shared(f->kernel, "dev/zero", ZERO_SIZE, &memory);
		if (err < 0)
			return err;
		f->private = memory;
	}
	return memory->ops->object(memory, t, prot, shared, out);
}

static void zero_release(struct file *f)
{
	file_put(f->private);
}

static const struct file_ops null_ops = {
	.read = read_null,
	.write = write_null,
	.seek = seek_nowhere,
};

static const struct file_ops zero_ops = {
	.read = read_zero,
	.write = write_null,
	.seek = seek_nowhere,
	.object = zero_object,
	.release = zero_release,
};

static const struct file_ops full_ops = {
	.read = read_zero,
	.write = write_full,
	.seek = seek_nowhere,
};

/* What is written would be mixed in; the host needs none of it. */
static const struct file_ops random_ops = {
	.read = read_random,
	.write = write_null,
	.seek = seek_nowhere,
};

#define TERMINAL(name, major, minor, mode, group)
#define DEVICE(name, major, minor, mode, group, ops) \
	{DEVICE_MAKE(major, minor), &(ops)},
static const struct {
	uint64_t rdev;
	const struct file_ops *ops;
} devices[] = {
#include "kernel/fs/devices.def"
};

long device_open(struct task *t, uint64_t rdev, struct file *f)
{
	if (!inode_is(f->inode, 0020000)) /* character devices only */
		return -ENXIO;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		if (devices[i].rdev != rdev)
			continue;
		f->ops = devices[i].ops;
		f->mode |= FILE_SEEKABLE;
		return 0;
	}
	if (!devpts_open_device)
		return -ENXIO;
	return devpts_open_device(t, rdev, f);
}
