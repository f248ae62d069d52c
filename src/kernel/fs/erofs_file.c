/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/erofs_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "kernel/core/limits.h"
#include "kernel/fs/erofs_check.h"

static struct erofs_node *node_of(const struct file *f)
{
	return erofs_node_of(f->inode);
}

void erofs_file_report(struct span name, const char *what)
{
	char text[1024];
	size_t used = 0;

	for (size_t i = 0; i < name.size && used + 5 < sizeof(text); i++) {
		uint8_t c = name.at[i];
		bool plain = c >= ' ' && c < 0x7f && c != '\\';

		used += (size_t)snprintf(text + used, sizeof(text) - used,
		                         plain ? "%c" : "\\x%02x", c);
	}
	text[used] = '\0';
	(void)fprintf(stderr, "template image: %s: %s\n", text, what);
}

/* The name the file was opened by, or its number. */
static void report(const struct file *f, const char *what)
{
	autofree char *name = malloc(LIMIT_PATH);
	char number[32];

	if (name && f->path.dentry &&
	    path_name(NULL, &f->path, name, LIMIT_PATH, NULL) >= 0) {
		erofs_file_report(span_str(name), what);
		return;
	}
	(void)snprintf(number, sizeof(number), "inode %llu",
	               (unsigned long long)f->inode->ino);
	erofs_file_report(span_str(number), what);
}

/* The file's bytes from `at` on are what they should be.  0, -EIO, -EWAIT. */
static long check_range(struct file *f, struct task *t, uint64_t at,
                        uint64_t size)
{
	struct erofs_node *n = node_of(f);
	long err = 0;

	while (size > 0 && err == 0) {
		uint64_t place, count;

		err = imgread_place(&n->fs->image, &n->image, at, &place,
		                    &count);
		if (err < 0)
			break;
		count = MIN(count, size);
		err = erofs_check(n->fs, t, place, count);
		at += count;
		size -= count;
	}
	if (err == -EIO)
		report(f, "its contents are damaged");
	return err;
}

static long read_some(struct file *f, struct uio *u, int64_t *pos)
{
	struct erofs_node *n = node_of(f);
	uint64_t place, count, offset;
	struct iovec iov;
	size_t room;
	ssize_t got;
	int err = imgread_place(&n->fs->image, &n->image, (uint64_t)*pos,
	                        &place, &count);
	int fd = erofs_check_place(n->fs, place / ONDISK_BLOCK, &offset);

	if (err < 0)
		return err;
	iov.iov_base = uio_room(u, &room);
	iov.iov_len = MIN(room, count);
	got = preadv2(fd, &iov, 1, (off_t)(offset + place % ONDISK_BLOCK), 0);
	if (got <= 0)
		return got < 0 ? -errno : -EIO;
	err = uio_room_done(u, (size_t)got);
	if (err < 0)
		return err;
	*pos += got;
	return got;
}

static long read_file(struct file *f, struct uio *u, int64_t *pos)
{
	uint64_t size = node_of(f)->image.size;
	size_t before = u->done;
	size_t want;
	long got;

	if (*pos < 0)
		return -EINVAL;
	if ((uint64_t)*pos >= size)
		return 0;
	want = (size_t)MIN(u->left, size - (uint64_t)*pos);
	got = check_range(f, u->task, (uint64_t)*pos, want);
	while (got >= 0 && u->done - before < want)
		got = read_some(f, u, pos);
	return u->done > before ? (long)(u->done - before) : got;
}

static int64_t seek_file(struct file *f, int64_t offset, int whence)
{
	int64_t size = (int64_t)node_of(f)->image.size;

	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		if (offset < 0 || offset >= size)
			return -ENXIO;
		offset = whence == SEEK_HOLE ? size : offset;
		whence = SEEK_SET;
	}
	return file_seek(f, size, offset, whence);
}

/* ---- what cells get ---- */

