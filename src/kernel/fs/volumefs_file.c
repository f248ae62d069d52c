/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charging.  `charged` in the inode's record is what a file takes of the
 * volume's limit.  Pages a write may add are charged before it; a file without
 * holes needs no more than that.  One with holes, or mapped by a cell, is
 * `sparse`: after each change the host is asked how much it holds.
 *
 * An object that a revision of the volume shares (`shared`) gets a copy of its
 * own before it is opened for writing; a helper thread makes it.
 */
#include "kernel/fs/volumefs_file.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "kernel/fs/filejob.h"
#include "kernel/fs/volumefs_ahead.h"
#include "kernel/fs/volumefs_flush.h"
#include "kernel/fs/volumefs_sealed.h"
#include "kernel/task/cells.h"
#include "volume/object.h"

#define PAGE 4096u

static struct volumefs_node *node_of(const struct file *f)
{
	return volumefs_node_of(f->inode);
}

/* ---- objects shared with a revision ---- */

/* The descriptors lead to the copy from now on. */
static long use_copy(struct volumefs_node *n)
{
	int fd = object_open(n->fs->volume->objects_fd, n->tree.ino, O_RDWR);

	if (fd < 0)
		return fd;
	/* In its place: helpers may just be using the number. */
	if (n->fd >= 0 && dup3(fd, n->fd, O_CLOEXEC) >= 0)
		close(fd);
	else
		n->fd = fd;
	base_close(&n->read_fd);
	n->key = 0;
	n->shared = false;
	n->fs->volume->created = true;
	cells_recall_leases(n->fs->kernel);
	return 0;
}

/* Makes the object ours alone.  0, -EWAIT, ... */
static long unshare_object(struct volumefs_node *n, struct task *t)
{
	struct filejob_what what = {.owner = &volumefs_node_owner,
	                            .node = n,
	                            .kind = FILEJOB_OWN,
	                            .number = n->tree.ino};
	long err;

	if (!n->shared)
		return 0;
	what.fd = n->fs->volume->objects_fd;
	err = t ? filejob_do(t, &what) : object_unshare(what.fd, what.number);
	return err < 0 ? err : use_copy(n);
}

/* ---- charging ---- */

int volumefs_file_charge(struct volumefs_node *n, uint64_t bytes)
{
	int err = volume_charge(n->fs->volume, bytes);

	if (err < 0 || bytes == 0)
		return err;
	n->tree.r.charged += bytes;
	volumefs_node_soil(n);
	return 0;
}

static void uncharge(struct volumefs_node *n, uint64_t bytes)
{
	bytes = MIN(bytes, n->tree.r.charged);
	if (bytes == 0)
		return;
	volume_uncharge(n->fs->volume, bytes);
	n->tree.r.charged -= bytes;
	volumefs_node_soil(n);
}

/* The host's word on what there is.  Cells may have filled holes that no
 * longer fit the limit: they are charged as far as that goes. */
static void settle(struct volumefs_node *n)
{
	struct stat st;
	uint64_t held;

	if (fstat(n->fd, &st) < 0)
		return;
	held = object_held(&st);
	if (n->fs->cipher)
		held = MIN(held, round_up(n->inode->size, PAGE));
	else
		n->inode->size = (uint64_t)st.st_size;
	if (held < n->tree.r.charged)
		uncharge(n, n->tree.r.charged - held);
	else if (held > n->tree.r.charged)
		(void)!volumefs_file_charge(n, held - n->tree.r.charged);
}

/* Prepares [at, at + *size) to be written; less if the limit is near. */
static long prepare(struct volumefs_node *n, uint64_t at, size_t *size)
{
	const struct vrecord_volume *s = &n->fs->volume->sums;
	uint64_t have = round_up(n->inode->size, PAGE);
	uint64_t from = at & ~(uint64_t)(PAGE - 1);
	uint64_t left = s->max_bytes - MIN(s->max_bytes, s->bytes);
	uint64_t end;

	if (from > have)
		n->sparse = true;
	if (n->sparse || n->mapped)
		settle(n);
	if (!n->sparse)
		from = MAX(from, have);
	left &= ~(uint64_t)(PAGE - 1);
	end = MIN(at + *size, from + left);
	if (round_up(at + *size, PAGE) <= from)
		end = at + *size; /* nothing new */
	if (end <= at)
		return -ENOSPC;
	*size = (size_t)(end - at);
	end = round_up(end, PAGE);
	return end > from ? volumefs_file_charge(n, end - from) : 0;
}

/* ---- reading and writing ---- */

