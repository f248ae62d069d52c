/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/object.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "base/whole.h"

#define NAME  24
#define PIECE ((size_t)128 * 1024)
#define PAGE  4096u

static void name_of(uint64_t ino, char to[NAME])
{
	(void)snprintf(to, NAME, "%llu", (unsigned long long)ino);
}

int object_open_at(int dir, const char *name, int flags)
{
	struct open_how how = {
		.flags = (uint32_t)flags | O_CLOEXEC | O_NOFOLLOW,
		.mode = flags & O_CREAT ? 0600 : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int object_open(int objects, uint64_t ino, int flags)
{
	char name[NAME];

	name_of(ino, name);
	return object_open_at(objects, name, flags);
}

int object_stat(int objects, uint64_t ino, struct stat *st)
{
	char name[NAME];

	name_of(ino, name);
	return fstatat(objects, name, st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int object_create(int objects, uint64_t ino)
{
	return object_open(objects, ino, O_RDWR | O_CREAT | O_TRUNC);
}

int object_remove(int objects, uint64_t ino)
{
	char name[NAME];

	name_of(ino, name);
	if (unlinkat(objects, name, 0) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

bool object_shared(const struct stat *st)
{
	return st->st_nlink > 1;
}

/* One run of data. */
static int copy_run(int from, int to, uint8_t *piece, off_t at, off_t end)
{
	while (at < end) {
		size_t want = MIN(PIECE, (size_t)(end - at));
		ssize_t n = pread(from, piece, want, at);
		int err;

		if (n <= 0)
			return n < 0 ? -errno : 0;
		err = whole_pwrite(to, (struct span){piece, (size_t)n},
		                   (uint64_t)at);
		if (err < 0)
			return err;
		at += n;
	}
	return 0;
}

static int copy_data(int from, int to, off_t size)
{
	autofree uint8_t *piece = malloc(PIECE);
	off_t at = 0;
	int err = 0;

	if (!piece)
		return -ENOMEM;
	while (err == 0 && at < size) {
		off_t data = lseek(from, at, SEEK_DATA);
		off_t hole;

		if (data < 0)
			break; /* ENXIO: nothing but a hole follows */
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		err = copy_run(from, to, piece, data, MIN(hole, size));
		at = hole;
	}
	if (err == 0 && ftruncate(to, size) < 0)
		err = -errno;
	return err;
}

int object_copy(int from, int to)
{
	struct stat st;
	int err = 0;

	if (fstat(from, &st) < 0)
		return -errno;
	if (ioctl(to, FICLONE, from) < 0)
		err = copy_data(from, to, st.st_size);
	if (err == 0 &&
	    futimens(to, (struct timespec[2]){st.st_atim, st.st_mtim}) < 0)
		err = -errno;
	return err;
}

int object_unshare(int objects, uint64_t ino)
{
	char name[NAME];
	char copy[NAME + 2];
	autoclose int from = object_open(objects, ino, O_RDONLY);
	autoclose int to = -1;
	int err;

	if (from < 0)
		return from;
	name_of(ino, name);
	(void)snprintf(copy, sizeof(copy), "%s~", name);
	to = object_open_at(objects, copy, O_RDWR | O_CREAT | O_TRUNC);
	if (to < 0)
		return to;
	err = object_copy(from, to);
	/* The copy must not be emptier than what it replaces. */
	if (err == 0 && fsync(to) < 0)
		err = -errno;
	if (err == 0 && renameat(objects, copy, objects, name) < 0)
		err = -errno;
	if (err < 0)
		(void)unlinkat(objects, copy, 0);
	return err;
}

uint64_t object_number(const char *name)
{
	uint64_t n = 0;

	for (size_t i = 0; name[i]; i++) {
		if (name[i] < '0' || name[i] > '9' || i >= 19)
			return 0;
		n = n * 10 + (uint64_t)(name[i] - '0');
	}
	return name[0] == '0' ? 0 : n;
}

uint64_t object_held(const struct stat *st)
{
	uint64_t full = round_up((uint64_t)st->st_size, PAGE);
	uint64_t blocks = round_up((uint64_t)st->st_blocks * 512, PAGE);

	/* Some hosts keep the smallest files among their metadata. */
	return blocks == 0 && full == PAGE ? full : MIN(full, blocks);
}
