/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a path to an open file, whatever kind of thing it is.
 */
#include <linux/fcntl.h>
#include <sys/stat.h>

#include "kernel/fs/device.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/world.h"
#include "kernel/task/cred.h"

#include <linux/inotify.h>

/* O_* that a description keeps. */
#define KEPT                                                               \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC | O_DIRECT | \
	 O_NOATIME | O_PATH | O_DIRECTORY | O_NOFOLLOW | FASYNC |          \
	 O_LARGEFILE | O_TMPFILE)

static const struct file_ops path_ops;

static long open_inode(struct task *t, struct file *f)
{
	struct inode *i = f->inode;

	switch (i->mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFSOCK:
		return -ENXIO;
	case S_IFIFO:
		return pipe_fifo_open(i, t, f);
	case S_IFCHR:
	case S_IFBLK:
		if (f->path.mount->flags & MOUNT_NODEV)
			return -EACCES;
		if (!i->ops->open)
			return device_open(t, i->rdev, f);
		break;
	case S_IFREG:
		f->mode |= FILE_SEEKABLE;
		break;
	default:
		break;
	}
	return i->ops->open ? i->ops->open(i, t, f) : -ENXIO;
}

/* A program that runs is not written, one being written does not run. */
static long count_writer(struct file *f)
{
	if (!inode_is(f->inode, S_IFREG) || !(f->mode & FILE_WRITE))
		return 0;
	if (f->inode->denied > 0)
		return -ETXTBSY;
	f->inode->writers++;
	f->counts_writer = true;
	return 0;
}

/* A file that never became one: neither release() nor watchers hear of it. */
static void abandon(struct file *f)
{
	f->ops = &path_ops;
	f->mode |= FILE_PATH;
	file_put(f);
}

long file_open(struct task *t, const struct path *p, uint32_t flags,
               struct file **out)
{
	struct file *f;
	long err;

	f = file_create(t->kernel, &path_ops, NULL, flags & (KEPT | O_NOCTTY));
	if (!f)
		return -ENOMEM;
	f->label = NULL;
	f->path = *p;
	path_get(&f->path);
	f->inode = inode_get(path_inode(p));
	f->cred = cred_get(t->cred);
	/* Access mode 3 checks for both and allows neither. */
	if ((flags & O_ACCMODE) == O_ACCMODE)
		f->mode &= ~(FILE_READ | FILE_WRITE);
	if (flags & O_PATH) {
		f->mode = FILE_PATH;
		f->flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_LARGEFILE;
		*out = f;
		return 0;
	}
	err = count_writer(f);
	if (err == 0)
		err = open_inode(t, f);
	if (err < 0) {
		abandon(f);
		return err;
	}
	f->flags &= ~(uint32_t)O_NOCTTY; /* terminals have heard of it */
	inotify_file(f, IN_OPEN);
	*out = f;
	return 0;
}
