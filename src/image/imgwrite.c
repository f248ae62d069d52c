/* SPDX-License-Identifier: Apache-2.0 */
#include "image/imgwrite.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/stat.h>

#include "base/whole.h"
#include "image/imgmeta.h"

#define MOVE ((size_t)64 * ONDISK_BLOCK) /* bytes moved or hashed in one go */

static uint64_t blocks_of(uint64_t size)
{
	return size / ONDISK_BLOCK + (size % ONDISK_BLOCK != 0);
}

int imgwrite_init(struct imgwrite *w, int main_fd, int data_fd)
{
	*w = (struct imgwrite){
		.main_fd = main_fd,
		.data_fd = data_fd,
		.main_blocks = 1, /* the superblock's */
		.max_blocks = ONDISK_BLOCKS_MAX / 16,
	};
	return imgtree_init(&w->tree);
}

void imgwrite_fini(struct imgwrite *w)
{
	imgtree_fini(&w->tree);
}

/* ---- data ---- */

static int fd_of(const struct imgwrite *w, enum imgtree_where where)
{
	return where == IMGTREE_PUBLIC ? w->data_fd : w->main_fd;
}

static uint64_t *end_of(struct imgwrite *w, enum imgtree_where where)
{
	return where == IMGTREE_PUBLIC ? &w->data_blocks : &w->main_blocks;
}

static bool room_for(const struct imgwrite *w, uint64_t blocks)
{
	uint64_t used = w->main_blocks + w->data_blocks;

	return used <= w->max_blocks && blocks <= w->max_blocks - used;
}

void imgwrite_begin(struct imgwrite *w, struct imgtree_file *file,
                    const struct imgtree_file *dir)
{
	bool everyone = (file->mode & S_IROTH) && !file->has_acl &&
	                imgtree_open_to_all(dir);

	file->where = everyone ? IMGTREE_PUBLIC : IMGTREE_PRIVATE;
	file->start = *end_of(w, file->where);
}

int imgwrite_put(struct imgwrite *w, struct imgtree_file *file, uint64_t offset,
                 struct span bytes, struct fault *f)
{
	uint64_t max = w->max_blocks * ONDISK_BLOCK;
	uint64_t at = file->start * ONDISK_BLOCK;

	if (offset > max || bytes.size > max - offset ||
	    !room_for(w, blocks_of(offset + bytes.size)))
		return fault_set(f, -EFBIG, "the image would be too large");
	at += offset;
	while (bytes.size > 0) {
		ssize_t n = pwrite(fd_of(w, file->where), bytes.at, bytes.size,
		                   (off_t)at);

		if (n < 0)
			return fault_errno(f, "write the image");
		bytes = span_from(bytes, (size_t)n);
		at += (uint64_t)n;
	}
	return 0;
}

int imgwrite_end(struct imgwrite *w, struct imgtree_file *file, uint64_t size,
                 struct fault *f)
{
	uint64_t *end = end_of(w, file->where);
	int fd = fd_of(w, file->where);

	if (size > w->max_blocks * ONDISK_BLOCK ||
	    !room_for(w, blocks_of(size)))
		return fault_set(f, -EFBIG, "the image would be too large");
	file->size = size;
	*end += blocks_of(size);
	if (size == 0) {
		file->where = IMGTREE_NOWHERE;
		file->start = 0;
	}
	if (ftruncate(fd, (off_t)(*end * ONDISK_BLOCK)) < 0)
		return fault_errno(f, "write the image");
	return 0;
}

/* ---- who may read what, and what is still there ---- */

static int read_whole(int fd, uint8_t *to, size_t size, uint64_t at,
                      struct fault *f)
{
	ssize_t n = whole_pread(fd, to, size, at);

	if (n < 0)
		return fault_set(f, (int)n, "read the image again: %s",
		                 strerror((int)-n));
	if ((size_t)n < size)
		return fault_set(f, -EIO, "the image shrank");
	return 0;
}

/* Zeros a file's blocks where they are. */
static int wipe(struct imgwrite *w, const struct imgtree_file *file,
                uint8_t *buffer, struct fault *f)
{
	struct imgtree_file to = {.where = file->where, .start = file->start};
	uint64_t size = blocks_of(file->size) * ONDISK_BLOCK;
	int fd = fd_of(w, file->where);
	int err = 0;

	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	              (off_t)(file->start * ONDISK_BLOCK), (off_t)size) == 0)
		return 0;
	memset(buffer, 0, MOVE);
	for (uint64_t at = 0; at < size && err == 0; at += MOVE)
		err = imgwrite_put(w, &to, at,
		                   (struct span){buffer, MIN(MOVE, size - at)},
		                   f);
	return err;
}

