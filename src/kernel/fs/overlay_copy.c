/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file's copy is made without a name and linked into place when it is
 * complete, so that nobody sees half of one.
 */
#include "kernel/fs/overlay_copy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/file.h"

static const struct file_ops no_ops;

long overlay_copy_open(struct inode *real, struct task *t, uint32_t flags,
                       struct file **out)
{
	struct file *f = file_create(real->sb->kernel, &no_ops, NULL, flags);
	long err;

	if (!f)
		return -ENOMEM;
	if (!real->ops->open) {
		file_put(f);
		return -ENXIO;
	}
	f->inode = inode_get(real);
	err = real->ops->open(real, t, f);
	if (err < 0) {
		f->ops = &no_ops;
		file_put(f);
		return err;
	}
	*out = f;
	return 0;
}

/* One piece of the contents.  Bytes copied, 0 at the end. */
static long copy_piece(struct file *from, struct file *to, struct task *t,
                       int64_t *pos)
{
	uint8_t *piece = from->kernel->scratch;
	int64_t at = *pos;
	struct uio u;
	long size;
	long done;

	uio_init_kernel(&u, piece, SCRATCH_SIZE);
	u.task = t;
	size = from->ops->read(from, &u, &at);
	if (size <= 0)
		return size;
	uio_init_kernel(&u, piece, (size_t)size);
	done = to->ops->write(to, &u, pos);
	return done < 0 ? done : size;
}

static long copy_contents(struct overlay_node *n, struct task *t)
{
	struct file *from = NULL;
	struct file *to = NULL;
	long err;

	err = overlay_copy_open(n->lower, t, O_RDONLY, &from);
	if (err < 0)
		return err;
	err = overlay_copy_open(n->partial, t, O_WRONLY, &to);
	while (err == 0) {
		err = copy_piece(from, to, t, &n->partial_pos);
		if (err == 0)
			break;
		err = MIN(err, 0);
	}
	file_put(to);
	file_put(from);
	return err;
}

static long copy_attributes(const struct inode *from, struct inode *to,
                            struct task *t)
{
	struct inode_change c = {
		.which = INODE_SET_MODE | INODE_SET_UID | INODE_SET_GID |
	                 INODE_SET_ATIME | INODE_SET_MTIME,
		.mode = from->mode,
		.uid = from->uid,
		.gid = from->gid,
		.atime = from->atime,
		.mtime = from->mtime,
	};

	return inode_change(to, t, &c);
}

/* Extended attributes, where the lower side has any. */
static long copy_xattrs(struct inode *from, struct inode *to, struct task *t)
{
	char *scratch = (char *)from->sb->kernel->scratch;
	size_t half = SCRATCH_SIZE / 2;
	long size;
	long err = 0;

	if (!from->ops->listxattr || !from->ops->getxattr)
		return 0;
	size = from->ops->listxattr(from, t, scratch, half);
	for (char *at = scratch; size > 0 && at < scratch + size && err == 0;
	     at += strlen(at) + 1) {
		struct span name = span_str(at);
		uint8_t *value = (uint8_t *)scratch + half;
		long got = from->ops->getxattr(from, t, name, value, half);

		if (got >= 0)
			err = to->ops->setxattr(
				to, t, name, (struct span){value, (size_t)got},
				0);
		if (err == -EOPNOTSUPP)
			err = 0;
	}
	return size < 0 && size != -EOPNOTSUPP ? size : err;
}

/* Adding a name must not show in the times of the directory it is in. */
static long enter_quietly(struct inode *dir, struct task *t, struct span name,
                          struct inode *i)
{
	struct inode_change times = {
		.which = INODE_SET_ATIME | INODE_SET_MTIME,
		.atime = dir->atime,
		.mtime = dir->mtime,
	};
	long err = dir->ops->link(dir, t, name, i);

	if (err == 0)
		(void)!inode_change(dir, t, &times);
	return err;
}

static long copy_dir(struct overlay_node *n, struct inode *up, struct task *t,
                     struct inode **out)
{
	struct inode_new how = {.mode = n->lower->mode,
	                        .uid = n->lower->uid,
	                        .gid = n->lower->gid};
	struct inode_change times = {
		.which = INODE_SET_ATIME | INODE_SET_MTIME,
		.atime = up->atime,
		.mtime = up->mtime,
	};
	long err = up->ops->create(up, t, span_str(n->name), &how, out);

	if (err < 0)
		return err;
	(void)!inode_change(up, t, &times);
	/* A directory without all of its attributes is one still. */
	(void)!copy_xattrs(n->lower, *out, t);
	(void)!copy_attributes(n->lower, *out, t);
	return 0;
}

/* The nameless copy of a link or a special file. */
static long begin_special(struct overlay_node *n, struct inode *up,
                          struct task *t)
{
	struct inode_new how = {.mode = n->lower->mode,
	                        .uid = n->lower->uid,
	                        .gid = n->lower->gid,
	                        .rdev = n->lower->rdev};
	autofree char *target = NULL;

	if (inode_is(n->lower, S_IFLNK)) {
		long size;

		target = malloc(LIMIT_PATH);
		if (!target)
			return -ENOMEM;
		size = n->lower->ops->readlink(n->lower, t, target, LIMIT_PATH);
		if (size < 0)
			return size;
		how.target = (struct span){(uint8_t *)target, (size_t)size};
	}
	return up->ops->tmpfile(up, t, &how, &n->partial);
}

static long copy_file(struct overlay_node *n, struct inode *up, struct task *t,
                      bool contents)
{
	struct inode *done;
	long err = 0;

	if (!n->partial) {
		n->partial_pos = 0;
		err = begin_special(n, up, t);
	}
	if (err == 0 && contents && inode_is(n->lower, S_IFREG))
		err = copy_contents(n, t);
	if (err == 0)
		err = copy_xattrs(n->lower, n->partial, t);
	if (err == 0)
		err = copy_attributes(n->lower, n->partial, t);
	if (err == 0 && !n->gone)
		err = enter_quietly(up, t, span_str(n->name), n->partial);
	if (err == -EWAIT)
		return err;
	done = n->partial;
	n->partial = NULL;
	if (err < 0)
		inode_put(done);
	else
		overlay_node_rise(n, done);
	return err;
}

/* The outermost directory on the way to `n`, itself included, to be copied. */
static struct overlay_node *outermost(struct overlay_node *n)
{
	while (n->parent && !n->parent->upper)
		n = n->parent;
	return n;
}

long overlay_copy_up(struct overlay_node *n, struct task *t, bool contents)
{
	long err;

	if (n->gone && inode_is(n->inode, S_IFDIR))
		return -ENOENT;
	while (!n->upper) {
		struct overlay_node *at = n->gone ? n : outermost(n);
		struct inode *up;
		struct inode *made;

		if (!at->parent || !at->name)
			return -ESTALE;
		/* What has no name any more needs no directory either. */
		up = n->gone ? n->fs->upper->root : at->parent->upper;
		err = inode_refresh(at->lower, t);
		if (err < 0)
			return err;
		if (inode_is(at->lower, S_IFDIR)) {
			err = copy_dir(at, up, t, &made);
			if (err == 0)
				overlay_node_rise(at, made);
		} else {
			err = copy_file(at, up, t, contents);
		}
		if (err < 0)
			return err;
	}
	return 0;
}