/* What it is called, for /proc/PID/maps; the first name stays. */
static void name_it(struct file *f)
{
	struct erofs_node *n = node_of(f);
	struct kernel *k = n->fs->kernel;
	autofree char *name = malloc(LIMIT_PATH);
	size_t room;

	if (n->name || !name || !f->path.dentry ||
	    path_name(NULL, &f->path, name, LIMIT_PATH, NULL) < 0)
		return;
	if (n->copy)
		filedata_name_set(&n->copy->name, n->copy->fd, name);
	room = strlen(name) + 1;
	n->name = limits_alloc(k, room);
	if (!n->name)
		return;
	memcpy(n->name, name, room);
	n->name_room = room;
}

const char *erofs_file_at(const struct erofs *fs, uint64_t offset,
                          uint64_t *begin)
{
	uint64_t block = offset / ONDISK_BLOCK + fs->image.main_blocks;
	struct hashtable_link *at = NULL;

	while ((at = hashtable_after(&fs->nodes, at)) != NULL) {
		const struct erofs_node *n = container_of(at, struct erofs_node,
		                                          link);
		uint64_t start = n->image.start;

		if (!n->name || block < start ||
		    (block - start) * ONDISK_BLOCK >= n->image.size)
			continue;
		*begin = (start - fs->image.main_blocks) * ONDISK_BLOCK;
		return n->name;
	}
	return NULL;
}

/* Do its bytes lie in the file that cells may have? */
static bool for_cells(const struct erofs_node *n)
{
	return n->image.layout == ONDISK_PLAIN &&
	       n->image.start >= n->fs->image.main_blocks;
}

/* The contents as a file in memory, which is charged to the qube. */
static long make_copy(struct file *f)
{
	struct erofs_node *n = node_of(f);
	struct kernel *k = n->fs->kernel;
	struct filedata *copy = limits_alloc(k, sizeof(*copy));
	int64_t from = 0, to = 0;
	long got = 0;

	if (!copy)
		return -ENOMEM;
	filedata_init(copy, k, &n->fs->quota);
	while ((uint64_t)from < n->image.size && got >= 0) {
		struct uio u;

		uio_init_kernel(&u, k->scratch, SCRATCH_SIZE);
		got = read_file(f, &u, &from);
		if (got <= 0)
			break;
		uio_init_kernel(&u, k->scratch, (size_t)got);
		got = filedata_write(copy, &u, &to);
	}
	if (got < 0) {
		filedata_fini(copy);
		limits_free(k, copy, sizeof(*copy));
		return got;
	}
	n->copy = copy;
	return 0;
}

static long object_of(struct file *f, struct task *t, int prot, bool shared,
                      struct file_object *out)
{
	struct erofs_node *n = node_of(f);
	long err;

	if (shared && (prot & PROT_WRITE))
		return -EACCES;
	err = check_range(f, t, 0, n->image.size);
	if (err == 0 && !for_cells(n) && !n->copy)
		err = make_copy(f);
	if (err < 0)
		return err;
	name_it(f);
	if (n->copy)
		return filedata_object(n->copy, false, out);
	*out = (struct file_object){
		.host_fd = n->fs->files.data_fd,
		.key = n->fs->key,
		.part = true,
		.from = (n->image.start - n->fs->image.main_blocks) *
	                ONDISK_BLOCK,
		.size = n->image.size,
	};
	return 0;
}

static long sync_file(struct file *f, struct task *t, bool data_only)
{
	(void)f, (void)t, (void)data_only;
	return 0;
}

static const struct file_ops ops = {
	.read = read_file,
	.seek = seek_file,
	.object = object_of,
	.fsync = sync_file,
};

long erofs_file_open(struct inode *i, struct file *f)
{
	(void)i;
	if (f->mode & FILE_WRITE)
		return -EROFS;
	f->ops = &ops;
	f->mode |= FILE_SEEKABLE;
	return 0;
}
