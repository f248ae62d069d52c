/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/volumefs_sealed.h"

#include <stdio.h>

#include "kernel/core/limits.h"
#include "volume/cipher.h"

#define PIECE ((size_t)64 * 1024)

static struct volumefs_node *node_of(const struct file *f)
{
	return volumefs_node_of(f->inode);
}

static struct cipher_file file_of(const struct volumefs_node *n)
{
	return (struct cipher_file){n->fd, n->tree.ino, n->inode->size};
}

/* A block that is not authentic: said with the name it was opened by. */
static void tell(struct volumefs_node *n, const struct file *f)
{
	autofree char *name = malloc(LIMIT_PATH);
	char text[320];

	if (!name || !f->path.dentry ||
	    path_name(NULL, &f->path, name, LIMIT_PATH, NULL) < 0) {
		volumefs_node_damaged(n->fs, n->tree.ino, "its contents");
		return;
	}
	(void)snprintf(text, sizeof(text), "%.256s: a block of it", name);
	volumefs_node_damaged(n->fs, n->tree.ino, text);
}

long volumefs_sealed_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct volumefs_node *n = node_of(f);
	struct cipher_file c = file_of(n);
	size_t before = u->done;
	long got = 0;

	if (*pos < 0)
		return -EINVAL;
	if (n->copy)
		return filedata_read(n->copy, u, pos);
	while (u->left > 0) {
		size_t size;
		void *to = uio_room(u, &size);
		int err;

		got = cipher_read(n->fs->cipher, &c, to, size, (uint64_t)*pos);
		if (got == -EIO)
			tell(n, f);
		if (got <= 0)
			break;
		err = uio_room_done(u, (size_t)got);
		if (err < 0) {
			got = err;
			break;
		}
		*pos += got;
	}
	return u->done > before ? (long)(u->done - before) : got;
}

/* Size and time are the record's. */
static void changed(struct volumefs_node *n, uint64_t size)
{
	n->inode->size = size;
	n->tree.r.size = size;
	n->tree.r.mtime = n->tree.r.ctime = tree_now(n->fs->volume);
	volumefs_node_fill(n);
	volumefs_node_soil(n);
}

/* The same bytes for those who have it mapped. */
static long put_copy(struct volumefs_node *n, const void *from, size_t size,
                     uint64_t at)
{
	int64_t pos = (int64_t)at;
	struct uio u;
	long done;

	if (!n->copy)
		return 0;
	uio_init_kernel(&u, (void *)(uintptr_t)from, size);
	done = filedata_write(n->copy, &u, &pos);
	return MIN(done, 0);
}

long volumefs_sealed_put(struct volumefs_node *n, const void *from, size_t size,
                         uint64_t at)
{
	struct cipher_file c = file_of(n);
	long err = put_copy(n, from, size, at);

	if (err == 0)
		err = cipher_write(n->fs->cipher, &c, from, size, at);
	if (err == -EIO)
		volumefs_node_damaged(n->fs, n->tree.ino, "its contents");
	if (err == 0)
		changed(n, MAX(n->inode->size, at + size));
	return err;
}

long volumefs_sealed_resize(struct volumefs_node *n, uint64_t size)
{
	struct cipher_file c = file_of(n);
	long err = n->copy ? filedata_truncate(n->copy, size) : 0;

	if (err == 0)
		err = cipher_resize(n->fs->cipher, &c, size);
	if (err == 0)
		changed(n, size);
	return err;
}

/* ---- mappings ---- */

static void drop(struct volumefs_node *n)
{
	struct kernel *k = n->fs->kernel;

	if (!n->copy)
		return;
	filedata_fini(n->copy);
	limits_free(k, n->copy, sizeof(*n->copy));
	n->copy = NULL;
}

