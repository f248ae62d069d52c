/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/volumefs_young.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/whole.h"
#include "kernel/core/limits.h"
#include "kernel/fs/volumefs_node.h"
#include "kernel/task/uio.h"
#include "volume/cipher.h"
#include "volume/object.h"

#define PAGE       4096u
#define ROOM_FIRST 512u

void volumefs_young_init(struct volumefs *fs)
{
	list_init(&fs->young.named);
	fs->young.clock_fd = memfd_create("clock", MFD_CLOEXEC);
	fs->young.stale = true;
}

void volumefs_young_fini(struct volumefs *fs)
{
	base_close(&fs->young.clock_fd);
}

/*
 * Since Linux 6.13 a host may stamp what is written between two ticks of its
 * clock, and whatever it stamps next not before that.  What it would say now, another
 * file of its knows; to ask that is two calls.
 */
void volumefs_young_stamp(struct volumefs *fs)
{
	struct volumefs_young *y = &fs->young;
	struct stat st;

	if (fs->cipher || (!y->stale && fs->lent.count == 0) ||
	    futimens(y->clock_fd, NULL) < 0 || fstat(y->clock_fd, &st) < 0)
		return;
	y->stale = false;
	fs->volume->stamped = (struct vrecord_time){
		st.st_mtim.tv_sec, (uint32_t)st.st_mtim.tv_nsec};
}

bool volumefs_young_may(const struct volumefs *fs)
{
	const struct volumefs_young *y = &fs->young;

	/* Who syncs every new file is better off with objects made ahead; and
	 * a batch that is about to be frozen waits for no more. */
	return !fs->gathering && fs->volume->spares.count == 0 &&
	       y->count < VOLUMEFS_YOUNG_COUNT &&
	       y->bytes <= VOLUMEFS_YOUNG_BYTES - PAGE &&
	       volume_may_wait(fs->volume);
}

void volumefs_young_begin(struct volumefs_node *n)
{
	n->young.is = true;
	n->looked = true;
	if (!n->fs->cipher)
		n->late = INODE_SET_ATIME | INODE_SET_MTIME;
	n->fs->young.count++;
	list_add_tail(&n->fs->young.named, &n->young.link);
	inode_get(n->inode);
}

void volumefs_young_unnamed(struct volumefs_node *n)
{
	if (list_empty(&n->young.link))
		return;
	list_del(&n->young.link);
	inode_put(n->inode);
}

void volumefs_young_drop(struct volumefs *fs)
{
	while (!list_empty(&fs->young.named))
		volumefs_young_unnamed(
			volumefs_node_young(fs->young.named.next));
}

/* What the object of a file of that size takes. */
static uint64_t held(const struct volumefs_node *n, uint64_t size)
{
	return n->fs->cipher ? cipher_extent(size) : round_up(size, PAGE);
}

uint64_t volumefs_young_held(const struct volumefs_node *n)
{
	return held(n, n->inode->size);
}

void volumefs_young_end(struct volumefs_node *n)
{
	struct volumefs_young_file *y = &n->young;

	if (!y->is)
		return;
	n->fs->young.count--;
	n->fs->young.bytes -= volumefs_young_held(n);
	free(y->bytes);
	limits_uncharge(n->fs->kernel, y->room);
	y->bytes = NULL;
	y->room = 0;
	y->is = false;
}

/* ---- the object ---- */

/* All of its contents to an empty object. */
static int put_contents(const struct volumefs_node *n, int fd)
{
	struct span all = {n->young.bytes, (size_t)n->inode->size};
	struct cipher_file c = {fd, n->tree.ino, 0};

	if (all.size == 0)
		return 0;
	return n->fs->cipher
	               ? cipher_write(n->fs->cipher, &c, all.at, all.size, 0)
	               : whole_pwrite(fd, all, 0);
}

/* A descriptor or a negative errno, and there is no object. */
static int make_object(struct volumefs_node *n)
{
	struct volume *v = n->fs->volume;
	int fd = tree_object(v, n->tree.ino);
	int err;

	if (fd < 0)
		return fd;
	/* Only who has it open keeps it. */
	if (n->pins > 0)
		fd = world_keep(n->fs->kernel, fd);
	err = fd < 0 ? fd : put_contents(n, fd);
	if (err == 0)
		return fd;
	base_close(&fd);
	(void)object_remove(v->objects_fd, n->tree.ino);
	return err;
}

