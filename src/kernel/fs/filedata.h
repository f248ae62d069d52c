/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of a regular file kept in memory: tmpfs, memfd_create(2), the
 * upper side of an overlay.
 *
 * A small file is a buffer of the kernel's.  Once it grows beyond
 * FILEDATA_SMALL, or a cell wants to map it, it becomes a memory file of the
 * host and stays one.  Either way each page is charged to the qube, and to
 * the file system's quota, before it exists.  Pages that a cell touches
 * through a shared mapping are noticed and charged at the next look.
 *
 * On a file system whose quota says `disk`, and if the kernel was given a
 * folder for it (world_spill()), a file that grows becomes a nameless file of
 * that folder instead: it takes of the quota, and not of the qube's memory.
 */
#pragma once

#include "kernel/fs/file.h"

#define FILEDATA_SMALL ((size_t)64 * 1024)

/* How much one file system may hold, in bytes. */
struct filedata_quota {
	uint64_t max;
	uint64_t used;
	bool disk; /* `used` and `max` are of the disk for those on it */
};

/* What a host file that was handed to cells is called inside, found by its
 * number there; for /proc/PID/maps. */
struct filedata_name {
	struct kernel *kernel;
	struct list in_world; /* in world.mapped */
	uint64_t host_ino;
	char *text; /* charged; NULL: it has none yet */
	size_t room;
};

struct filedata {
	struct kernel *kernel;
	struct filedata_quota *quota;
	uint64_t size;
	uint64_t charged; /* bytes */
	uint8_t *bytes;   /* `room` of them, while fd is -1 */
	size_t room;
	int fd;      /* the memory file, or -1 */
	int read_fd; /* the same, read-only; or -1 */
	uint64_t key;
	uint32_t seals; /* F_SEAL_* */
	bool sparse;    /* `charged` may be too small: ask the host */
	bool on_disk;   /* `fd` is a file of world.spill_fd */

	struct filedata_name name;
	bool handed; /* cells may write, and `size` be too small: the same */
};

void filedata_init(struct filedata *d, struct kernel *k,
                   struct filedata_quota *quota);
void filedata_fini(struct filedata *d);

/*
 * Transfers at *pos and moves it on.  Bytes done, or a negative errno if not
 * one was: -EFAULT, -ENOSPC, -EFBIG, -EPERM (sealed).
 */
must_check long filedata_read(struct filedata *d, struct uio *u, int64_t *pos);
must_check long filedata_write(struct filedata *d, struct uio *u, int64_t *pos);

/* Sets the size; what is new is zero.  0, -ENOSPC, -EFBIG, -EPERM. */
must_check long filedata_truncate(struct filedata *d, uint64_t size);

/* fallocate(2)'s modes but for collapsing and inserting. */
must_check long filedata_allocate(struct filedata *d, int mode, uint64_t offset,
                                  uint64_t size);

/* SEEK_DATA and SEEK_HOLE: the offset, or -ENXIO. */
must_check int64_t filedata_seek(struct filedata *d, int64_t offset,
                                 int whence);

/* Its size, after asking the host if cells may have changed it. */
uint64_t filedata_size(struct filedata *d);

/* Bytes really held, after asking the host if need be. */
uint64_t filedata_held(struct filedata *d);

/* A host descriptor to map or read.  0, -ENFILE, -ENOSPC, -EPERM. */
must_check long filedata_object(struct filedata *d, bool writable,
                                struct file_object *out);

/*
 * Names the host file behind `fd`.  The first name stays; short of memory it
 * has none.
 */
void filedata_name_init(struct filedata_name *n, struct kernel *k);
void filedata_name_fini(struct filedata_name *n);
void filedata_name_set(struct filedata_name *n, int fd, const char *text);

/* The same with the name by which `f` was opened, or else `label`. */
void filedata_name_file(struct filedata_name *n, int fd, const struct file *f,
                        const char *label);

/* The name of the file whose host file has that inode number, or NULL. */
const char *filedata_name_of(struct kernel *k, uint64_t host_ino);

/* Adds seals to a memory file.  0, -EBUSY, or -EPERM when sealed itself. */
must_check long filedata_seal(struct filedata *d, uint32_t seals);
