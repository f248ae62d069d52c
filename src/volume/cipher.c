/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/cipher.h"

#include <sodium.h>
#include <string.h>

#include "base/whole.h"

#define PER_GROUP     51u
#define SEAL          40u
#define SLOT          (2 * SEAL)
#define NONCE         24u
#define GROUP         ((uint64_t)(PER_GROUP + 1) * CIPHER_BLOCK)
#define SIZE_MAX_FILE ((uint64_t)1 << 60)

static_assert(NONCE + crypto_aead_xchacha20poly1305_ietf_ABYTES == SEAL,
              "part of the format");
static_assert(PER_GROUP * SLOT <= CIPHER_BLOCK, "slots fit into their page");

struct cipher {
	uint8_t key[CIPHER_KEY];
	uint8_t plain[CIPHER_BLOCK];
	uint8_t slots[PER_GROUP * SLOT];
	uint8_t data[PER_GROUP * CIPHER_BLOCK];
};

/* Some blocks of one group, side by side. */
struct run {
	uint64_t first;
	unsigned count;
};

struct cipher *cipher_create(const uint8_t key[CIPHER_KEY])
{
	struct cipher *c = malloc(sizeof(*c));

	if (c)
		memcpy(c->key, key, CIPHER_KEY);
	return c;
}

void cipher_destroy(struct cipher *c)
{
	if (c)
		sodium_memzero(c, sizeof(*c));
	free(c);
}

static uint64_t slot_at(uint64_t block)
{
	return block / PER_GROUP * GROUP + block % PER_GROUP * SLOT;
}

static uint64_t data_at(uint64_t block)
{
	return block / PER_GROUP * GROUP +
	       (block % PER_GROUP + 1) * CIPHER_BLOCK;
}

uint64_t cipher_extent(uint64_t size)
{
	uint64_t blocks = size / CIPHER_BLOCK + (size % CIPHER_BLOCK != 0);

	return blocks == 0 ? 0 : data_at(blocks - 1) + CIPHER_BLOCK;
}

/* What a seal is bound to. */
static void bound(uint8_t to[16], uint64_t ino, uint64_t block)
{
	for (unsigned i = 0; i < 8; i++) {
		to[i] = (uint8_t)(ino >> (8 * i));
		to[8 + i] = (uint8_t)(block >> (8 * i));
	}
}

/* ---- the host's side ---- */

/* Bytes behind the end are zeros. */
static int get(int fd, uint8_t *to, size_t size, uint64_t at)
{
	ssize_t n = whole_pread(fd, to, size, at);

	if (n < 0)
		return (int)n;
	memset(to + n, 0, size - (size_t)n);
	return 0;
}

static int put(int fd, const uint8_t *from, size_t size, uint64_t at)
{
	return whole_pwrite(fd, (struct span){from, size}, at);
}

/* As many blocks from `block` on, up to `last`, as lie in one group. */
static struct run run_of(uint64_t block, uint64_t last)
{
	uint64_t room = PER_GROUP - block % PER_GROUP;

	return (struct run){block, (unsigned)MIN(room, last - block + 1)};
}

static int get_run(struct cipher *c, const struct cipher_file *f, struct run r)
{
	int err = get(f->fd, c->slots, r.count * SLOT, slot_at(r.first));

	/* A new part of a file has no blocks to be fetched. */
	if (err == 0 && !sodium_is_zero(c->slots, r.count * SLOT))
		err = get(f->fd, c->data, r.count * (size_t)CIPHER_BLOCK,
		          data_at(r.first));
	return err;
}

/* Seals before blocks: see above. */
static int put_run(struct cipher *c, const struct cipher_file *f, struct run r)
{
	int err = put(f->fd, c->slots, r.count * SLOT, slot_at(r.first));

	if (err == 0)
		err = put(f->fd, c->data, r.count * (size_t)CIPHER_BLOCK,
		          data_at(r.first));
	return err;
}

/* ---- blocks ---- */

/*
 * The i-th block of the run at hand, into c->plain.  Which of its seals fits
 * (0 or 1), 2 for a hole, or -EIO.
 */
static int open_block(struct cipher *c, const struct cipher_file *f,
                      struct run r, unsigned i)
{
	const uint8_t *slot = c->slots + (size_t)i * SLOT;
	const uint8_t *data = c->data + (size_t)i * CIPHER_BLOCK;
	uint8_t ad[16];

	if (sodium_is_zero(slot, SLOT)) {
		memset(c->plain, 0, CIPHER_BLOCK);
		return 2;
	}
	bound(ad, f->ino, r.first + i);
	for (int which = 0; which < 2; which++) {
		const uint8_t *seal = slot + which * (int)SEAL;

		if (sodium_is_zero(seal, SEAL))
			continue;
		if (crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
			    c->plain, NULL, data, CIPHER_BLOCK, seal + NONCE,
			    ad, sizeof(ad), seal, c->key) == 0)
			return which;
	}
	return -EIO;
}

