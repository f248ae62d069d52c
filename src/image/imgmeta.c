/* SPDX-License-Identifier: Apache-2.0 */
#include "image/imgmeta.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/whole.h"
#include "image/imgwrite.h"

#define ALIGN     64u /* of inodes */
#define FIRST     64u /* the first inode: its number is not to be 0 */
#define OUT       ((size_t)64 * 1024)
#define DEVICE_AT (ONDISK_DEVICE_SLOT * ONDISK_DEVICE_SIZE)

/* ---- what there is ---- */

static int append(struct imgmeta *m, struct imgtree_file *file)
{
	if (m->count == m->room) {
		size_t room = m->room ? m->room * 2 : 4096;
		struct imgtree_file **order = reallocarray(
			m->order, room, sizeof(struct imgtree_file *));

		if (!order)
			return -ENOMEM;
		m->order = order;
		m->room = room;
	}
	file->reached = true;
	m->order[m->count++] = file;
	return 0;
}

/* What is in a directory is reached; may everyone read it? */
static int enter(struct imgmeta *m, struct imgtree_file *dir)
{
	bool through = dir->everyone && (dir->mode & S_IXOTH) && !dir->has_acl;

	list_for_each (at, &dir->names) {
		struct imgtree_file *file =
			list_entry(at, struct imgtree_name, in_dir)->file;

		if (S_ISDIR(file->mode))
			file->everyone = through;
		else if (through && (file->mode & S_IROTH) && !file->has_acl)
			file->everyone = true;
		if (!file->reached && append(m, file) < 0)
			return -ENOMEM;
	}
	return 0;
}

int imgmeta_init(struct imgmeta *m, const struct imgtree *t)
{
	int err;

	*m = (struct imgmeta){0};
	t->root->everyone = true;
	err = append(m, t->root);
	for (size_t i = 0; i < m->count && err == 0; i++)
		if (S_ISDIR(m->order[i]->mode))
			err = enter(m, m->order[i]);
	return err;
}

void imgmeta_fini(struct imgmeta *m)
{
	free(m->order);
	m->order = NULL;
}

/* ---- directories ---- */

struct entry {
	struct span name;
	const struct imgtree_file *file;
};

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	int order = memcmp(x->name.at, y->name.at,
	                   MIN(x->name.size, y->name.size));

	if (order != 0)
		return order;
	return (x->name.size > y->name.size) - (x->name.size < y->name.size);
}

/* All names of a directory, sorted; NULL: no memory.  The caller frees it. */
static struct entry *sorted(const struct imgtree_file *dir)
{
	size_t count = 0;
	struct entry *e = calloc((size_t)dir->name_count + 2, sizeof(*e));

	if (!e)
		return NULL;
	e[count++] = (struct entry){span_str("."), dir};
	e[count++] = (struct entry){span_str(".."), dir->parent};
	list_for_each (at, &dir->names) {
		const struct imgtree_name *n = list_entry(
			at, struct imgtree_name, in_dir);

		e[count++] = (struct entry){n->name, n->file};
	}
	qsort(e, count, sizeof(*e), by_name);
	return e;
}

/* How many of the entries go into one block, and how much of it they take. */
static size_t fit(const struct entry *e, size_t count, size_t *used)
{
	size_t n = 0;

	*used = 0;
	while (n < count) {
		size_t more = ONDISK_DIRENT_SIZE + e[n].name.size;

		if (more > ONDISK_BLOCK - *used)
			break;
		*used += more;
		n++;
	}
	return n;
}

static uint64_t entries_size(const struct entry *e, size_t count)
{
	uint64_t size = 0;

	while (count > 0) {
		size_t used;
		size_t n = fit(e, count, &used);

		e += n;
		count -= n;
		size += count > 0 ? ONDISK_BLOCK : used;
	}
	return size;
}

static void put_le(uint8_t *to, uint64_t v, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

static uint8_t type_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return ONDISK_DIR;
	case S_IFCHR:
		return ONDISK_CHR;
	case S_IFBLK:
		return ONDISK_BLK;
	case S_IFIFO:
		return ONDISK_FIFO;
	case S_IFSOCK:
		return ONDISK_SOCK;
	case S_IFLNK:
		return ONDISK_LNK;
	default:
		return ONDISK_REG;
	}
}

/* One block of entries. */
static void fill_block(const struct entry *e, size_t count, uint8_t *to)
{
	size_t name = count * ONDISK_DIRENT_SIZE;

	for (size_t i = 0; i < count; i++) {
		uint8_t *at = to + i * ONDISK_DIRENT_SIZE;

		put_le(at, e[i].file->nid, 8);
		put_le(at + 8, name, 2);
		at[10] = type_of(e[i].file->mode);
		at[11] = 0;
		memcpy(to + name, e[i].name.at, e[i].name.size);
		name += e[i].name.size;
	}
}

/* ---- where everything goes ---- */

struct plan {
	uint64_t start; /* block of the first inode */
	uint64_t meta;  /* bytes of inodes */
	uint64_t extra; /* blocks behind them */
};

