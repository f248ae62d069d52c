/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Charging.  `charged` covers the buffer's room, or the memory file's pages.
 * Before a write the pages it may add are charged; a file without holes needs
 * no more than that.  One with holes, or mapped by a cell, is `sparse`: after
 * each change the host is asked how many pages there are.
 */
#include "kernel/fs/filedata.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/whole.h"
#include "kernel/core/limits.h"
#include "kernel/fs/world.h"

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

#define PAGE          4096u
#define BUFFER_MAX    ((size_t)64 << 20) /* when there are no descriptors left */
#define SIZE_MAX_FILE ((uint64_t)INT64_MAX & ~(uint64_t)(PAGE - 1))

void filedata_init(struct filedata *d, struct kernel *k,
                   struct filedata_quota *quota)
{
	*d = (struct filedata){
		.kernel = k, .quota = quota, .fd = -1, .read_fd = -1};
	filedata_name_init(&d->name, k);
}

static int charge(struct filedata *d, uint64_t bytes)
{
	if (bytes > d->quota->max - MIN(d->quota->max, d->quota->used))
		return -ENOSPC;
	if (!d->on_disk && limits_charge(d->kernel, bytes) < 0)
		return -ENOSPC;
	d->quota->used += bytes;
	d->charged += bytes;
	return 0;
}

static void uncharge(struct filedata *d, uint64_t bytes)
{
	if (!d->on_disk)
		limits_uncharge(d->kernel, bytes);
	d->quota->used -= bytes;
	d->charged -= bytes;
}

/* The host's word on the pages there are.  Cells may have made some that no
 * longer fit the limits: they are charged as far as that goes. */
static void settle(struct filedata *d)
{
	struct stat st;
	uint64_t held;

	if (d->fd < 0 || fstat(d->fd, &st) < 0)
		return;
	if (d->handed)
		d->size = (uint64_t)st.st_size;
	held = (uint64_t)st.st_blocks * 512;
	if (held < d->charged)
		uncharge(d, d->charged - held);
	else if (held > d->charged)
		(void)!charge(d, held - d->charged);
}

/* Cells may have made it larger. */
static void look(struct filedata *d)
{
	if (d->handed)
		settle(d);
}

void filedata_fini(struct filedata *d)
{
	base_close(&d->fd);
	base_close(&d->read_fd);
	free(d->bytes);
	uncharge(d, d->charged);
	filedata_name_fini(&d->name);
}

void filedata_name_init(struct filedata_name *n, struct kernel *k)
{
	*n = (struct filedata_name){.kernel = k};
	list_init(&n->in_world);
}

void filedata_name_fini(struct filedata_name *n)
{
	list_del(&n->in_world);
	limits_free(n->kernel, n->text, n->room);
}

void filedata_name_set(struct filedata_name *n, int fd, const char *text)
{
	struct stat st;

	if (n->text || fd < 0 || fstat(fd, &st) < 0)
		return;
	n->room = strlen(text) + 1;
	n->text = limits_alloc(n->kernel, n->room);
	if (!n->text)
		return;
	memcpy(n->text, text, n->room);
	n->host_ino = st.st_ino;
	list_add_tail(&n->kernel->world->mapped, &n->in_world);
}

void filedata_name_file(struct filedata_name *n, int fd, const struct file *f,
                        const char *label)
{
	autofree char *text = n->text ? NULL : malloc(LIMIT_PATH);

	if (!text)
		return;
	if (!label && (!f->path.dentry ||
	               path_name(NULL, &f->path, text, LIMIT_PATH, NULL) < 0))
		return;
	filedata_name_set(n, fd, label ? label : text);
}

const char *filedata_name_of(struct kernel *k, uint64_t host_ino)
{
	list_for_each (at, &k->world->mapped) {
		struct filedata_name *n = list_entry(at, struct filedata_name,
		                                     in_world);

		if (n->host_ino == host_ino)
			return n->text;
	}
	return NULL;
}

