/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over all records fills a table of inodes; the names counted there
 * must be those the inodes speak of.
 */
#include "volume/volume_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "volume/cipher.h"
#include "volume/object.h"
#include "volume/tree.h"

struct seen {
	uint64_t ino;
	uint32_t mode, nlink;
	uint32_t names;  /* that lead here */
	uint32_t below;  /* directories in it */
	uint64_t inside; /* names in it */
	uint64_t size;
	uint64_t parent, named_in;
	uint64_t xattr_bytes, xattr_seen;
	bool there;      /* it has a record */
	bool object;     /* and an object */
	uint8_t reached; /* from the root: 0 not looked, 1 yes, 2 under way */
};

struct check {
	struct volume *v;
	volume_check_tell *tell;
	void *arg;
	struct volume_check_report *report;
	struct seen *table; /* open addressing; ino 0 is free */
	size_t room, count;
	uint64_t bytes, inodes, highest;
};

static void wrong(struct check *c, const char *fmt, ...) printf_like(2);

static void wrong(struct check *c, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->report->wrong++;
	c->tell(c->arg, text);
}

#define NUMBER(n) ((unsigned long long)(n))

/* ---- the table ---- */

static struct seen *slot(struct seen *table, size_t room, uint64_t ino)
{
	size_t at = (size_t)(ino * 0x9e3779b97f4a7c15u >> 20) & (room - 1);

	while (table[at].ino != 0 && table[at].ino != ino)
		at = (at + 1) & (room - 1);
	return &table[at];
}

static int grow(struct check *c)
{
	size_t room = c->room ? c->room * 2 : 1024;
	struct seen *table = calloc(room, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < c->room; i++)
		if (c->table[i].ino)
			*slot(table, room, c->table[i].ino) = c->table[i];
	free(c->table);
	c->table = table;
	c->room = room;
	return 0;
}

/* The entry of an inode, made if need be.  NULL: no memory. */
static struct seen *entry(struct check *c, uint64_t ino)
{
	struct seen *s;

	if (c->count * 2 >= c->room && grow(c) < 0)
		return NULL;
	s = slot(c->table, c->room, ino);
	if (s->ino == 0) {
		s->ino = ino;
		c->count++;
	}
	return s;
}

/* ---- records ---- */

static int see_inode(struct check *c, uint64_t ino, struct span value)
{
	struct vrecord_inode r;
	struct seen *s;

	if (vrecord_get_inode(value, &r) < 0) {
		wrong(c, "inode %llu: its record makes no sense", NUMBER(ino));
		return 0;
	}
	s = entry(c, ino);
	if (!s)
		return -ENOMEM;
	s->there = true;
	s->mode = r.mode;
	s->nlink = r.nlink;
	s->size = r.size;
	s->parent = r.parent;
	s->xattr_bytes = r.xattr_bytes;
	c->bytes += r.charged + r.xattr_bytes;
	c->inodes++;
	c->report->inodes++;
	c->highest = MAX(c->highest, ino);
	return 0;
}

static int see_name(struct check *c, const struct vrecord_key *key,
                    uint64_t dir, struct span value)
{
	struct vrecord_name n;
	struct vrecord_key want;
	struct seen *s;
	uint8_t hash[16];

	if (vrecord_get_name(value, &n) < 0) {
		wrong(c, "directory %llu: a name in it makes no sense",
		      NUMBER(dir));
		return 0;
	}
	store_hash(c->v->store, n.name, hash);
	want = vrecord_key_name(dir, hash);
	if (!span_eq(vrecord_span(&want), vrecord_span(key)))
		wrong(c, "directory %llu: a name stands under another's key",
		      NUMBER(dir));
	c->report->names++;
	s = entry(c, n.ino);
	if (!s)
		return -ENOMEM;
	s->names++;
	s->named_in = dir;
	/* The type is looked at when all inodes were seen. */
	if (s->there && (s->mode & S_IFMT) >> 12 != n.type)
		wrong(c, "inode %llu: a name says another type", NUMBER(n.ino));
	s = entry(c, dir);
	if (!s)
		return -ENOMEM;
	s->inside++;
	s->below += n.type == DT_DIR;
	return 0;
}

