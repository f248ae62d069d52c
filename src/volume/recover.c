/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/recover.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "volume/cipher.h"
#include "volume/object.h"
#include "volume/tree.h"

/* The object's share of the limit; one that is missing is made. */
static int count_object(struct volume *v, uint64_t ino, struct vrecord_inode *r)
{
	autoclose int fd = object_open(v->objects_fd, ino, O_RDONLY);
	struct stat st;

	if (fd == -ENOENT) {
		fd = object_create(v->objects_fd, ino);
		v->created = true;
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	r->charged = object_held(&st);
	if (v->encrypted)
		r->charged = MIN(r->charged, round_up(r->size, CIPHER_BLOCK));
	return 0;
}

static int rewrite(struct volume *v, const struct vrecord_key *key,
                   const struct vrecord_inode *r)
{
	uint8_t bytes[256];
	struct store_edit e = {0};
	int err = store_edit_put(
		&e, key, (struct span){bytes, vrecord_put_inode(r, bytes)});

	if (err == 0)
		store_edit_apply(v->store, &e);
	return err;
}

static int recover_inode(struct volume *v, const struct vrecord_key *key,
                         uint64_t ino, struct vrecord_inode *r)
{
	uint64_t charged = r->charged;
	int err = 0;

	if (r->nlink == 0)
		return tree_forget(v, ino, S_ISREG(r->mode));
	if (S_ISREG(r->mode))
		err = count_object(v, ino, r);
	if (err < 0)
		return err;
	v->sums.inodes++;
	v->sums.bytes += r->charged + r->xattr_bytes;
	v->sums.next_ino = MAX(v->sums.next_ino, ino + 1);
	return r->charged == charged ? 0 : rewrite(v, key, r);
}

static int each_inode(struct volume *v)
{
	struct vrecord_key key = {.size = 1, .at = {'I'}};
	struct span prefix = {(const uint8_t *)"I", 1};
	struct vrecord_inode r;
	struct span value;
	int err;

	for (;; store_step(&key)) {
		uint64_t ino;
		char kind;

		err = store_next(v->store, prefix, &key, &value);
		if (err == -EIO)
			continue;
		if (err < 0)
			break;
		if (vrecord_key_parse(vrecord_span(&key), &kind, &ino, NULL) <
		            0 ||
		    vrecord_get_inode(value, &r) < 0)
			continue;
		err = recover_inode(v, &key, ino, &r);
		if (err < 0)
			return err;
	}
	return err == -ENOENT ? 0 : err;
}

/* Objects no inode has any more, and copies that were not finished. */
static int each_object(struct volume *v)
{
	int again = openat(v->objects_fd, ".",
	                   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *e;

	if (!dir) {
		base_close(&again);
		return -errno;
	}
	while ((e = readdir(dir))) {
		uint64_t ino = object_number(e->d_name);
		struct vrecord_key key = vrecord_key_inode(ino);
		struct span value;
		int err;

		if (e->d_name[0] == '.')
			continue;
		err = ino ? store_get(v->store, vrecord_span(&key), &value)
		          : -ENOENT;
		if (err == -ENOENT)
			(void)unlinkat(v->objects_fd, e->d_name, 0);
	}
	(void)closedir(dir);
	return 0;
}

int recover_volume(struct volume *v, struct fault *f)
{
	int err;

	v->sums.bytes = 0;
	v->sums.inodes = 0;
	v->sums_changed = true;
	err = each_inode(v);
	if (err == 0)
		err = volume_flush(v);
	if (err == 0)
		err = each_object(v);
	if (err < 0)
		return fault_set(f, err, "repair the volume: %s",
		                 strerror(-err));
	return 0;
}