/* A new file for the contents: *disk says whether it lies on a disk. */
static int open_file(const struct filedata *d, bool *disk)
{
	int fd = -1;

	if (d->quota->disk)
		fd = world_spill_open(d->kernel);
	*disk = fd >= 0;
	if (fd < 0)
		fd = memfd_create("tmpfs", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

/* From memory to disk: what was charged to the qube's memory no longer is. */
static void move_charge(struct filedata *d, bool disk)
{
	if (disk)
		limits_uncharge(d->kernel, d->charged);
	d->on_disk = disk;
}

/*
 * From a buffer to a memory file.  If it is not really needed, others may need
 * the descriptor more: then half of them stay free.
 */
static int become_memfd(struct filedata *d, bool needed)
{
	uint64_t pages = round_up(d->size, PAGE);
	bool disk;
	int err;
	int fd;

	if (d->fd >= 0)
		return 0;
	fd = open_file(d, &disk);
	if (fd < 0)
		return fd == -EMFILE ? -ENFILE : fd;
	if (!needed && fd >= d->kernel->world->fd_limit / 2) {
		close(fd);
		return -ENFILE;
	}
	fd = world_keep(d->kernel, fd);
	if (fd < 0)
		return fd;
	err = pages > d->charged ? charge(d, pages - d->charged) : 0;
	if (err < 0)
		goto close_fd;
	err = whole_pwrite(fd, (struct span){d->bytes, MIN(d->size, d->room)},
	                   0);
	if (err == 0 && ftruncate(fd, (off_t)d->size) < 0)
		err = -errno;
	if (err < 0)
		goto close_fd;

	/* Nothing below can fail. */
	if (d->charged > pages)
		uncharge(d, d->charged - pages);
	move_charge(d, disk);
	free(d->bytes);
	d->bytes = NULL;
	d->room = 0;
	d->fd = fd;
	return 0;

close_fd:
	close(fd);
	return err;
}

/* Makes room for `size` bytes in the buffer. */
static int grow_buffer(struct filedata *d, size_t size)
{
	size_t room = MAX(d->room, 64);
	uint8_t *bytes;
	int err;

	if (size <= d->room)
		return 0;
	while (room < size)
		room *= 2;
	err = charge(d, room - d->room);
	if (err < 0)
		return err;
	bytes = realloc(d->bytes, room);
	if (!bytes) {
		uncharge(d, room - d->room);
		return -ENOSPC;
	}
	memset(bytes + d->room, 0, room - d->room);
	d->bytes = bytes;
	d->room = room;
	return 0;
}

/* Prepares [at, at + size) to be written.  `size` is not 0. */
static int prepare(struct filedata *d, uint64_t at, size_t size)
{
	uint64_t end = at + size;
	uint64_t have = round_up(d->size, PAGE);
	uint64_t from = at & ~(uint64_t)(PAGE - 1);
	int err;

	if (d->fd < 0 && end <= FILEDATA_SMALL)
		return grow_buffer(d, (size_t)end);
	err = become_memfd(d, false);
	if (err == -ENFILE && end <= BUFFER_MAX)
		return grow_buffer(d, (size_t)end);
	if (err < 0)
		return err;
	if (from > have)
		d->sparse = true;
	if (!d->sparse)
		from = MAX(from, have);
	if (round_up(end, PAGE) > from)
		return charge(d, round_up(end, PAGE) - from);
	return 0;
}

static long write_some(struct filedata *d, const void *from, size_t size,
                       uint64_t at)
{
	int err = prepare(d, at, size);

	if (err < 0)
		return err;
	if (d->fd >= 0) {
		err = whole_pwrite(d->fd, (struct span){from, size}, at);
		if (d->sparse || err < 0)
			settle(d);
		if (err < 0)
			return err;
	} else {
		memcpy(d->bytes + at, from, size);
	}
	d->size = MAX(d->size, at + size);
	return 0;
}

long filedata_write(struct filedata *d, struct uio *u, int64_t *pos)
{
	size_t before = u->done;
	uint64_t end;
	long err = 0;

	look(d);
	if (d->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (u->left == 0)
		return 0;
	if (*pos < 0 || (uint64_t)*pos >= SIZE_MAX_FILE ||
	    u->left > SIZE_MAX_FILE - (uint64_t)*pos)
		return -EFBIG;
	end = (uint64_t)*pos + u->left;
	if (end > d->size && (d->seals & F_SEAL_GROW))
		return -EPERM;
	while (u->left > 0) {
		size_t size;
		const void *from = uio_data(u, &size);

		if (!from) {
			err = -EFAULT;
			break;
		}
		err = write_some(d, from, size, (uint64_t)*pos);
		if (err < 0)
			break;
		uio_data_done(u, size);
		*pos += (int64_t)size;
	}
	return u->done > before ? (long)(u->done - before) : err;
}

long filedata_read(struct filedata *d, struct uio *u, int64_t *pos)
{
	size_t before = u->done;
	long err = 0;

	look(d);
	while (u->left > 0 && *pos >= 0 && (uint64_t)*pos < d->size) {
		uint64_t at = (uint64_t)*pos;
		size_t room;
		void *to = uio_room(u, &room);
		size_t size = (size_t)MIN((uint64_t)room, d->size - at);

		if (d->fd >= 0) {
			ssize_t n = pread(d->fd, to, size, (off_t)at);

			if (n <= 0) {
				err = n < 0 ? -errno : 0;
				break;
			}
			size = (size_t)n;
		} else if (at < d->room) {
			size = MIN(size, d->room - (size_t)at);
			memcpy(to, d->bytes + at, size);
		} else {
			memset(to, 0, size);
		}
		err = uio_room_done(u, size);
		if (err < 0)
			break;
		*pos += (int64_t)size;
	}
	return u->done > before ? (long)(u->done - before) : err;
}

long filedata_truncate(struct filedata *d, uint64_t size)
{
	int err;

	look(d);
	if ((size > d->size && (d->seals & F_SEAL_GROW)) ||
	    (size < d->size && (d->seals & F_SEAL_SHRINK)))
		return -EPERM;
	if (size > SIZE_MAX_FILE)
		return -EFBIG;
	if (d->fd < 0 && size > FILEDATA_SMALL) {
		err = become_memfd(d, false);
		if (err < 0 && err != -ENFILE)
			return err;
	}
	if (d->fd >= 0) {
		if (ftruncate(d->fd, (off_t)size) < 0)
			return -errno;
		d->sparse = d->sparse || size > d->size;
		settle(d);
	} else if (size < d->size) {
		if (size < d->room)
			memset(d->bytes + size, 0,
			       (size_t)MIN(d->size, d->room) - (size_t)size);
		if (size == 0) {
			uncharge(d, d->charged);
			free(d->bytes);
			d->bytes = NULL;
			d->room = 0;
		}
	}
	d->size = size;
	return 0;
}

static long punch(struct filedata *d, uint64_t offset, uint64_t size, int mode)
{
	uint64_t end;

	look(d);
	end = MIN(d->size, offset + size);
	if (d->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (d->fd >= 0) {
		if (fallocate(d->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		              (off_t)size) < 0)
			return -errno;
		d->sparse = true;
		settle(d);
	} else if (offset < MIN(end, d->room)) {
		memset(d->bytes + offset, 0,
		       MIN((size_t)end, d->room) - (size_t)offset);
	}
	return 0;
}

long filedata_allocate(struct filedata *d, int mode, uint64_t offset,
                       uint64_t size)
{
	uint64_t end;
	uint64_t pages;
	long err;

	if (size == 0 || size > SIZE_MAX_FILE || offset > SIZE_MAX_FILE - size)
		return size == 0 ? -EINVAL : -EFBIG;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	if (mode & FALLOC_FL_PUNCH_HOLE) {
		if (!(mode & FALLOC_FL_KEEP_SIZE))
			return -EOPNOTSUPP;
		return punch(d, offset, size, FALLOC_FL_PUNCH_HOLE);
	}
	end = offset + size;
	if (end > d->size && !(mode & FALLOC_FL_KEEP_SIZE) &&
	    (d->seals & F_SEAL_GROW))
		return -EPERM;
	err = become_memfd(d, true);
	if (err < 0)
		return err;
	settle(d);
	pages = round_up(end, PAGE) - (offset & ~(uint64_t)(PAGE - 1));
	err = charge(d, pages);
	if (err < 0)
		return err;
	d->sparse = true;
	err = fallocate(d->fd, mode & FALLOC_FL_KEEP_SIZE, (off_t)offset,
	                (off_t)size) < 0
	              ? -errno
	              : 0;
	settle(d);
	if (err == 0 && !(mode & FALLOC_FL_KEEP_SIZE))
		d->size = MAX(d->size, end);
	return err;
}

int64_t filedata_seek(struct filedata *d, int64_t offset, int whence)
{
	off_t at;

	look(d);
	if (offset < 0 || (uint64_t)offset >= d->size)
		return -ENXIO;
	if (d->fd < 0)
		return whence == SEEK_DATA ? offset : (int64_t)d->size;
	at = lseek(d->fd, offset, whence);
	return at < 0 ? -errno : at;
}

uint64_t filedata_size(struct filedata *d)
{
	look(d);
	return d->size;
}

uint64_t filedata_held(struct filedata *d)
{
	if (d->fd < 0)
		return round_up(d->size, PAGE);
	if (d->sparse)
		settle(d);
	return d->charged;
}

/* Opens the memory file a second time, for reading only. */
static int open_read_only(struct filedata *d)
{
	int fd;

	if (d->read_fd >= 0)
		return 0;
	fd = world_reopen(d->kernel, d->fd, O_RDONLY);
	if (fd < 0)
		return fd;
	d->read_fd = fd;
	return 0;
}

long filedata_object(struct filedata *d, bool writable, struct file_object *out)
{
	int err;

	if (writable && (d->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return -EPERM;
	err = become_memfd(d, true);
	if (err == 0 && !writable)
		err = open_read_only(d);
	if (err < 0)
		return err;
	if (d->key == 0)
		d->key = d->kernel->world->next_key++;
	if (writable)
		d->sparse = d->handed = true;
	out->host_fd = writable ? d->fd : d->read_fd;
	out->key = d->key << 1 | writable;
	out->writable = writable;
	return 0;
}

long filedata_seal(struct filedata *d, uint32_t seals)
{
	const uint32_t known = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
	                       F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC;
	const uint32_t ours = F_SEAL_SEAL | F_SEAL_EXEC;
	int err;

	if (seals & ~known)
		return -EINVAL;
	if (d->seals & F_SEAL_SEAL)
		return -EPERM;
	err = become_memfd(d, true);
	if (err < 0)
		return err;
	/* The host knows who has it mapped, and holds cells to the seals. */
	if (fcntl(d->fd, F_ADD_SEALS, seals & ~ours) < 0)
		return -errno;
	d->seals |= seals;
	return 0;
}