static uint64_t blocks_of(uint64_t size)
{
	return size / ONDISK_BLOCK + (size % ONDISK_BLOCK != 0);
}

static size_t head_size(const struct imgtree_file *file)
{
	size_t size = ONDISK_EXTENDED_SIZE;

	if (file->xattrs)
		size += ONDISK_XATTR_HEAD + file->xattr_size;
	return size;
}

/* Directories and links: the size of what they hold. */
static int measure(struct imgtree_file *file)
{
	struct entry *e;

	if (S_ISLNK(file->mode)) {
		file->size = file->target.size;
	} else if (S_ISDIR(file->mode)) {
		e = sorted(file);
		if (!e)
			return -ENOMEM;
		file->size = entries_size(e, (size_t)file->name_count + 2);
		free(e);
	}
	return 0;
}

static void place(struct imgtree_file *file, struct plan *p)
{
	bool holds = S_ISLNK(file->mode) || S_ISDIR(file->mode);
	size_t head = head_size(file);
	size_t size = head;

	file->inlined = holds && head + file->size <= ONDISK_BLOCK;
	if (file->inlined) {
		size += file->size;
		if (p->meta % ONDISK_BLOCK + size > ONDISK_BLOCK)
			p->meta = round_up(p->meta, ONDISK_BLOCK);
	} else if (holds) {
		file->start = p->extra; /* counted from behind the inodes */
		p->extra += blocks_of(file->size);
	}
	file->nid = p->meta >> ONDISK_NID_BITS;
	p->meta = round_up(p->meta + size, ALIGN);
}

static int lay_out(struct imgmeta *m, struct imgwrite *w, struct plan *p,
                   struct fault *f)
{
	uint64_t behind;

	*p = (struct plan){.start = w->main_blocks, .meta = FIRST};
	for (size_t i = 0; i < m->count; i++) {
		if (measure(m->order[i]) < 0)
			return fault_set(f, -ENOMEM, "out of memory");
		place(m->order[i], p);
	}
	behind = p->start + blocks_of(p->meta);
	if (behind + p->extra + w->data_blocks > w->max_blocks)
		return fault_set(f, -EFBIG, "the image would be too large");
	for (size_t i = 0; i < m->count; i++) {
		struct imgtree_file *file = m->order[i];

		if ((S_ISLNK(file->mode) || S_ISDIR(file->mode)) &&
		    !file->inlined)
			file->start += behind;
		else if (file->where == IMGTREE_PUBLIC)
			file->start += behind + p->extra;
	}
	w->main_blocks = behind + p->extra;
	return 0;
}

/* ---- writing ---- */

/* Bytes one behind the other. */
struct out {
	int fd;
	uint64_t at; /* of the buffer's first byte */
	size_t used;
	bool failed; /* errno of it is in `err` */
	int err;
	uint8_t bytes[OUT];
	uint8_t block[ONDISK_BLOCK]; /* one being made */
};

static void flush(struct out *o)
{
	int err = o->failed ? 0
	                    : whole_pwrite(o->fd,
	                                   (struct span){o->bytes, o->used},
	                                   o->at);

	if (err < 0) {
		o->failed = true;
		o->err = -err;
		return;
	}
	o->at += o->used;
	o->used = 0;
}

/* Zeros if `from` is NULL. */
static void put(struct out *o, const void *from, size_t size)
{
	const uint8_t *bytes = from;

	while (size > 0 && !o->failed) {
		size_t n = MIN(size, OUT - o->used);

		if (bytes) {
			memcpy(o->bytes + o->used, bytes, n);
			bytes += n;
		} else {
			memset(o->bytes + o->used, 0, n);
		}
		o->used += n;
		size -= n;
		if (o->used == OUT)
			flush(o);
	}
}

static void pad(struct out *o, uint64_t to)
{
	uint64_t at = o->at + o->used;

	assert(o->failed || at <= to);
	while (at < to && !o->failed) {
		size_t n = (size_t)MIN(to - at, OUT);

		put(o, NULL, n);
		at += n;
	}
}

static uint32_t links_of(const struct imgtree_file *file)
{
	uint32_t count = 2;

	if (!S_ISDIR(file->mode))
		return file->nlink;
	list_for_each (at, &file->names)
		count += S_ISDIR(list_entry(at, struct imgtree_name, in_dir)
		                         ->file->mode);
	return count;
}

static void put_inode(struct out *o, const struct imgtree_file *file)
{
	uint8_t b[ONDISK_EXTENDED_SIZE] = {0};
	uint32_t layout = file->inlined ? ONDISK_INLINE : ONDISK_PLAIN;
	uint64_t icount = 0;
	uint64_t u = file->start;

	if (file->xattrs)
		icount = file->xattr_size / ONDISK_XATTR_ENTRY + 1;
	if (S_ISCHR(file->mode) || S_ISBLK(file->mode))
		u = (file->minor & 0xff) | (uint64_t)file->major << 8 |
		    (uint64_t)(file->minor & ~0xffu) << 12;
	else if (file->inlined || file->size == 0)
		u = UINT32_MAX;
	put_le(b, ONDISK_EXTENDED | layout << 1, 2);
	put_le(b + 2, icount, 2);
	put_le(b + 4, file->mode, 2);
	put_le(b + 8, file->size, 8);
	put_le(b + 16, u, 4);
	put_le(b + 20, file->nid, 4);
	put_le(b + 24, file->uid, 4);
	put_le(b + 28, file->gid, 4);
	put_le(b + 32, (uint64_t)file->mtime, 8);
	put_le(b + 40, file->mtime_nsec, 4);
	put_le(b + 44, links_of(file), 4);
	put(o, b, sizeof(b));
}

