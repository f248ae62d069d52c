/* SPDX-License-Identifier: Apache-2.0 */
#include "image/imgsource.h"

#include "base/whole.h"

int imgsource_init(struct imgsource *s, int fd, uint64_t blocks,
                   struct merkle *tree, const struct merkle_memory *memory)
{
	*s = (struct imgsource){
		.fd = fd,
		.tree = tree,
		.memory = *memory,
	};
	s->block = memory->alloc(memory->ctx,
	                         (size_t)blocks * sizeof(*s->block));
	if (!s->block)
		return -ENOMEM;
	s->count = blocks;
	return 0;
}

void imgsource_fini(struct imgsource *s)
{
	struct merkle_memory *m = &s->memory;

	for (uint64_t i = 0; i < s->count; i++)
		if (s->block[i])
			m->free(m->ctx, s->block[i], ONDISK_BLOCK);
	if (s->block)
		m->free(m->ctx, s->block, s->count * sizeof(*s->block));
	s->block = NULL;
	s->count = 0;
}

static int read_block(struct imgsource *s, uint64_t n, uint8_t *to)
{
	if (whole_pread(s->fd, to, ONDISK_BLOCK, n * ONDISK_BLOCK) !=
	    ONDISK_BLOCK)
		return -EIO;
	return s->tree ? merkle_check(s->tree, n, to) : 0;
}

static int block(void *ctx, uint64_t n, const uint8_t **out)
{
	struct imgsource *s = ctx;
	uint8_t *fresh;
	int err;

	if (n >= s->count)
		return -EIO;
	if (!s->block[n]) {
		fresh = s->memory.alloc(s->memory.ctx, ONDISK_BLOCK);
		if (!fresh)
			return -ENOMEM;
		err = read_block(s, n, fresh);
		if (err < 0) {
			s->memory.free(s->memory.ctx, fresh, ONDISK_BLOCK);
			return err;
		}
		s->block[n] = fresh;
	}
	*out = s->block[n];
	return 0;
}

struct imgread_source imgsource_blocks(struct imgsource *s)
{
	return (struct imgread_source){s, block};
}