/* All of the file into a memory file. */
static long fill(struct volumefs_node *n, struct filedata *copy)
{
	autofree uint8_t *piece = malloc(PIECE);
	struct cipher_file c = file_of(n);
	int64_t pos = 0;
	long got = piece ? 1 : -ENOMEM;

	while (got > 0) {
		struct uio u;
		long done;

		got = cipher_read(n->fs->cipher, &c, piece, PIECE,
		                  (uint64_t)pos);
		if (got <= 0)
			break;
		uio_init_kernel(&u, piece, (size_t)got);
		done = filedata_write(copy, &u, &pos);
		if (done < got)
			got = done < 0 ? done : -ENOSPC;
	}
	return got;
}

static long make_copy(struct volumefs_node *n, const struct file *f)
{
	struct kernel *k = n->fs->kernel;
	long err;

	if (n->copy)
		return 0;
	n->copy = limits_alloc(k, sizeof(*n->copy));
	if (!n->copy)
		return -ENOMEM;
	filedata_init(n->copy, k, &n->fs->copies);
	err = fill(n, n->copy);
	if (err == -EIO)
		tell(n, f);
	if (err < 0)
		drop(n);
	return err == -ENOSPC ? -ENOMEM : err;
}

long volumefs_sealed_object(struct file *f, bool writable,
                            struct file_object *out)
{
	struct volumefs_node *n = node_of(f);
	long err = make_copy(n, f);

	if (err == 0)
		err = filedata_object(n->copy, writable, out);
	if (err < 0)
		return err;
	filedata_name_file(&n->copy->name, n->copy->fd, f, NULL);
	if (writable && !n->held) {
		n->held = true;
		inode_get(n->inode);
	}
	return 0;
}

/* Writes a piece of the copy where it is not what is stored. */
static long save_piece(struct volumefs_node *n, uint8_t *now, uint8_t *was,
                       uint64_t at, size_t size)
{
	struct cipher_file c = file_of(n);
	long got = cipher_read(n->fs->cipher, &c, was, size, at);

	if (got == (long)size && memcmp(now, was, size) == 0)
		return 0;
	got = cipher_write(n->fs->cipher, &c, now, size, at);
	if (got == 0) {
		changed(n, n->inode->size);
		volumefs_sync_wrote(n);
	}
	return got;
}

long volumefs_sealed_save(struct volumefs_node *n)
{
	autofree uint8_t *piece = NULL;
	int64_t pos = 0;
	long err = 0;

	if (!n->held || !n->copy)
		return 0;
	piece = malloc(2 * PIECE);
	if (!piece)
		return -ENOMEM;
	while (err == 0) {
		uint64_t at = (uint64_t)pos;
		struct uio u;
		long got;

		uio_init_kernel(&u, piece, PIECE);
		got = filedata_read(n->copy, &u, &pos);
		if (got <= 0)
			return got;
		err = save_piece(n, piece, piece + PIECE, at, (size_t)got);
	}
	return err;
}

void volumefs_sealed_closed(struct volumefs_node *n)
{
	if (n->held)
		(void)!volumefs_sealed_save(n);
	else
		drop(n);
}

void volumefs_sealed_save_all(struct volumefs *fs)
{
	struct hashtable_link *at = NULL;

	while (fs->cipher && (at = hashtable_after(&fs->nodes, at)) != NULL) {
		struct volumefs_node *n = volumefs_node_linked(at);

		if (n->held && n->fd >= 0 && n->tree.r.nlink > 0)
			(void)!volumefs_sealed_save(n);
	}
}

void volumefs_sealed_end(struct volumefs *fs)
{
	struct hashtable_link *at, *next;

	if (!fs->cipher)
		return;
	volumefs_sealed_save_all(fs);
	for (at = hashtable_after(&fs->nodes, NULL); at; at = next) {
		struct volumefs_node *n = volumefs_node_linked(at);

		next = hashtable_after(&fs->nodes, at);
		drop(n);
		if (n->held) {
			n->held = false;
			inode_put(n->inode);
		}
	}
}