static int see_xattr(struct check *c, uint64_t ino, struct span value)
{
	struct vrecord_xattr x;
	struct seen *s;

	if (vrecord_get_xattr(value, &x) < 0) {
		wrong(c, "inode %llu: an attribute makes no sense",
		      NUMBER(ino));
		return 0;
	}
	s = entry(c, ino);
	if (!s)
		return -ENOMEM;
	s->xattr_seen += x.name.size + x.value.size;
	c->report->xattrs++;
	return 0;
}

/* Inodes come before names by a walk of their own: 'D' < 'I'. */
static int walk(struct check *c, char kind)
{
	struct vrecord_key key = {.size = 1, .at = {(uint8_t)kind}};
	struct span prefix = {(const uint8_t *)&kind, 1};

	for (;; store_step(&key)) {
		struct span value;
		uint64_t ino = 0;
		char got;
		int err = store_next(c->v->store, prefix, &key, &value);

		if (err == -ENOENT)
			return 0;
		if (err == -EIO) {
			wrong(c, "a record ('%c') is damaged", kind);
			continue;
		}
		if (err == 0 && vrecord_key_parse(vrecord_span(&key), &got,
		                                  &ino, NULL) < 0) {
			wrong(c, "a record's key makes no sense");
			continue;
		}
		if (err == 0 && kind == 'I')
			err = see_inode(c, ino, value);
		else if (err == 0 && kind == 'D')
			err = see_name(c, &key, ino, value);
		else if (err == 0)
			err = see_xattr(c, ino, value);
		if (err < 0)
			return err;
	}
}

/* ---- objects ---- */

