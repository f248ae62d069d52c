/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an image: the reader says no or stays inside, and says the same
 * twice.
 */
#include <string.h>
#include <sys/stat.h>

#include "image/imgread.h"

#define FILES  2000u /* looked at in one image */
#define BLOCKS 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	uint8_t *bytes;
	uint64_t blocks;
};

struct walk {
	const struct imgread *r;
	const struct imgread_inode *dir;
	uint64_t todo[FILES];
	size_t count;
	size_t done;
};

static int block(void *ctx, uint64_t n, const uint8_t **out)
{
	struct input *in = ctx;

	if (n >= in->blocks)
		return -EIO;
	*out = in->bytes + n * ONDISK_BLOCK;
	return 0;
}

static bool add(void *ctx, const struct imgread_entry *e)
{
	struct walk *w = ctx;
	uint64_t one = 0, two = 0;
	int err = imgread_dir_find(w->r, w->dir, e->name, &one);

	if (imgread_dir_find(w->r, w->dir, e->name, &two) != err || one != two)
		abort();
	if (e->name.size == 0 || memchr(e->name.at, '/', e->name.size))
		abort();
	if (w->count == FILES)
		return false;
	w->todo[w->count++] = e->nid;
	return true;
}

static int count_xattr(void *ctx, const struct imgread_xattr *x)
{
	size_t *n = ctx;

	*n += x->suffix.size + x->value.size;
	return 0;
}

static void look(struct walk *w, uint64_t nid)
{
	const struct imgread_sink sink = {w, add};
	struct imgread_inode i;
	uint64_t at, size, pos = 0;
	size_t bytes = 0;
	char target[64];
	long got;

	if (imgread_inode(w->r, nid, &i) < 0)
		return;
	(void)!imgread_xattr_each(w->r, &i, count_xattr, &bytes);
	got = imgread_link(w->r, &i, target, sizeof(target));
	if (got > (long)sizeof(target))
		abort();
	for (uint64_t offset = 0; offset < i.size; offset += size)
		if (imgread_place(w->r, &i, offset, &at, &size) < 0 ||
		    size == 0 || at + size > w->r->blocks * ONDISK_BLOCK)
			abort();
	w->dir = &i;
	if (S_ISDIR(i.mode))
		(void)!imgread_dir_list(w->r, &i, &pos, &sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.blocks = (size + ONDISK_BLOCK - 1) / ONDISK_BLOCK};
	struct imgread_source source = {&in, block};
	autofree struct walk *w = calloc(1, sizeof(*w));
	struct imgread r;
	struct fault f;

	if (in.blocks == 0 || in.blocks > BLOCKS)
		return 0;
	in.bytes = calloc(in.blocks, ONDISK_BLOCK);
	if (!in.bytes || !w)
		abort();
	memcpy(in.bytes, data, size);
	if (imgread_open(&r, &source, in.blocks, 0, &f) == 0) {
		w->r = &r;
		w->todo[w->count++] = r.root;
		while (w->done < w->count)
			look(w, w->todo[w->done++]);
	}
	free(in.bytes);
	return 0;
}
