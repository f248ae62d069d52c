/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/vrecord.h"

#include <sys/stat.h>

#define HASH 16u
#define NSEC 1000000000u

/* ---- keys ---- */

struct vrecord_key vrecord_key_volume(void)
{
	return (struct vrecord_key){.size = 1, .at = {'S'}};
}

struct vrecord_key vrecord_key_prefix(char kind, uint64_t ino)
{
	struct vrecord_key k = {.size = 9, .at = {(uint8_t)kind}};

	for (unsigned i = 0; i < 8; i++)
		k.at[1 + i] = (uint8_t)(ino >> (56 - 8 * i));
	return k;
}

struct vrecord_key vrecord_key_inode(uint64_t ino)
{
	return vrecord_key_prefix('I', ino);
}

static struct vrecord_key hashed(char kind, uint64_t ino,
                                 const uint8_t hash[HASH])
{
	struct vrecord_key k = vrecord_key_prefix(kind, ino);

	memcpy(k.at + k.size, hash, HASH);
	k.size += HASH;
	return k;
}

struct vrecord_key vrecord_key_name(uint64_t dir, const uint8_t hash[HASH])
{
	return hashed('D', dir, hash);
}

struct vrecord_key vrecord_key_xattr(uint64_t ino, const uint8_t hash[HASH])
{
	return hashed('X', ino, hash);
}

int vrecord_key_parse(struct span key, char *kind, uint64_t *ino,
                      const uint8_t **hash)
{
	struct reader r = {.rest = key};
	char what = (char)rd_u8(&r);
	uint64_t number = 0;
	struct span rest = {NULL, 0};

	if (what != 'S') {
		for (unsigned i = 0; i < 8; i++)
			number = number << 8 | rd_u8(&r);
		if (what == 'D' || what == 'X')
			rest = rd_take(&r, HASH);
		else if (what != 'I')
			return -EIO;
	}
	if (!rd_end(&r))
		return -EIO;
	*kind = what;
	*ino = number;
	if (hash)
		*hash = rest.at;
	return 0;
}

/* ---- values ---- */

struct writer {
	uint8_t *at;
	size_t size;
};

static void put_int(struct writer *w, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		w->at[w->size++] = (uint8_t)(value >> (8 * i));
}

static void put_bytes(struct writer *w, struct span s)
{
	if (s.size)
		memcpy(w->at + w->size, s.at, s.size);
	w->size += s.size;
}

static void put_time(struct writer *w, struct vrecord_time t)
{
	put_int(w, (uint64_t)t.sec, 8);
	put_int(w, t.nsec, 4);
}

static struct vrecord_time get_time(struct reader *r)
{
	struct vrecord_time t;

	t.sec = (int64_t)rd_le64(r);
	t.nsec = rd_le32(r);
	if (t.nsec >= NSEC)
		r->bad = true;
	return t;
}

size_t vrecord_put_volume(const struct vrecord_volume *v, uint8_t *to)
{
	struct writer w = {to, 0};

	put_int(&w, v->max_bytes, 8);
	put_int(&w, v->max_inodes, 8);
	put_int(&w, v->bytes, 8);
	put_int(&w, v->inodes, 8);
	put_int(&w, v->next_ino, 8);
	put_int(&w, v->clean, 1);
	return w.size;
}

int vrecord_get_volume(struct span from, struct vrecord_volume *v)
{
	struct reader r = {.rest = from};
	struct vrecord_volume got;
	uint8_t clean;

	got.max_bytes = rd_le64(&r);
	got.max_inodes = rd_le64(&r);
	got.bytes = rd_le64(&r);
	got.inodes = rd_le64(&r);
	got.next_ino = rd_le64(&r);
	clean = rd_u8(&r);
	if (!rd_end(&r) || clean > 1 || got.next_ino < VRECORD_FIRST)
		return -EIO;
	got.clean = clean;
	*v = got;
	return 0;
}

size_t vrecord_put_inode(const struct vrecord_inode *i, uint8_t *to)
{
	struct writer w = {to, 0};

	put_int(&w, i->mode, 4);
	put_int(&w, i->uid, 4);
	put_int(&w, i->gid, 4);
	put_int(&w, i->nlink, 4);
	put_int(&w, i->rdev, 8);
	put_int(&w, i->size, 8);
	put_int(&w, i->charged, 8);
	put_int(&w, i->parent, 8);
	put_int(&w, i->xattr_bytes, 4);
	put_time(&w, i->atime);
	put_time(&w, i->mtime);
	put_time(&w, i->ctime);
	put_time(&w, i->btime);
	put_int(&w, i->target.size, 4);
	put_bytes(&w, i->target);
	return w.size;
}

static bool type_ok(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return (mode & ~(uint32_t)(S_IFMT | 07777)) == 0;
	default:
		return false;
	}
}

int vrecord_get_inode(struct span from, struct vrecord_inode *i)
{
	struct reader r = {.rest = from};
	struct vrecord_inode got;

	got.mode = rd_le32(&r);
	got.uid = rd_le32(&r);
	got.gid = rd_le32(&r);
	got.nlink = rd_le32(&r);
	got.rdev = rd_le64(&r);
	got.size = rd_le64(&r);
	got.charged = rd_le64(&r);
	got.parent = rd_le64(&r);
	got.xattr_bytes = rd_le32(&r);
	got.atime = get_time(&r);
	got.mtime = get_time(&r);
	got.ctime = get_time(&r);
	got.btime = get_time(&r);
	got.target = rd_str32(&r);
	if (!rd_end(&r) || !type_ok(got.mode) || got.size > INT64_MAX ||
	    got.charged > INT64_MAX || got.target.size > VRECORD_LINK_MAX)
		return -EIO;
	if (S_ISLNK(got.mode) ? got.target.size == 0 : got.target.size != 0)
		return -EIO;
	*i = got;
	return 0;
}

bool vrecord_name_ok(struct span name)
{
	return name.size > 0 && name.size <= VRECORD_NAME_MAX &&
	       !span_is(name, ".") && !span_is(name, "..") &&
	       !memchr(name.at, '/', name.size) &&
	       !memchr(name.at, '\0', name.size);
}

size_t vrecord_put_name(const struct vrecord_name *n, uint8_t *to)
{
	struct writer w = {to, 0};

	put_int(&w, n->ino, 8);
	put_int(&w, n->type, 1);
	put_bytes(&w, n->name);
	return w.size;
}

int vrecord_get_name(struct span from, struct vrecord_name *n)
{
	struct reader r = {.rest = from};
	struct vrecord_name got;

	got.ino = rd_le64(&r);
	got.type = rd_u8(&r);
	if (r.bad || got.ino == 0 || !vrecord_name_ok(r.rest) ||
	    !type_ok((uint32_t)got.type << 12))
		return -EIO;
	got.name = r.rest;
	*n = got;
	return 0;
}

size_t vrecord_put_xattr(const struct vrecord_xattr *x, uint8_t *to)
{
	struct writer w = {to, 0};

	put_int(&w, x->name.size, 1);
	put_bytes(&w, x->name);
	put_bytes(&w, x->value);
	return w.size;
}

int vrecord_get_xattr(struct span from, struct vrecord_xattr *x)
{
	struct reader r = {.rest = from};
	struct vrecord_xattr got;

	got.name = rd_str8(&r);
	if (r.bad || got.name.size == 0 || r.rest.size > VRECORD_VALUE_MAX ||
	    memchr(got.name.at, '\0', got.name.size))
		return -EIO;
	got.value = r.rest;
	*x = got;
	return 0;
}
