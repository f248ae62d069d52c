/* SPDX-License-Identifier: Apache-2.0 */
#include "image/imgread.h"

#include <string.h>
#include <sys/stat.h>

/* Copies bytes of the image itself that may lie on several blocks. */
static int copy(const struct imgread *r, uint64_t at, void *to, size_t size)
{
	uint64_t end = r->main_blocks * ONDISK_BLOCK;
	uint8_t *out = to;

	if (at > end || size > end - at)
		return -EIO;
	while (size > 0) {
		size_t off = at % ONDISK_BLOCK;
		size_t n = MIN(size, ONDISK_BLOCK - off);
		const uint8_t *block;
		int err = r->source.block(r->source.ctx, at / ONDISK_BLOCK,
		                          &block);

		if (err < 0)
			return err;
		memcpy(out, block + off, n);
		out += n;
		at += n;
		size -= n;
	}
	return 0;
}

/* Bytes of the image itself where they lie, or, on several blocks, in `room`. */
static int view(const struct imgread *r, uint64_t at, size_t size,
                uint8_t *room, const uint8_t **out)
{
	size_t off = at % ONDISK_BLOCK;
	int err;

	if (off + size <= ONDISK_BLOCK && at / ONDISK_BLOCK < r->main_blocks) {
		err = r->source.block(r->source.ctx, at / ONDISK_BLOCK, out);
		*out = err < 0 ? NULL : *out + off;
		return err;
	}
	*out = room;
	return copy(r, at, room, size);
}

/* ---- the superblock ---- */

/* The one data device we know: its blocks follow the image's. */
static int read_device(struct imgread *r, uint32_t count, uint32_t slot,
                       uint64_t data_blocks, struct fault *f)
{
	uint8_t bytes[ONDISK_DEVICE_SIZE];
	struct reader d = {.rest = {bytes, sizeof(bytes)}};
	uint32_t blocks, mapped;
	int err;

	if (count != 1)
		return fault_set(f, -EOPNOTSUPP,
		                 "the image needs %u other files", count);
	err = copy(r, (uint64_t)slot * ONDISK_DEVICE_SIZE, bytes,
	           sizeof(bytes));
	if (err < 0)
		return fault_set(f, err, "the image's superblock is damaged");
	(void)rd_take(&d, ONDISK_DEVICE_TAG);
	blocks = rd_le32(&d);
	mapped = rd_le32(&d);
	if (mapped != r->main_blocks || blocks > data_blocks)
		return fault_set(f, -EIO,
		                 "the image and its data are not a pair");
	r->blocks = r->main_blocks + blocks;
	return 0;
}

struct super {
	uint32_t magic, incompat;
	uint8_t block_bits, dir_bits;
	uint32_t root, blocks, meta, shared, devices, slot;
	uint64_t inodes;
};

static void parse_super(struct span bytes, struct super *s)
{
	struct reader r = {.rest = bytes};

	s->magic = rd_le32(&r);
	(void)rd_le32(&r); /* checksum; the tree is better */
	(void)rd_le32(&r); /* compatible features */
	s->block_bits = rd_u8(&r);
	(void)rd_u8(&r); /* slots behind the superblock */
	s->root = rd_le16(&r);
	s->inodes = rd_le64(&r);
	(void)rd_take(&r, 12); /* when it was made */
	s->blocks = rd_le32(&r);
	s->meta = rd_le32(&r);
	s->shared = rd_le32(&r);
	(void)rd_take(&r, 32); /* uuid, name */
	s->incompat = rd_le32(&r);
	(void)rd_le16(&r); /* of compression */
	s->devices = rd_le16(&r);
	s->slot = rd_le16(&r);
	s->dir_bits = rd_u8(&r);
}

