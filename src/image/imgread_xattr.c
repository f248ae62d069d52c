/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "image/imgread.h"

static const char *const prefixes[] = ONDISK_XATTR_PREFIXES;

/* Bytes of the image, to be read in order. */
struct cursor {
	const struct imgread *image;
	uint64_t at;
	uint64_t end;
};

static int take_bytes(struct cursor *c, void *to, size_t size)
{
	uint8_t *out = to;

	if (size > c->end - c->at)
		return -EIO;
	while (size > 0) {
		size_t off = c->at % ONDISK_BLOCK;
		size_t n = MIN(size, ONDISK_BLOCK - off);
		const struct imgread_source *s = &c->image->source;
		const uint8_t *block;
		int err;

		if (c->at / ONDISK_BLOCK >= c->image->main_blocks)
			return -EIO;
		err = s->block(s->ctx, c->at / ONDISK_BLOCK, &block);
		if (err < 0)
			return err;
		memcpy(out, block + off, n);
		out += n;
		c->at += n;
		size -= n;
	}
	return 0;
}

/* Reads an entry into `to` and tells it.  The cursor stops behind it. */
static int tell(struct cursor *c, uint8_t to[static ONDISK_XATTR_MAX + 256],
                int (*take)(void *ctx, const struct imgread_xattr *x),
                void *ctx)
{
	uint8_t head[ONDISK_XATTR_ENTRY];
	struct imgread_xattr x = {0};
	uint32_t name, value;
	uint64_t left;
	int err = take_bytes(c, head, sizeof(head));

	if (err < 0)
		return err;
	name = head[0];
	value = (uint32_t)(head[2] | head[3] << 8);
	if (head[1] < ARRAY_LEN(prefixes))
		x.prefix = prefixes[head[1]];
	err = take_bytes(c, to, name + value);
	if (err < 0)
		return err;
	left = round_up(c->at, ONDISK_XATTR_ENTRY) - c->at;
	c->at += MIN(left, c->end - c->at);
	if (!x.prefix)
		return 0; /* of a kind nobody here knows */
	x.suffix = (struct span){to, name};
	x.value = (struct span){to + name, value};
	if (memchr(to, 0, name))
		return -EIO;
	return take(ctx, &x);
}

static int tell_shared(struct cursor *c, uint32_t count, uint8_t *to,
                       int (*take)(void *ctx, const struct imgread_xattr *x),
                       void *ctx)
{
	int err = 0;

	for (uint32_t i = 0; i < count && err == 0; i++) {
		struct cursor there = *c;
		uint8_t id[4];
		struct reader r = {.rest = {id, sizeof(id)}};

		err = take_bytes(c, id, sizeof(id));
		if (err < 0)
			return err;
		there.at = c->image->shared +
		           (uint64_t)rd_le32(&r) * ONDISK_XATTR_ENTRY;
		there.end = c->image->main_blocks * ONDISK_BLOCK;
		if (there.at > there.end)
			return -EIO;
		err = tell(&there, to, take, ctx);
	}
	return err;
}

int imgread_xattr_each(const struct imgread *r, const struct imgread_inode *i,
                       int (*take)(void *ctx, const struct imgread_xattr *x),
                       void *ctx)
{
	struct cursor c = {r, i->xattr, i->xattr + i->xattr_size};
	uint8_t head[ONDISK_XATTR_HEAD];
	autofree uint8_t *room = NULL;
	int err;

	if (i->xattr_size == 0)
		return 0;
	err = take_bytes(&c, head, sizeof(head));
	if (err < 0)
		return err;
	room = malloc(ONDISK_XATTR_MAX + 256);
	if (!room)
		return -ENOMEM;
	err = tell_shared(&c, head[4], room, take, ctx);
	while (err == 0 && c.end - c.at >= ONDISK_XATTR_ENTRY)
		err = tell(&c, room, take, ctx);
	return err;
}
