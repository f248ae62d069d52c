/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/overlay_file.h"

#include <fcntl.h>

#include "kernel/fs/overlay_copy.h"

/* The real one knows the name by which it was opened, too. */
static void lend_path(const struct file *f, struct file *inner)
{
	if (!f->path.dentry)
		return;
	inner->path = f->path;
	path_get(&inner->path);
}

/* The description of what the file is now. */
static struct file *real_of(struct file *f)
{
	struct inode *real = overlay_node_real(overlay_node_of(f->inode));
	struct file *inner = f->private;
	struct file *fresh;

	if (inner->inode != real &&
	    overlay_copy_open(real, NULL, f->flags, &fresh) == 0) {
		lend_path(f, fresh);
		file_put(inner);
		f->private = fresh;
		inner = fresh;
	}
	inner->flags = f->flags;
	return inner;
}

static long read_file(struct file *f, struct uio *u, int64_t *pos)
{
	struct file *inner = real_of(f);

	return inner->ops->read ? inner->ops->read(inner, u, pos) : -EINVAL;
}

static long write_file(struct file *f, struct uio *u, int64_t *pos)
{
	struct file *inner = real_of(f);
	long done;

	if (!inner->ops->write)
		return -EINVAL;
	done = inner->ops->write(inner, u, pos);
	overlay_node_fill(overlay_node_of(f->inode));
	return done;
}

static int64_t seek_file(struct file *f, int64_t offset, int whence)
{
	struct file *inner = real_of(f);
	int64_t at;

	inner->pos = f->pos;
	at = inner->ops->seek(inner, offset, whence);
	if (at >= 0)
		f->pos = at;
	return at;
}

static long object_of(struct file *f, struct task *t, int prot, bool shared,
                      struct file_object *out)
{
	struct file *inner = real_of(f);

	if (!inner->ops->object)
		return -ENODEV;
	return inner->ops->object(inner, t, prot, shared, out);
}

static long sync_file(struct file *f, struct task *t, bool data_only)
{
	struct file *inner = real_of(f);

	return inner->ops->fsync ? inner->ops->fsync(inner, t, data_only) : 0;
}

static long truncate_file(struct file *f, struct task *t, uint64_t size)
{
	struct file *inner = real_of(f);
	long err;

	if (!inner->ops->truncate)
		return -EINVAL;
	err = inner->ops->truncate(inner, t, size);
	overlay_node_fill(overlay_node_of(f->inode));
	return err;
}

static long allocate(struct file *f, struct task *t, int mode, uint64_t offset,
                     uint64_t size)
{
	struct file *inner = real_of(f);

	if (!inner->ops->fallocate)
		return -EOPNOTSUPP;
	return inner->ops->fallocate(inner, t, mode, offset, size);
}

static void release(struct file *f)
{
	file_put(f->private);
}

static const struct file_ops ops = {
	.read = read_file,
	.write = write_file,
	.seek = seek_file,
	.object = object_of,
	.fsync = sync_file,
	.truncate = truncate_file,
	.fallocate = allocate,
	.release = release,
};

long overlay_file_open(struct inode *i, struct task *t, struct file *f)
{
	struct overlay_node *n = overlay_node_of(i);
	struct file *inner;
	long err;

	if (f->mode & FILE_WRITE) {
		err = overlay_copy_up(n, t, !(f->flags & O_TRUNC));
		if (err < 0)
			return err;
	}
	err = overlay_copy_open(overlay_node_real(n), t, f->flags, &inner);
	if (err < 0)
		return err;
	lend_path(f, inner);
	f->private = inner;
	f->ops = &ops;
	f->mode |= inner->mode & FILE_SEEKABLE;
	return 0;
}