/* From where everyone could read it to where only the kernel does. */
static int move(struct imgwrite *w, struct imgtree_file *file, uint8_t *buffer,
                struct fault *f)
{
	struct imgtree_file from = *file;
	int err = 0;

	file->where = IMGTREE_PRIVATE;
	file->start = w->main_blocks;
	for (uint64_t at = 0; at < file->size && err == 0; at += MOVE) {
		size_t size = MIN(MOVE, file->size - at);

		err = read_whole(w->data_fd, buffer, size,
		                 from.start * ONDISK_BLOCK + at, f);
		if (err == 0)
			err = imgwrite_put(w, file, at,
			                   (struct span){buffer, size}, f);
	}
	if (err == 0)
		err = imgwrite_end(w, file, from.size, f);
	return err < 0 ? err : wipe(w, &from, buffer, f);
}

/* Puts data where they belong now that everything is known. */
static int settle(struct imgwrite *w, struct fault *f)
{
	autofree uint8_t *buffer = malloc(MOVE);
	int err = 0;

	if (!buffer)
		return fault_set(f, -ENOMEM, "out of memory");
	list_for_each (at, &w->tree.files) {
		struct imgtree_file *file = list_entry(at, struct imgtree_file,
		                                       all);

		if (err < 0)
			break;
		if (file->where == IMGTREE_NOWHERE)
			continue;
		if (!file->reached)
			err = wipe(w, file, buffer, f);
		else if (file->where == IMGTREE_PUBLIC && !file->everyone)
			err = move(w, file, buffer, f);
	}
	return err;
}

/* ---- the whole ---- */

/* Blocks of both files in order, for the tree of hashes. */
struct blocks {
	struct imgwrite *w;
	uint8_t *buffer;
	uint64_t done; /* blocks told */
	size_t next;   /* of those in the buffer */
	size_t have;
};

static int fill(struct blocks *b, struct fault *f)
{
	struct imgwrite *w = b->w;
	bool main = b->done < w->main_blocks;
	uint64_t at = main ? b->done : b->done - w->main_blocks;
	uint64_t end = main ? w->main_blocks : w->data_blocks;

	b->have = (size_t)MIN(MOVE / ONDISK_BLOCK, end - at);
	b->next = 0;
	if (w->hashed)
		w->hashed(w->ctx, b->done, w->main_blocks + w->data_blocks);
	return read_whole(main ? w->main_fd : w->data_fd, b->buffer,
	                  b->have * ONDISK_BLOCK, at * ONDISK_BLOCK, f);
}

static int next_block(void *ctx, const uint8_t **block, struct fault *f)
{
	struct blocks *b = ctx;
	int err = b->next == b->have ? fill(b, f) : 0;

	if (err < 0)
		return err;
	*block = b->buffer + b->next++ * ONDISK_BLOCK;
	b->done++;
	return 0;
}

static int write_tree(struct imgwrite *w, int tree_fd, struct merkle_head *h,
                      struct fault *f)
{
	autofree uint8_t *buffer = malloc(MOVE);
	struct blocks b = {.w = w, .buffer = buffer};
	const struct merkle_blocks from = {&b, next_block};
	int err;

	if (!buffer)
		return fault_set(f, -ENOMEM, "out of memory");
	*h = (struct merkle_head){
		.main_blocks = (uint32_t)w->main_blocks,
		.data_blocks = (uint32_t)w->data_blocks,
	};
	err = merkle_write(tree_fd, h, &from, f);
	return err < 0 ? err : merkle_write_head(tree_fd, h, f);
}

int imgwrite_finish(struct imgwrite *w, int tree_fd, struct merkle_head *head,
                    struct fault *f)
{
	struct imgmeta m;
	int err = imgmeta_init(&m, &w->tree);

	err = err < 0 ? fault_set(f, err, "out of memory") : settle(w, f);
	if (err == 0)
		err = imgmeta_write(&m, w, f);
	imgmeta_fini(&m);
	return err < 0 ? err : write_tree(w, tree_fd, head, f);
}