static void put_xattrs(struct out *o, const struct imgtree_file *file)
{
	if (!file->xattrs)
		return;
	put(o, NULL, ONDISK_XATTR_HEAD);
	for (const struct imgtree_xattr *x = file->xattrs; x; x = x->next) {
		size_t size = ONDISK_XATTR_ENTRY + x->suffix.size +
		              x->value.size;
		uint8_t head[ONDISK_XATTR_ENTRY] = {
			(uint8_t)x->suffix.size,
			x->prefix,
		};

		put_le(head + 2, x->value.size, 2);
		put(o, head, sizeof(head));
		put(o, x->suffix.at, x->suffix.size);
		put(o, x->value.at, x->value.size);
		put(o, NULL, round_up(size, ONDISK_XATTR_ENTRY) - size);
	}
}

static int put_directory(struct out *o, const struct imgtree_file *dir)
{
	size_t count = (size_t)dir->name_count + 2;
	autofree struct entry *all = sorted(dir);
	const struct entry *e = all;

	if (!all)
		return -ENOMEM;
	while (count > 0) {
		size_t used;
		size_t n = fit(e, count, &used);

		memset(o->block, 0, sizeof(o->block));
		fill_block(e, n, o->block);
		e += n;
		count -= n;
		put(o, o->block, count > 0 ? ONDISK_BLOCK : used);
	}
	return 0;
}

/* What a link or a directory holds. */
static int put_held(struct out *o, const struct imgtree_file *file)
{
	if (S_ISDIR(file->mode))
		return put_directory(o, file);
	put(o, file->target.at, file->target.size);
	return 0;
}

static int put_all(struct imgmeta *m, const struct plan *p, struct out *o)
{
	uint64_t start = p->start * ONDISK_BLOCK;
	int err = 0;

	for (size_t i = 0; i < m->count && err == 0; i++) {
		const struct imgtree_file *file = m->order[i];

		pad(o, start + (file->nid << ONDISK_NID_BITS));
		put_inode(o, file);
		put_xattrs(o, file);
		if (file->inlined)
			err = put_held(o, file);
	}
	for (size_t i = 0; i < m->count && err == 0; i++) {
		const struct imgtree_file *file = m->order[i];

		if (file->inlined ||
		    !(S_ISDIR(file->mode) || S_ISLNK(file->mode)))
			continue;
		pad(o, file->start * ONDISK_BLOCK);
		err = put_held(o, file);
	}
	return err;
}

static void put_super(struct out *o, const struct imgmeta *m,
                      const struct imgwrite *w, const struct plan *p)
{
	uint8_t *b = o->block;
	uint8_t *s = b + ONDISK_SUPER;

	memset(b, 0, sizeof(o->block));
	put_le(s, ONDISK_MAGIC, 4);
	put_le(s + 8, ONDISK_COMPAT_MTIME, 4);
	s[12] = ONDISK_BLOCK_BITS;
	put_le(s + 14, FIRST >> ONDISK_NID_BITS, 2);
	put_le(s + 16, m->count, 8);
	put_le(s + 36, w->main_blocks, 4);
	put_le(s + 40, p->start, 4);
	if (w->data_blocks > 0) {
		put_le(s + 80, ONDISK_INCOMPAT_DEVICES, 4);
		put_le(s + 86, 1, 2);
		put_le(s + 88, ONDISK_DEVICE_SLOT, 2);
		memcpy(b + DEVICE_AT, "data", 4);
		put_le(b + DEVICE_AT + ONDISK_DEVICE_TAG, w->data_blocks, 4);
		put_le(b + DEVICE_AT + ONDISK_DEVICE_TAG + 4, w->main_blocks,
		       4);
	}
	o->at = 0;
	put(o, b, sizeof(o->block));
	flush(o);
}

int imgmeta_write(struct imgmeta *m, struct imgwrite *w, struct fault *f)
{
	autofree struct out *o = calloc(1, sizeof(*o));
	struct plan p;
	int err = lay_out(m, w, &p, f);

	if (err < 0)
		return err;
	if (!o)
		return fault_set(f, -ENOMEM, "out of memory");
	o->fd = w->main_fd;
	o->at = p.start * ONDISK_BLOCK;
	err = put_all(m, &p, o);
	if (err < 0)
		return fault_set(f, err, "out of memory");
	pad(o, w->main_blocks * ONDISK_BLOCK);
	flush(o);
	put_super(o, m, w, &p);
	if (o->failed)
		return fault_set(f, -o->err, "write the image: %s",
		                 strerror(o->err));
	return 0;
}
