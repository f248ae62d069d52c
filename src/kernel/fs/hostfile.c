/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/hostfile.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>

#include "kernel/fs/filejob.h"
#include "kernel/fs/hostnode.h"
#include "kernel/fs/inode.h"

static struct hostnode *node_of(const struct file *f)
{
	return hostnode_of(f->inode);
}

static int pin(void *node)
{
	struct hostnode *n = node;

	return hostnode_pin(n, n->read_fd < 0);
}

static void unpin(void *node)
{
	hostnode_unpin(node);
}

static const struct filejob_owner owner = {.pin = pin, .unpin = unpin};

/* The descriptor to read with: read_fd, unless writing came first. */
static int reading_fd(struct file *f)
{
	struct hostnode *n = node_of(f);

	if (n->read_fd >= 0)
		return n->read_fd;
	if (n->write_fd >= 0 && !n->write_only)
		return n->write_fd;
	return hostnode_read_fd(n);
}

bool hostfile_in_memory(int fd)
{
	struct statfs sfs;

	return fstatfs(fd, &sfs) == 0 &&
	       (sfs.f_type == TMPFS_MAGIC || sfs.f_type == RAMFS_MAGIC);
}

static long read_file(struct file *f, struct uio *u, int64_t *pos)
{
	struct hostnode *n = node_of(f);
	const struct filejob_what what = {
		.owner = &owner, .node = n, .fd = reading_fd(f)};

	if (what.fd < 0)
		return what.fd;
	return filejob_read(&what, u, pos, n->fs->in_memory);
}

static long write_some(struct hostnode *n, struct file *f, struct uio *u,
                       int64_t *pos)
{
	size_t size;
	const void *from = uio_data(u, &size);
	struct iovec iov;
	ssize_t done;

	if (!from)
		return -EFAULT;
	iov.iov_base = (void *)(uintptr_t)from;
	iov.iov_len = size;
	done = pwritev2(n->write_fd, &iov, 1, *pos,
	                f->flags & O_APPEND ? RWF_APPEND : 0);
	if (done < 0)
		return -errno;
	uio_data_done(u, (size_t)done);
	*pos += done;
	return done;
}

static long write_file(struct file *f, struct uio *u, int64_t *pos)
{
	struct hostnode *n = node_of(f);
	size_t before = u->done;
	struct stat st;
	long done = 0;

	if (n->write_fd < 0)
		return -EBADF;
	if (*pos < 0)
		return -EINVAL;
	while (u->left > 0) {
		done = write_some(n, f, u, pos);
		if (done <= 0)
			break;
	}
	n->checked_ns = 0;
	if ((f->flags & O_APPEND) && fstat(n->write_fd, &st) == 0)
		*pos = st.st_size;
	return u->done > before ? (long)(u->done - before) : done;
}

static int any_fd(const struct hostnode *n)
{
	return n->read_fd >= 0 ? n->read_fd : n->write_fd;
}

static int64_t seek_file(struct file *f, int64_t offset, int whence)
{
	struct stat st = {0};
	int fd = any_fd(node_of(f));

	if (whence == SEEK_END && fstat(fd, &st) < 0)
		return -errno;
	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		offset = lseek(fd, offset, whence);
		if (offset < 0)
			return -errno;
		whence = SEEK_SET;
	}
	return file_seek(f, st.st_size, offset, whence);
}

static long object_of(struct file *f, struct task *t, int prot, bool shared,
                      struct file_object *out)
{
	struct hostnode *n = node_of(f);
	bool writable = shared && (prot & PROT_WRITE);
	int fd;

	(void)t;
	if (writable) {
		if (!(f->mode & FILE_WRITE) || n->write_fd < 0 || n->write_only)
			return -EACCES;
		fd = n->write_fd;
	} else {
		fd = hostnode_read_fd(n);
		if (fd < 0)
			return fd;
	}
	if (n->key == 0)
		n->key = n->fs->kernel->world->next_key++;
	out->host_fd = fd;
	out->key = n->key << 1 | writable;
	out->writable = writable;
	return 0;
}

static long sync_file(struct file *f, struct task *t, bool data_only)
{
	struct hostnode *n = node_of(f);
	const struct filejob_what what = {.owner = &owner,
	                                  .node = n,
	                                  .kind = data_only ? FILEJOB_FDATASYNC
	                                                    : FILEJOB_FSYNC,
	                                  .fd = any_fd(n)};

	if (!n->fs->options.writable || !t)
		return 0;
	return filejob_do(t, &what);
}

static long truncate_file(struct file *f, struct task *t, uint64_t size)
{
	struct hostnode *n = node_of(f);

	(void)t;
	if (n->write_fd < 0)
		return -EBADF;
	if (size > INT64_MAX)
		return -EFBIG;
	n->checked_ns = 0;
	return ftruncate(n->write_fd, (off_t)size) < 0 ? -errno : 0;
}

static long allocate(struct file *f, struct task *t, int mode, uint64_t offset,
                     uint64_t size)
{
	struct hostnode *n = node_of(f);

	(void)t;
	if (n->write_fd < 0)
		return -EBADF;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
	             FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (offset > INT64_MAX || size > INT64_MAX)
		return -EFBIG;
	n->checked_ns = 0;
	return fallocate(n->write_fd, mode, (off_t)offset, (off_t)size) < 0
	               ? -errno
	               : 0;
}

static void release(struct file *f)
{
	struct hostnode *n = node_of(f);

	if (f->mode & FILE_WRITE)
		hostnode_unpin(n);
	if (f->mode & FILE_READ || !(f->mode & FILE_WRITE))
		hostnode_unpin(n);
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

long hostfile_open(struct inode *i, struct file *f)
{
	struct hostnode *n = hostnode_of(i);
	bool read = f->mode & FILE_READ || !(f->mode & FILE_WRITE);
	int err;

	if (f->mode & FILE_WRITE) {
		if (!n->fs->options.writable)
			return -EROFS;
		err = hostnode_pin(n, true);
		if (err < 0)
			return err;
	}
	/* A file opened for both is read through the one descriptor. */
	err = read ? hostnode_pin(n, f->mode & FILE_WRITE && !n->write_only)
	           : 0;
	if (err < 0) {
		if (f->mode & FILE_WRITE)
			hostnode_unpin(n);
		return err;
	}
	f->ops = &ops;
	f->mode |= FILE_SEEKABLE;
	return 0;
}