static long read_file(struct file *f, struct uio *u, int64_t *pos)
{
	struct volumefs_node *n = node_of(f);
	const struct filejob_what what = {
		.owner = &volumefs_node_owner, .node = n, .fd = n->fd};

	if (n->young.is)
		return volumefs_young_read(n, u, pos);
	volumefs_node_set_late(n);
	return n->fs->cipher ? volumefs_sealed_read(f, u, pos)
	                     : filejob_read(&what, u, pos, n->fs->in_memory);
}

static long write_some(struct volumefs_node *n, struct uio *u, int64_t *pos)
{
	size_t size;
	const void *from = uio_data(u, &size);
	ssize_t done;
	long err;

	if (!from)
		return -EFAULT;
	err = prepare(n, (uint64_t)*pos, &size);
	if (err < 0)
		return err;
	if (n->young.is) {
		volumefs_young_write(n, (struct span){from, size},
		                     (uint64_t)*pos);
		done = (ssize_t)size;
	} else if (n->fs->cipher) {
		err = volumefs_sealed_put(n, from, size, (uint64_t)*pos);
		done = (ssize_t)size;
	} else {
		done = pwrite(n->fd, from, size, *pos);
		n->fs->young.stale = true;
		err = done < 0 ? -errno : 0;
		n->late &= ~(done > 0 ? INODE_SET_MTIME : 0);
	}
	if (n->sparse || err < 0 || (size_t)done < size)
		settle(n);
	if (err < 0)
		return err;
	uio_data_done(u, (size_t)done);
	*pos += done;
	n->inode->size = MAX(n->inode->size, (uint64_t)*pos);
	return done;
}

static long write_file(struct file *f, struct uio *u, int64_t *pos)
{
	struct volumefs_node *n = node_of(f);
	size_t before = u->done;
	long done = 0;

	if (!n->fs->volume)
		return -EIO;
	if (f->flags & O_APPEND)
		*pos = (int64_t)n->inode->size;
	if (*pos < 0)
		return -EINVAL;
	if (u->left > (uint64_t)(INT64_MAX - *pos))
		return -EFBIG;
	done = volumefs_young_room(n, (uint64_t)*pos, u->left);
	while (done >= 0 && u->left > 0) {
		done = write_some(n, u, pos);
		if (done <= 0)
			break;
	}
	volumefs_flush_later(n->fs);
	if (u->done > before && !n->young.is) {
		volumefs_sync_wrote(n);
		volumefs_ahead_wrote(n, u->done - before);
	}
	return u->done > before ? (long)(u->done - before) : done;
}

/* SEEK_DATA and SEEK_HOLE.  Holes of encrypted files do not show; young ones
 * have none. */
static int64_t find_hole(struct file *f, int64_t offset, int whence)
{
	uint64_t size = f->inode->size;

	if (!node_of(f)->fs->cipher && !node_of(f)->young.is) {
		offset = lseek(node_of(f)->fd, offset, whence);
		return offset < 0 ? -errno : offset;
	}
	if (offset < 0 || (uint64_t)offset >= size)
		return -ENXIO;
	return whence == SEEK_DATA ? offset : (int64_t)size;
}

static int64_t seek_file(struct file *f, int64_t offset, int whence)
{
	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		offset = find_hole(f, offset, whence);
		if (offset < 0)
			return offset;
		whence = SEEK_SET;
	}
	return file_seek(f, (int64_t)f->inode->size, offset, whence);
}

/*
 * Cells write natively only through shared mappings: a lease that could write
 * would let a cell move the end of the file past the volume's limit.
 */
static long object_of(struct file *f, struct task *t, int prot, bool shared,
                      struct file_object *out)
{
	struct volumefs_node *n = node_of(f);
	bool writable = shared && (prot & PROT_WRITE);
	long err;
	int fd;

	if (writable && !(f->mode & FILE_WRITE))
		return -EACCES;
	err = volumefs_young_make(n);
	if (err < 0)
		return err;
	if (n->fs->cipher)
		return volumefs_sealed_object(f, writable, out);
	fd = writable ? n->fd : volumefs_node_read_fd(n);
	if (fd < 0)
		return fd;
	volumefs_node_set_late(n);
	if (n->key == 0)
		n->key = n->fs->kernel->world->next_key++;
	err = writable ? volumefs_lent_begin(n, t) : 0;
	if (err < 0)
		return err;
	n->mapped |= writable;
	filedata_name_file(&n->name, fd, f, NULL);
	out->host_fd = fd;
	out->key = n->key << 1 | writable;
	out->writable = writable;
	return 0;
}

static long sync_file(struct file *f, struct task *t, bool data_only)
{
	struct volumefs_node *n = node_of(f);
	long err = volumefs_young_make(n);

	if (err == 0 && n->fs->cipher && n->fs->volume)
		err = volumefs_sealed_save(n);
	volumefs_node_set_late(n);
	return err < 0 ? err : volumefs_flush_wait(n, t, n->fd, data_only);
}