int imgread_open(struct imgread *r, const struct imgread_source *s,
                 uint64_t main_blocks, uint64_t data_blocks, struct fault *f)
{
	uint8_t bytes[ONDISK_SUPER_SIZE];
	struct super sb;
	int err;

	*r = (struct imgread){.source = *s, .main_blocks = main_blocks};
	if (main_blocks >= ONDISK_BLOCKS_MAX ||
	    data_blocks >= ONDISK_BLOCKS_MAX - main_blocks)
		return fault_set(f, -EIO, "the image is too large");
	err = copy(r, ONDISK_SUPER, bytes, sizeof(bytes));
	if (err < 0)
		return fault_set(f, err, "the image's superblock is damaged");
	parse_super((struct span){bytes, sizeof(bytes)}, &sb);
	if (sb.magic != ONDISK_MAGIC)
		return fault_set(f, -EIO, "this is no EROFS image");
	if (sb.block_bits != ONDISK_BLOCK_BITS || sb.dir_bits != 0)
		return fault_set(f, -EOPNOTSUPP,
		                 "the image has blocks of 2^%u bytes, not 4096",
		                 sb.block_bits);
	if (sb.incompat & ~ONDISK_INCOMPAT_KNOWN)
		return fault_set(f, -EOPNOTSUPP,
		                 "the image is compressed or has other "
		                 "features we do not read (%#x)",
		                 sb.incompat & ~ONDISK_INCOMPAT_KNOWN);
	if (sb.blocks > main_blocks ||
	    (data_blocks > 0 && sb.blocks != main_blocks))
		return fault_set(f, -EIO, "the image is cut short");
	r->main_blocks = r->blocks = sb.blocks;
	r->meta = (uint64_t)sb.meta * ONDISK_BLOCK;
	r->shared = (uint64_t)sb.shared * ONDISK_BLOCK;
	r->root = sb.root;
	r->inode_count = sb.inodes;
	if (sb.incompat & ONDISK_INCOMPAT_DEVICES && sb.devices > 0)
		return read_device(r, sb.devices, sb.slot, data_blocks, f);
	return 0;
}

/* ---- inodes ---- */

static void parse_compact(struct reader *r, struct imgread_inode *i,
                          uint32_t *u)
{
	i->nlink = rd_le16(r);
	i->size = rd_le32(r);
	(void)rd_le32(r);
	*u = rd_le32(r);
	(void)rd_le32(r); /* a number for 32-bit programs */
	i->uid = rd_le16(r);
	i->gid = rd_le16(r);
}

static void parse_extended(struct reader *r, struct imgread_inode *i,
                           uint32_t *u)
{
	(void)rd_le16(r);
	i->size = rd_le64(r);
	*u = rd_le32(r);
	(void)rd_le32(r); /* a number for 32-bit programs */
	i->uid = rd_le32(r);
	i->gid = rd_le32(r);
	i->mtime = (int64_t)rd_le64(r);
	i->mtime_nsec = rd_le32(r);
	i->nlink = rd_le32(r);
}

/* How many whole blocks of data an inode has. */
static uint64_t full_blocks(const struct imgread_inode *i)
{
	if (i->layout == ONDISK_INLINE)
		return i->size / ONDISK_BLOCK;
	return i->size / ONDISK_BLOCK + (i->size % ONDISK_BLOCK != 0);
}

/* Is where it says its data are inside the image? */
static bool data_ok(const struct imgread *r, const struct imgread_inode *i)
{
	uint64_t count = full_blocks(i);
	uint64_t tail = i->size % ONDISK_BLOCK;

	if (i->size > INT64_MAX)
		return false;
	if (count > 0 && (i->start > r->blocks || count > r->blocks - i->start))
		return false;
	/* What other than files has is in the image itself, as its tail is. */
	if (count > 0 && !S_ISREG(i->mode) && i->start + count > r->main_blocks)
		return false;
	if (i->layout == ONDISK_INLINE && tail > 0)
		return i->tail % ONDISK_BLOCK + tail <= ONDISK_BLOCK &&
		       i->tail < r->main_blocks * ONDISK_BLOCK;
	return true;
}