static int walk_objects(struct check *c)
{
	int again = openat(c->v->objects_fd, ".",
	                   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *e;

	if (!dir) {
		base_close(&again);
		return -errno;
	}
	while ((e = readdir(dir))) {
		uint64_t ino = object_number(e->d_name);
		struct seen *s;

		if (e->d_name[0] == '.')
			continue;
		s = ino ? slot(c->table, c->room, ino) : NULL;
		if (!s || !s->there || !S_ISREG(s->mode))
			wrong(c, "an object belongs to no file");
		else
			s->object = true;
		c->report->objects++;
	}
	(void)closedir(dir);
	return 0;
}

/* ---- contents ---- */

static int read_all(struct check *c, struct cipher *cipher, uint8_t *piece,
                    const struct seen *s)
{
	struct cipher_file f = {-1, s->ino, s->size};
	long got = 1;
	int fd = object_open(c->v->objects_fd, s->ino, O_RDONLY);

	if (fd < 0)
		return fd;
	f.fd = fd;
	for (uint64_t at = 0; at < s->size && got != 0; at += CIPHER_BLOCK) {
		got = cipher_read(cipher, &f, piece, CIPHER_BLOCK, at);
		if (got < 0)
			wrong(c, "inode %llu: block %llu is not authentic",
			      NUMBER(s->ino), NUMBER(at / CIPHER_BLOCK));
	}
	close(fd);
	return 0;
}

static int walk_contents(struct check *c)
{
	autofree uint8_t *piece = malloc(CIPHER_BLOCK);
	struct cipher *cipher = cipher_create(c->v->objects_key);
	int err = piece && cipher ? 0 : -ENOMEM;

	for (size_t i = 0; i < c->room && err == 0; i++)
		if (c->table[i].there && S_ISREG(c->table[i].mode) &&
		    c->table[i].object)
			err = read_all(c, cipher, piece, &c->table[i]);
	cipher_destroy(cipher);
	return err;
}

/* ---- what they make together ---- */

static void judge_links(struct check *c, const struct seen *s)
{
	bool dir = S_ISDIR(s->mode);
	uint32_t names = s->names + (s->ino == VRECORD_ROOT);
	uint32_t want = dir ? 2 + s->below : names;

	if (dir && names != 1)
		wrong(c, "directory %llu: it has %u names", NUMBER(s->ino),
		      names);
	else if (names == 0 && s->nlink != 0)
		wrong(c, "inode %llu: no name leads to it", NUMBER(s->ino));
	else if (s->nlink != want)
		wrong(c, "inode %llu: it says %u links, and has %u",
		      NUMBER(s->ino), s->nlink, want);
	if (!dir && s->inside > 0)
		wrong(c, "inode %llu: names are in what is no directory",
		      NUMBER(s->ino));
	if (dir && s->size != s->inside)
		wrong(c, "directory %llu: it says %llu names, and has %llu",
		      NUMBER(s->ino), NUMBER(s->size), NUMBER(s->inside));
	if (dir && s->ino != VRECORD_ROOT && s->parent != s->named_in)
		wrong(c, "directory %llu: its parent is another",
		      NUMBER(s->ino));
}

static void judge(struct check *c, const struct seen *s)
{
	if (!s->there) {
		wrong(c, "inode %llu: it is spoken of, and not there",
		      NUMBER(s->ino));
		return;
	}
	judge_links(c, s);
	if (S_ISREG(s->mode) && !s->object)
		wrong(c, "inode %llu: its contents are missing",
		      NUMBER(s->ino));
	if (s->xattr_bytes != s->xattr_seen)
		wrong(c,
		      "inode %llu: it says %llu bytes of attributes, and "
		      "has %llu",
		      NUMBER(s->ino), NUMBER(s->xattr_bytes),
		      NUMBER(s->xattr_seen));
}

/* Directories that hang together, but not from the root. */
static void judge_reached(struct check *c, struct seen *from)
{
	struct seen *s = from;
	uint8_t verdict = 2;

	while (s->there && s->reached == 0 && s->ino != VRECORD_ROOT) {
		s->reached = 2;
		if (s->named_in == 0)
			break;
		s = slot(c->table, c->room, s->named_in);
	}
	if (s->ino == VRECORD_ROOT || s->reached == 1)
		verdict = 1;
	for (s = from; s->there && s->reached == 2 && verdict == 1;
	     s = slot(c->table, c->room, s->named_in))
		s->reached = 1;
	if (verdict != 1 && from->names > 0)
		wrong(c, "inode %llu: it is not reached from the root",
		      NUMBER(from->ino));
}

static void judge_sums(struct check *c)
{
	const struct vrecord_volume *s = &c->v->sums;

	if (s->bytes != c->bytes)
		wrong(c, "%llu bytes are said to be used, and %llu are",
		      NUMBER(s->bytes), NUMBER(c->bytes));
	if (s->inodes != c->inodes)
		wrong(c, "%llu inodes are said to be used, and %llu are",
		      NUMBER(s->inodes), NUMBER(c->inodes));
	if (s->next_ino <= c->highest)
		wrong(c, "the next inode number was given already");
	c->report->bytes = c->bytes;
}

int volume_check(struct volume *v, unsigned flags, volume_check_tell *tell,
                 void *arg, struct volume_check_report *report)
{
	struct check c = {.v = v, .tell = tell, .arg = arg, .report = report};
	int err = grow(&c);

	*report = (struct volume_check_report){0};
	if (err == 0)
		err = walk(&c, 'I');
	if (err == 0)
		err = walk(&c, 'D');
	if (err == 0)
		err = walk(&c, 'X');
	if (err == 0)
		err = walk_objects(&c);
	if (err == 0 && !slot(c.table, c.room, VRECORD_ROOT)->there)
		wrong(&c, "there is no root");
	for (size_t i = 0; i < c.room && err == 0; i++) {
		if (c.table[i].ino)
			judge(&c, &c.table[i]);
		if (c.table[i].ino)
			judge_reached(&c, &c.table[i]);
	}
	if (err == 0)
		judge_sums(&c);
	if (err == 0 && v->encrypted && (flags & VOLUME_CHECK_CONTENTS))
		err = walk_contents(&c);
	free(c.table);
	return err;
}
