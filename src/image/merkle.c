/* SPDX-License-Identifier: Apache-2.0 */
#include "image/merkle.h"

#include <string.h>

#include "base/span.h"
#include "base/whole.h"

#define MAGIC     "BentoTre"
#define VERSION   1u
#define HEAD_SIZE (24u + SHA256_SIZE + MERKLE_SIGNATURE)
#define SALT      "bento image 1\n"

static void *plain_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return calloc(1, size);
}

static void plain_free(void *ctx, void *p, size_t size)
{
	(void)ctx, (void)size;
	free(p);
}

const struct merkle_memory merkle_plain_memory = {NULL, plain_alloc,
                                                  plain_free};

static void put_le32(uint8_t *to, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

/* ---- the head ---- */

static bool read_fully(int fd, void *to, size_t size, uint64_t at)
{
	return whole_pread(fd, to, size, at) == (ssize_t)size;
}

static bool write_fully(int fd, const void *from, size_t size, uint64_t at)
{
	return whole_pwrite(fd, (struct span){from, size}, at) == 0;
}

int merkle_read_head(int fd, struct merkle_head *out, struct fault *f)
{
	uint8_t bytes[HEAD_SIZE];
	struct reader r = {.rest = {bytes, sizeof(bytes)}};
	struct merkle_head h;
	struct span magic;
	uint32_t version, zero;

	if (!read_fully(fd, bytes, sizeof(bytes), 0))
		return fault_set(f, -EIO, "the tree of hashes is cut short");
	magic = rd_take(&r, 8);
	version = rd_le32(&r);
	h.main_blocks = rd_le32(&r);
	h.data_blocks = rd_le32(&r);
	zero = rd_le32(&r);
	memcpy(h.top, rd_take(&r, SHA256_SIZE).at, SHA256_SIZE);
	memcpy(h.signature, rd_take(&r, MERKLE_SIGNATURE).at, MERKLE_SIGNATURE);
	if (!span_is(magic, MAGIC) || version != VERSION || zero != 0 ||
	    h.main_blocks == 0 || h.main_blocks >= ONDISK_BLOCKS_MAX ||
	    h.data_blocks >= ONDISK_BLOCKS_MAX - h.main_blocks)
		return fault_set(f, -EIO, "the tree of hashes is damaged");
	*out = h;
	return 0;
}

int merkle_write_head(int fd, const struct merkle_head *h, struct fault *f)
{
	autofree uint8_t *bytes = calloc(1, ONDISK_BLOCK);

	if (!bytes)
		return fault_set(f, -ENOMEM, "out of memory");
	memcpy(bytes, MAGIC, 8);
	put_le32(bytes + 8, VERSION);
	put_le32(bytes + 12, h->main_blocks);
	put_le32(bytes + 16, h->data_blocks);
	memcpy(bytes + 24, h->top, SHA256_SIZE);
	memcpy(bytes + 24 + SHA256_SIZE, h->signature, MERKLE_SIGNATURE);
	if (!write_fully(fd, bytes, ONDISK_BLOCK, 0))
		return fault_errno(f, "write the tree of hashes");
	return 0;
}

void merkle_root(const struct merkle_head *h, uint8_t root[SHA256_SIZE])
{
	uint8_t rest[8 + SHA256_SIZE];

	put_le32(rest, h->main_blocks);
	put_le32(rest + 4, h->data_blocks);
	memcpy(rest + 8, h->top, SHA256_SIZE);
	sha256_two(span_str(SALT), (struct span){rest, sizeof(rest)}, root);
}

/* ---- checking ---- */

/* Where the levels of a tree over so many blocks lie; how many there are. */
static uint32_t lay_out(uint64_t blocks, struct merkle_level *level)
{
	uint64_t first = 1;
	uint32_t count = 0;

	do {
		assert(count < MERKLE_LEVELS);
		blocks = (blocks + MERKLE_FANOUT - 1) / MERKLE_FANOUT;
		level[count] = (struct merkle_level){first, blocks, NULL};
		first += blocks;
		count++;
	} while (blocks > 1);
	return count;
}

int merkle_init(struct merkle *m, int fd, const struct merkle_head *h,
                const struct merkle_memory *memory, struct fault *f)
{
	*m = (struct merkle){.fd = fd, .memory = *memory};
	m->blocks = (uint64_t)h->main_blocks + h->data_blocks;
	if (m->blocks == 0 || m->blocks >= ONDISK_BLOCKS_MAX)
		return fault_set(f, -EIO, "the tree of hashes is damaged");
	memcpy(m->top, h->top, sizeof(m->top));
	m->level_count = lay_out(m->blocks, m->level);
	for (uint32_t i = 0; i < m->level_count; i++) {
		struct merkle_level *l = &m->level[i];

		l->block = memory->alloc(memory->ctx,
		                         l->count * sizeof(*l->block));
		if (!l->block)
			return fault_set(f, -ENOMEM, "out of memory");
	}
	return 0;
}

void merkle_fini(struct merkle *m)
{
	struct merkle_memory *mem = &m->memory;

	for (uint32_t i = 0; i < m->level_count; i++) {
		struct merkle_level *l = &m->level[i];

		for (uint64_t b = 0; l->block && b < l->count; b++)
			if (l->block[b])
				mem->free(mem->ctx, l->block[b], ONDISK_BLOCK);
		if (l->block)
			mem->free(mem->ctx, l->block,
			          l->count * sizeof(*l->block));
	}
	m->level_count = 0;
}

/* Reads block `n` of a level, whose hash the level above has. */
static int load(struct merkle *m, uint32_t level, uint64_t n,
                const uint8_t *want)
{
	struct merkle_level *l = &m->level[level];
	uint8_t *block = m->memory.alloc(m->memory.ctx, ONDISK_BLOCK);
	uint8_t got[SHA256_SIZE];

	if (!block)
		return -ENOMEM;
	if (read_fully(m->fd, block, ONDISK_BLOCK,
	               (l->first + n) * ONDISK_BLOCK)) {
		sha256((struct span){block, ONDISK_BLOCK}, got);
		if (memcmp(got, want, SHA256_SIZE) == 0) {
			l->block[n] = block;
			return 0;
		}
	}
	m->memory.free(m->memory.ctx, block, ONDISK_BLOCK);
	return -EIO;
}

int merkle_hash(struct merkle *m, uint64_t n, const uint8_t **out)
{
	const uint8_t *hash = m->top;

	if (n >= m->blocks)
		return -EIO;
	for (uint32_t level = m->level_count; level-- > 0;) {
		uint64_t index = n >> (7 * level); /* of a hash in the level */
		uint64_t block = index / MERKLE_FANOUT;
		struct merkle_level *l = &m->level[level];
		int err = 0;

		if (!l->block[block])
			err = load(m, level, block, hash);
		if (err < 0)
			return err;
		hash = l->block[block] + index % MERKLE_FANOUT * SHA256_SIZE;
	}
	*out = hash;
	return 0;
}

static_assert(MERKLE_FANOUT == 1u << 7, "the shift in merkle_hash()");

int merkle_check(struct merkle *m, uint64_t n,
                 const uint8_t block[static ONDISK_BLOCK])
{
	uint8_t got[SHA256_SIZE];
	const uint8_t *want;
	int err = merkle_hash(m, n, &want);

	if (err < 0)
		return err;
	sha256((struct span){block, ONDISK_BLOCK}, got);
	return memcmp(got, want, SHA256_SIZE) == 0 ? 0 : -EIO;
}

/* ---- writing ---- */

/* A level being written: one block of it, and how far it has come. */
struct rising {
	uint8_t block[ONDISK_BLOCK];
	size_t used;
	uint64_t done;
};

struct builder {
	int fd;
	struct merkle_level level[MERKLE_LEVELS];
	struct rising rising[MERKLE_LEVELS];
	uint32_t count;
	uint8_t top[SHA256_SIZE];
};

static int flush(struct builder *b, uint32_t level, struct fault *f);

/* One more hash in a level; full blocks go up. */
static int add(struct builder *b, uint32_t level, const uint8_t *hash,
               struct fault *f)
{
	struct rising *r = &b->rising[level];

	memcpy(r->block + r->used, hash, SHA256_SIZE);
	r->used += SHA256_SIZE;
	return r->used == ONDISK_BLOCK ? flush(b, level, f) : 0;
}

/* Writes what a level has; the recursion ends at the top, 5 levels up. */
static int flush(struct builder *b, uint32_t level, struct fault *f)
{
	struct rising *r = &b->rising[level];
	uint8_t hash[SHA256_SIZE];
	uint64_t at = (b->level[level].first + r->done) * ONDISK_BLOCK;

	if (r->used == 0)
		return 0;
	memset(r->block + r->used, 0, ONDISK_BLOCK - r->used);
	if (!write_fully(b->fd, r->block, ONDISK_BLOCK, at))
		return fault_errno(f, "write the tree of hashes");
	sha256((struct span){r->block, ONDISK_BLOCK}, hash);
	r->used = 0;
	r->done++;
	if (level + 1 < b->count)
		return add(b, level + 1, hash, f);
	memcpy(b->top, hash, SHA256_SIZE);
	return 0;
}

int merkle_write(int fd, struct merkle_head *h,
                 const struct merkle_blocks *from, struct fault *f)
{
	uint64_t blocks = (uint64_t)h->main_blocks + h->data_blocks;
	autofree struct builder *b = calloc(1, sizeof(*b));
	uint8_t hash[SHA256_SIZE];
	const uint8_t *block;
	int err = 0;

	if (!b)
		return fault_set(f, -ENOMEM, "out of memory");
	if (blocks == 0 || blocks >= ONDISK_BLOCKS_MAX)
		return fault_set(f, -EFBIG, "the image is too large");
	b->fd = fd;
	b->count = lay_out(blocks, b->level);
	for (uint64_t n = 0; n < blocks && err == 0; n++) {
		err = from->next(from->ctx, &block, f);
		if (err < 0)
			break;
		sha256((struct span){block, ONDISK_BLOCK}, hash);
		err = add(b, 0, hash, f);
	}
	for (uint32_t level = 0; level < b->count && err == 0; level++)
		err = flush(b, level, f);
	if (err < 0)
		return err;
	memcpy(h->top, b->top, SHA256_SIZE);
	memset(h->signature, 0, sizeof(h->signature));
	return 0;
}