static int check(const struct imgread *r, struct imgread_inode *i, uint32_t u)
{
	switch (i->mode & S_IFMT) {
	case S_IFCHR:
	case S_IFBLK:
		i->major = u >> 8 & 0xfff;
		i->minor = (u & 0xff) | (u >> 12 & 0xfff00);
		i->size = 0;
		return 0;
	case S_IFIFO:
	case S_IFSOCK:
		i->size = 0;
		return 0;
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
		break;
	default:
		return -EIO;
	}
	if (i->layout != ONDISK_PLAIN && i->layout != ONDISK_INLINE)
		return i->size == 0 && S_ISREG(i->mode) ? 0 : -EOPNOTSUPP;
	i->start = u;
	if (S_ISLNK(i->mode) && (i->size == 0 || i->size >= ONDISK_BLOCK))
		return -EIO;
	return data_ok(r, i) ? 0 : -EIO;
}

int imgread_inode(const struct imgread *r, uint64_t nid,
                  struct imgread_inode *out)
{
	uint8_t room[ONDISK_EXTENDED_SIZE];
	struct imgread_inode i = {.nid = nid};
	size_t size = ONDISK_COMPACT_SIZE;
	uint32_t format, icount, u;
	const uint8_t *bytes;
	struct reader rd;
	int err;

	if (nid >= r->main_blocks << (ONDISK_BLOCK_BITS - ONDISK_NID_BITS))
		return -EIO;
	i.at = r->meta + (nid << ONDISK_NID_BITS);
	err = view(r, i.at, size, room, &bytes);
	if (err < 0)
		return err;
	rd = (struct reader){.rest = {bytes, size}};
	format = rd_le16(&rd);
	icount = rd_le16(&rd);
	i.mode = rd_le16(&rd);
	i.layout = format >> 1 & 7;
	if (format & ONDISK_EXTENDED) {
		size_t done = size - rd.rest.size;

		size = ONDISK_EXTENDED_SIZE;
		err = view(r, i.at, size, room, &bytes);
		if (err < 0)
			return err;
		rd.rest = (struct span){bytes + done, size - done};
		parse_extended(&rd, &i, &u);
	} else {
		parse_compact(&rd, &i, &u);
	}
	if (icount > 0) {
		i.xattr = i.at + size;
		i.xattr_size = ONDISK_XATTR_HEAD +
		               (icount - 1) * ONDISK_XATTR_ENTRY;
	}
	i.tail = i.at + size + i.xattr_size;
	if (i.mtime_nsec > 999999999)
		return -EIO;
	err = check(r, &i, u);
	if (err == 0)
		*out = i;
	return err;
}

int imgread_place(const struct imgread *r, const struct imgread_inode *i,
                  uint64_t offset, uint64_t *at, uint64_t *size)
{
	uint64_t full = full_blocks(i) * ONDISK_BLOCK;

	if (offset >= i->size || !data_ok(r, i))
		return -EIO;
	if (offset < full) {
		*at = i->start * ONDISK_BLOCK + offset;
		*size = MIN(full, i->size) - offset;
	} else {
		*at = i->tail + (offset - full);
		*size = i->size - offset;
	}
	return 0;
}

long imgread_link(const struct imgread *r, const struct imgread_inode *i,
                  char *to, size_t room)
{
	size_t want = MIN(room, (size_t)i->size);
	uint64_t at, size;
	int err;

	if (!S_ISLNK(i->mode))
		return -EINVAL;
	err = imgread_place(r, i, 0, &at, &size);
	if (err == 0 && size < want)
		err = -EIO;
	if (err == 0)
		err = copy(r, at, to, want);
	if (err < 0)
		return err;
	/* A target with a NUL in it is nobody's. */
	return memchr(to, 0, want) ? -EIO : (long)want;
}
