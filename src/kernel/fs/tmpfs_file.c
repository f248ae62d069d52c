/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/tmpfs_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/tmpfs.h"

#define DAY 86400

static struct tmpfs_node *node_of(const struct file *f)
{
	return f->inode->private;
}

/* As with relatime: once after each change, and once a day. */
static void accessed(struct file *f)
{
	struct inode *i = f->inode;
	abi_timespec now = inode_now();

	if (f->flags & O_NOATIME)
		return;
	if (i->atime.sec > i->mtime.sec && now.sec - i->atime.sec < DAY)
		return;
	if (i->atime.sec == i->mtime.sec && i->atime.nsec > i->mtime.nsec &&
	    now.sec - i->atime.sec < DAY)
		return;
	i->atime = now;
}

static void modified(struct inode *i)
{
	i->size = ((struct tmpfs_node *)i->private)->data.size;
	i->mtime = i->ctime = inode_now();
}

static long read_file(struct file *f, struct uio *u, int64_t *pos)
{
	long done = filedata_read(&node_of(f)->data, u, pos);

	if (done > 0)
		accessed(f);
	return done;
}

static long write_file(struct file *f, struct uio *u, int64_t *pos)
{
	struct filedata *d = &node_of(f)->data;
	long done;

	if (f->flags & O_APPEND)
		*pos = (int64_t)filedata_size(d);
	done = filedata_write(d, u, pos);
	if (done > 0)
		modified(f->inode);
	return done;
}

static int64_t seek_file(struct file *f, int64_t offset, int whence)
{
	struct filedata *d = &node_of(f)->data;

	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		offset = filedata_seek(d, offset, whence);
		if (offset < 0)
			return offset;
		whence = SEEK_SET;
	}
	return file_seek(f, (int64_t)filedata_size(d), offset, whence);
}

/*
 * Cells write natively only through shared mappings: a lease that could write
 * would let a cell move the end of the file behind our back.
 */
static long object_of(struct file *f, struct task *t, int prot, bool shared,
                      struct file_object *out)
{
	struct tmpfs_node *n = node_of(f);
	bool writable = shared && (prot & PROT_WRITE);
	long err;

	(void)t;
	if (writable && !(f->mode & FILE_WRITE))
		return -EACCES;
	err = filedata_object(&n->data, writable, out);
	if (err == 0)
		filedata_name_file(&n->data.name, n->data.fd, f, n->label);
	return err;
}

static long sync_file(struct file *f, struct task *t, bool data_only)
{
	(void)f, (void)t, (void)data_only;
	return 0;
}

static long truncate_file(struct file *f, struct task *t, uint64_t size)
{
	long err = filedata_truncate(&node_of(f)->data, size);

	(void)t;
	if (err == 0)
		modified(f->inode);
	return err;
}

static long allocate(struct file *f, struct task *t, int mode, uint64_t offset,
                     uint64_t size)
{
	long err = filedata_allocate(&node_of(f)->data, mode, offset, size);

	(void)t;
	if (err == 0)
		modified(f->inode);
	return err;
}

static long control(struct file *f, struct task *t, int cmd, uint64_t arg)
{
	struct tmpfs_node *n = node_of(f);

	(void)t;
	if (!n->label)
		return -EINVAL;
	switch (cmd) {
	case F_GET_SEALS:
		return n->sealable ? (long)n->data.seals : F_SEAL_SEAL;
	case F_ADD_SEALS:
		if (!n->sealable || !(f->mode & FILE_WRITE))
			return -EPERM;
		if (arg > UINT32_MAX)
			return -EINVAL;
		return filedata_seal(&n->data, (uint32_t)arg);
	default:
		return -EINVAL;
	}
}

static const struct file_ops ops = {
	.read = read_file,
	.write = write_file,
	.seek = seek_file,
	.object = object_of,
	.fsync = sync_file,
	.truncate = truncate_file,
	.fallocate = allocate,
	.fcntl = control,
};

int tmpfs_file_open(struct inode *i, struct file *f)
{
	(void)i;
	f->ops = &ops;
	f->mode |= FILE_SEEKABLE;
	return 0;
}