/* c->plain becomes the block; `fits` is the seal it has now. */
static void seal_block(struct cipher *c, const struct cipher_file *f,
                       struct run r, unsigned i, int fits)
{
	uint8_t *seal = c->slots + (size_t)i * SLOT + (fits == 0 ? SEAL : 0);
	uint8_t *data = c->data + (size_t)i * CIPHER_BLOCK;
	uint8_t ad[16];

	bound(ad, f->ino, r.first + i);
	randombytes_buf(seal, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
		data, seal + NONCE, NULL, c->plain, CIPHER_BLOCK, ad,
		sizeof(ad), NULL, seal, c->key);
}

long cipher_read(struct cipher *c, const struct cipher_file *f, void *to,
                 size_t size, uint64_t at)
{
	uint8_t *out = to;
	uint64_t end;

	if (at >= f->size || size == 0)
		return 0;
	size = (size_t)MIN(size, f->size - at);
	end = at + size;
	while (at < end) {
		struct run r = run_of(at / CIPHER_BLOCK,
		                      (end - 1) / CIPHER_BLOCK);
		int err = get_run(c, f, r);

		if (err < 0)
			return err;
		for (unsigned i = 0; i < r.count; i++) {
			size_t skip = at % CIPHER_BLOCK;
			size_t part = MIN(CIPHER_BLOCK - skip,
			                  (size_t)(end - at));

			if (open_block(c, f, r, i) < 0)
				return -EIO;
			memcpy(out, c->plain + skip, part);
			out += part;
			at += part;
		}
	}
	return (long)size;
}

/* Writes one run; `from` NULL: zeros. */
static int write_run(struct cipher *c, const struct cipher_file *f,
                     struct run r, const uint8_t *from, uint64_t at,
                     uint64_t end)
{
	int err = get_run(c, f, r);

	for (unsigned i = 0; i < r.count && err == 0; i++) {
		uint64_t begin = (r.first + i) * CIPHER_BLOCK;
		size_t skip = (size_t)(at - begin);
		size_t part = MIN(CIPHER_BLOCK - skip, (size_t)(end - at));
		int fits = open_block(c, f, r, i);

		/* One that is lost can be replaced, not mended. */
		if (fits < 0 && (skip > 0 || part < CIPHER_BLOCK) &&
		    begin < f->size)
			return -EIO;
		if (begin + CIPHER_BLOCK > f->size) {
			size_t real = f->size > begin
			                      ? (size_t)(f->size - begin)
			                      : 0;

			memset(c->plain + real, 0, CIPHER_BLOCK - real);
		}
		if (from) {
			memcpy(c->plain + skip, from, part);
			from += part;
		} else {
			memset(c->plain + skip, 0, part);
		}
		seal_block(c, f, r, i, MAX(fits, 0));
		at += part;
	}
	return err == 0 ? put_run(c, f, r) : err;
}

int cipher_write(struct cipher *c, const struct cipher_file *f,
                 const void *from, size_t size, uint64_t at)
{
	struct cipher_file now = *f;
	const uint8_t *in = from;
	uint64_t end;
	int err = 0;

	if (at > SIZE_MAX_FILE || size > SIZE_MAX_FILE - at)
		return -EFBIG;
	end = at + size;
	if (at > f->size)
		err = cipher_resize(c, f, at);
	while (at < end && err == 0) {
		struct run r = run_of(at / CIPHER_BLOCK,
		                      (end - 1) / CIPHER_BLOCK);
		uint64_t stop = MIN(end, (r.first + r.count) *
		                                 (uint64_t)CIPHER_BLOCK);

		err = write_run(c, &now, r, in, at, stop);
		in += stop - at;
		at = stop;
		now.size = MAX(now.size, at);
	}
	return err;
}

/* The slots of what was cut off become holes' again. */
static int clear_slots(struct cipher *c, const struct cipher_file *f)
{
	uint64_t blocks = f->size / CIPHER_BLOCK +
	                  (f->size % CIPHER_BLOCK != 0);
	size_t left = (PER_GROUP - blocks % PER_GROUP) * SLOT;

	if (blocks % PER_GROUP == 0)
		return 0; /* their page is gone, too */
	memset(c->slots, 0, left);
	return put(f->fd, c->slots, left, slot_at(blocks));
}

/*
 * Smaller: what is cut off goes, and the rest of the last block becomes zeros.
 * Larger: what a crash may have left behind the end goes first.
 */
int cipher_resize(struct cipher *c, const struct cipher_file *f, uint64_t size)
{
	uint64_t kept = MIN(f->size, size);
	struct cipher_file cut = {f->fd, f->ino, kept};
	int err = 0;

	if (size > SIZE_MAX_FILE)
		return -EFBIG;
	if (ftruncate(f->fd, (off_t)cipher_extent(kept)) < 0)
		return -errno;
	err = clear_slots(c, &cut);
	if (err == 0 && kept % CIPHER_BLOCK != 0) {
		struct run r = {kept / CIPHER_BLOCK, 1};
		uint64_t end = (r.first + 1) * (uint64_t)CIPHER_BLOCK;

		err = write_run(c, &cut, r, NULL, kept, end);
	}
	if (err == 0 && size > kept &&
	    ftruncate(f->fd, (off_t)cipher_extent(size)) < 0)
		err = -errno;
	return err;
}