int volumefs_young_make(struct volumefs_node *n)
{
	int fd;

	if (!n->young.is)
		return 0;
	if (!n->fs->volume)
		return -EIO;
	fd = make_object(n);
	if ((fd == -ENOSPC || fd == -EDQUOT) &&
	    volume_use_reserve(n->fs->volume))
		fd = make_object(n);
	if (fd < 0)
		return fd == -EDQUOT ? -ENOSPC : fd;

	/* Nothing below can fail. */
	n->fd = fd;
	volumefs_young_end(n);
	if (n->inode->size > 0)
		volumefs_sync_wrote(n);
	if (n->pins == 0)
		(void)volumefs_node_close(n);
	else
		volumefs_node_set_late(n);
	volumefs_young_unnamed(n);
	return 0;
}

static int make_until(struct volumefs *fs, uint64_t end_ns)
{
	const struct list *named = &fs->young.named;
	int err = 0;

	while (err == 0 && !list_empty(named)) {
		err = volumefs_young_make(volumefs_node_young(named->next));
		if (timer_now() >= end_ns)
			break;
	}
	return err < 0 ? err : !list_empty(named);
}

int volumefs_young_make_all(struct volumefs *fs)
{
	return make_until(fs, UINT64_MAX);
}

int volumefs_young_make_some(struct volumefs *fs)
{
	return make_until(fs, timer_now() + VOLUMEFS_YOUNG_NS);
}

/* ---- contents ---- */

static void changed(struct volumefs_node *n, uint64_t size)
{
	struct vrecord_inode *r = &n->tree.r;

	n->fs->young.bytes += held(n, size);
	n->fs->young.bytes -= volumefs_young_held(n);
	n->inode->size = size;
	if (n->fs->cipher)
		r->size = size;
	volumefs_young_stamp(n->fs);
	r->mtime = r->ctime = tree_now(n->fs->volume);
	volumefs_node_soil(n);
}

static int grow(struct volumefs_node *n, size_t size)
{
	struct volumefs_young_file *y = &n->young;
	size_t room = MAX(y->room, ROOM_FIRST);
	uint8_t *bytes;

	if (size <= y->room)
		return 0;
	while (room < size)
		room *= 2;
	if (limits_charge(n->fs->kernel, room - y->room) < 0)
		return -ENOMEM;
	bytes = realloc(y->bytes, room);
	if (!bytes) {
		limits_uncharge(n->fs->kernel, room - y->room);
		return -ENOMEM;
	}
	y->bytes = bytes;
	y->room = room;
	return 0;
}

int volumefs_young_room(struct volumefs_node *n, uint64_t at, uint64_t size)
{
	uint64_t was = n->inode->size;
	uint64_t more;

	if (!n->young.is)
		return 0;
	/* Nothing is left out: no hole, and nothing that was not written. */
	if (at > was || at > VOLUMEFS_YOUNG_SIZE ||
	    size > VOLUMEFS_YOUNG_SIZE - at)
		return volumefs_young_make(n);
	more = held(n, MAX(was, at + size)) - held(n, was);
	if (more > VOLUMEFS_YOUNG_BYTES - n->fs->young.bytes ||
	    grow(n, (size_t)(at + size)) < 0)
		return volumefs_young_make(n);
	return 0;
}

void volumefs_young_write(struct volumefs_node *n, struct span from,
                          uint64_t at)
{
	assert(at <= n->young.room && from.size <= n->young.room - at);
	memcpy(n->young.bytes + at, from.at, from.size);
	changed(n, MAX(n->inode->size, at + from.size));
}

long volumefs_young_read(struct volumefs_node *n, struct uio *u, int64_t *pos)
{
	struct vrecord_inode *r = &n->tree.r;
	uint64_t size = n->inode->size;
	size_t got;
	int err;

	if (*pos < 0)
		return -EINVAL;
	if ((uint64_t)*pos >= size)
		return 0;
	got = (size_t)MIN((uint64_t)u->left, size - (uint64_t)*pos);
	err = uio_put(u, n->young.bytes + *pos, got);
	if (err < 0)
		return err;
	*pos += (int64_t)got;
	/* As hosts do it for the first to read what was written. */
	if (n->late && !tree_later(r->atime, r->mtime))
		r->atime = tree_now(n->fs->volume);
	return (long)got;
}

void volumefs_young_shrink(struct volumefs_node *n, uint64_t size)
{
	assert(size <= n->inode->size);
	changed(n, size);
}