/* ---- sizes ---- */

static long set_size(struct volumefs_node *n, uint64_t size)
{
	long err = 0;

	if (size > INT64_MAX)
		return -EFBIG;
	if (size > n->inode->size)
		err = volumefs_young_make(n);
	if (err < 0)
		return err;
	if (size > n->inode->size)
		n->sparse = true;
	volumefs_node_set_late(n);
	if (n->young.is)
		volumefs_young_shrink(n, size);
	else if (n->fs->cipher)
		err = volumefs_sealed_resize(n, size);
	else if (ftruncate(n->fd, (off_t)size) < 0)
		err = -errno;
	if (err < 0)
		return err;
	if (!n->young.is) {
		volumefs_sync_wrote(n);
		n->fs->young.stale = true;
	}
	if (n->sparse || n->mapped)
		settle(n);
	else if (n->tree.r.charged > round_up(size, PAGE))
		uncharge(n, n->tree.r.charged - round_up(size, PAGE));
	n->inode->size = size;
	if (size == 0)
		n->sparse = false;
	volumefs_flush_later(n->fs);
	return 0;
}

static long truncate_file(struct file *f, struct task *t, uint64_t size)
{
	(void)t;
	return node_of(f)->fs->volume ? set_size(node_of(f), size) : -EIO;
}

static long allocate(struct file *f, struct task *t, int mode, uint64_t offset,
                     uint64_t size)
{
	struct volumefs_node *n = node_of(f);
	uint64_t pages;
	long err = 0;

	(void)t;
	if (!n->fs->volume)
		return -EIO;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
	             FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (offset > INT64_MAX || size > (uint64_t)INT64_MAX - offset)
		return -EFBIG;
	if (n->fs->cipher) /* room cannot be kept, the size can be set */
		return mode != 0 ? -EOPNOTSUPP
		       : offset + size > n->inode->size
		               ? set_size(n, offset + size)
		               : 0;
	err = volumefs_young_make(n);
	if (err < 0)
		return err;
	n->sparse = true;
	volumefs_node_set_late(n);
	settle(n);
	pages = round_up(offset + size, PAGE) -
	        (offset & ~(uint64_t)(PAGE - 1));
	if (!(mode & FALLOC_FL_PUNCH_HOLE))
		err = volumefs_file_charge(n, pages);
	if (err < 0)
		return err;
	if (fallocate(n->fd, mode, (off_t)offset, (off_t)size) < 0)
		err = -errno;
	settle(n);
	n->tree.r.ctime = tree_now(n->fs->volume);
	volumefs_node_soil(n);
	volumefs_sync_wrote(n);
	n->fs->young.stale = true;
	volumefs_flush_later(n->fs);
	return err;
}

static struct timespec host_time(bool set, abi_timespec t)
{
	return set ? (struct timespec){t.sec, t.nsec}
	           : (struct timespec){0, UTIME_OMIT};
}

long volumefs_file_change(struct volumefs_node *n, struct task *t,
                          const struct inode_change *c)
{
	const uint32_t ours = INODE_SET_SIZE | INODE_SET_ATIME |
	                      INODE_SET_MTIME;
	struct timespec times[2];
	long err;

	if (!(c->which & ours))
		return 0;
	err = unshare_object(n, t);
	if (err == 0)
		err = volumefs_node_pin(n);
	if (err < 0)
		return err;
	if (c->which & INODE_SET_SIZE)
		err = set_size(n, c->size);
	/* A young one's are its record's. */
	if (err == 0 && !n->young.is &&
	    (c->which & (INODE_SET_ATIME | INODE_SET_MTIME))) {
		n->late &= ~c->which;
		volumefs_node_set_late(n);
		times[0] = host_time(c->which & INODE_SET_ATIME, c->atime);
		times[1] = host_time(c->which & INODE_SET_MTIME, c->mtime);
		if (!n->fs->cipher && futimens(n->fd, times) < 0)
			err = -errno;
	}
	volumefs_node_unpin(n);
	return err;
}

/* ---- opening ---- */

static void release(struct file *f)
{
	struct volumefs_node *n = node_of(f);

	if (n->mapped && n->fs->volume)
		settle(n);
	volumefs_node_unpin(n);
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

long volumefs_file_open(struct inode *i, struct task *t, struct file *f)
{
	struct volumefs_node *n = volumefs_node_of(i);
	long err = 0;

	if (f->mode & FILE_WRITE)
		err = unshare_object(n, t);
	if (err == 0)
		err = volumefs_node_pin(n);
	if (err < 0)
		return err;
	f->ops = &ops;
	f->mode |= FILE_SEEKABLE;
	return 0;
}
