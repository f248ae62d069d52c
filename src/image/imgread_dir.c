/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories.  Each block stands by itself: an array of entries, which
 * begins with one whose name's offset tells how many there are, then the
 * names.  Names are sorted, within a block and from block to block.
 */
#include <string.h>
#include <sys/stat.h>

#include "image/imgread.h"

/* One block of a directory. */
struct page {
	const uint8_t *at;
	uint32_t size;
	uint32_t count; /* of entries */
};

static uint32_t le16(const uint8_t *at)
{
	return (uint32_t)(at[0] | at[1] << 8);
}

static int open_page(const struct imgread *r, const struct imgread_inode *dir,
                     uint64_t n, struct page *out)
{
	struct page p;
	uint64_t at, left;
	uint32_t first;
	int err = imgread_place(r, dir, n * ONDISK_BLOCK, &at, &left);

	if (err < 0)
		return err;
	p.size = (uint32_t)MIN(left, ONDISK_BLOCK);
	if (p.size < ONDISK_DIRENT_SIZE)
		return -EIO;
	err = r->source.block(r->source.ctx, at / ONDISK_BLOCK, &p.at);
	if (err < 0)
		return err;
	p.at += at % ONDISK_BLOCK;
	first = le16(p.at + 8);
	p.count = first / ONDISK_DIRENT_SIZE;
	if (first % ONDISK_DIRENT_SIZE || p.count == 0 || first >= p.size)
		return -EIO;
	*out = p;
	return 0;
}

/*
 * One entry; its name ends where the next begins, the last at a NUL.  It lies in
 * the page, but may be no name: whoever does not compare it with one uses entry_at().
 */
static int find_entry(const struct page *p, uint32_t n, struct imgread_entry *e)
{
	struct reader r = {
		.rest = {p->at + n * ONDISK_DIRENT_SIZE, ONDISK_DIRENT_SIZE}};
	uint32_t from, to = p->size;
	const uint8_t *nul;

	e->nid = rd_le64(&r);
	from = rd_le16(&r);
	e->type = rd_u8(&r);
	if (n + 1 < p->count)
		to = le16(p->at + (n + 1) * ONDISK_DIRENT_SIZE + 8);
	if (from < p->count * ONDISK_DIRENT_SIZE || from >= to || to > p->size)
		return -EIO;
	nul = n + 1 < p->count ? NULL : memchr(p->at + from, 0, to - from);
	if (nul)
		to = (uint32_t)(nul - p->at);
	e->name = (struct span){p->at + from, to - from};
	return 0;
}

static int entry_at(const struct page *p, uint32_t n, struct imgread_entry *e)
{
	int err = find_entry(p, n, e);

	if (err == 0 && (e->name.size == 0 || e->name.size > ONDISK_NAME_MAX ||
	                 memchr(e->name.at, 0, e->name.size) ||
	                 memchr(e->name.at, '/', e->name.size)))
		err = -EIO;
	return err;
}

static int compare(struct span a, struct span b)
{
	int order = memcmp(a.at, b.at, MIN(a.size, b.size));

	if (order != 0 || a.size == b.size)
		return order;
	return a.size < b.size ? -1 : 1;
}

static uint64_t page_count(const struct imgread_inode *dir)
{
	return (dir->size + ONDISK_BLOCK - 1) / ONDISK_BLOCK;
}

/* The last page whose first name is not behind `name`. */
static int find_page(const struct imgread *r, const struct imgread_inode *dir,
                     struct span name, struct page *out)
{
	uint64_t low = 0, high = page_count(dir);
	bool found = false;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct imgread_entry e;
		struct page p;
		int err = open_page(r, dir, middle, &p);

		if (err == 0)
			err = find_entry(&p, 0, &e);
		if (err < 0)
			return err;
		if (compare(e.name, name) <= 0) {
			*out = p;
			found = true;
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return found ? 0 : -ENOENT;
}

int imgread_dir_find(const struct imgread *r, const struct imgread_inode *dir,
                     struct span name, uint64_t *nid)
{
	uint32_t low = 0, high;
	struct page p;
	int err;

	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	if (name.size == 0)
		return -ENOENT;
	err = find_page(r, dir, name, &p);
	if (err < 0)
		return err;
	high = p.count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct imgread_entry e;
		int order;

		err = find_entry(&p, middle, &e);
		if (err < 0)
			return err;
		order = compare(e.name, name);
		if (order == 0) {
			*nid = e.nid;
			return 0;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -ENOENT;
}

/* Positions: the page's number, and below it the entry's. */
#define ENTRY_BITS 9u
#define ENTRY_MASK ((1u << ENTRY_BITS) - 1)
static_assert(ONDISK_BLOCK / ONDISK_DIRENT_SIZE < 1u << ENTRY_BITS, "fits");

int imgread_dir_list(const struct imgread *r, const struct imgread_inode *dir,
                     uint64_t *pos, const struct imgread_sink *to)
{
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	for (uint64_t n = *pos >> ENTRY_BITS; n < page_count(dir); n++) {
		struct imgread_entry e;
		struct page p;
		int err = open_page(r, dir, n, &p);

		if (err < 0)
			return err;
		for (uint32_t i = (uint32_t)(*pos & ENTRY_MASK); i < p.count;
		     i++) {
			err = entry_at(&p, i, &e);
			if (err < 0)
				return err;
			e.next = i + 1 < p.count ? n << ENTRY_BITS | (i + 1)
			                         : (n + 1) << ENTRY_BITS;
			if (!to->add(to->ctx, &e))
				return 0;
			*pos = e.next;
		}
		*pos = (n + 1) << ENTRY_BITS;
	}
	return 0;
}
