/* SPDX-License-Identifier: Apache-2.0 */
#include "image/imgtree.h"

#include <string.h>
#include <sys/stat.h>

#define SLAB    ((size_t)256 * 1024)
#define BUCKETS 1024u /* at first */

/* Memory is taken in large pieces, since it all goes at once. */
struct imgtree_slab {
	struct imgtree_slab *next;
	size_t used;
	size_t room;
	_Alignas(16) uint8_t bytes[];
};

static void *take(struct imgtree *t, size_t size)
{
	struct imgtree_slab *s = t->slabs;
	size_t want = round_up(MAX(size, 1), 16);

	if (!s || want > s->room - s->used) {
		size_t room = MAX(SLAB, want);

		s = calloc(1, sizeof(*s) + room);
		if (!s)
			return NULL;
		s->room = room;
		s->next = t->slabs;
		t->slabs = s;
	}
	s->used += want;
	return s->bytes + (s->used - want);
}

int imgtree_keep(struct imgtree *t, struct span what, struct span *out)
{
	uint8_t *at = take(t, what.size);

	if (!at)
		return -ENOMEM;
	if (what.size > 0)
		memcpy(at, what.at, what.size);
	*out = (struct span){at, what.size};
	return 0;
}

int imgtree_init(struct imgtree *t)
{
	*t = (struct imgtree){.bucket_count = BUCKETS};
	list_init(&t->files);
	t->bucket = calloc(t->bucket_count, sizeof(struct imgtree_name *));
	t->root = t->bucket ? imgtree_file(t, S_IFDIR | 0755) : NULL;
	if (!t->root) {
		imgtree_fini(t);
		return -ENOMEM;
	}
	t->root->parent = t->root;
	t->root->implied = true;
	return 0;
}

void imgtree_fini(struct imgtree *t)
{
	while (t->slabs) {
		struct imgtree_slab *next = t->slabs->next;

		free(t->slabs);
		t->slabs = next;
	}
	free(t->bucket);
	t->bucket = NULL;
}

struct imgtree_file *imgtree_file(struct imgtree *t, uint32_t mode)
{
	struct imgtree_file *file;

	if (t->name_count >= IMGTREE_ENTRIES_MAX)
		return NULL;
	file = take(t, sizeof(*file));
	if (!file)
		return NULL;
	file->mode = mode;
	list_init(&file->names);
	list_add_tail(&t->files, &file->all);
	return file;
}

/* ---- names ---- */

int imgtree_clean(struct span path, char to[IMGTREE_PATH_MAX])
{
	size_t used = 0, at = 0;

	if (path.size > 0 && memchr(path.at, 0, path.size))
		return -EINVAL;
	while (at < path.size) {
		const uint8_t *end = memchr(path.at + at, '/', path.size - at);
		size_t next = end ? (size_t)(end - path.at) : path.size;
		struct span part = {path.at + at, next - at};

		at = next + 1;
		if (part.size == 0 || span_is(part, "."))
			continue;
		if (span_is(part, "..") || part.size > ONDISK_NAME_MAX)
			return -EINVAL;
		if (used + part.size + 2 > IMGTREE_PATH_MAX)
			return -ENAMETOOLONG;
		if (used > 0)
			to[used++] = '/';
		memcpy(to + used, part.at, part.size);
		used += part.size;
	}
	to[used] = '\0';
	return 0;
}

static struct imgtree_name **bucket_of(const struct imgtree *t,
                                       const struct imgtree_file *dir,
                                       struct span name)
{
	uint64_t h = 0xcbf29ce484222325ull ^ (uint64_t)(uintptr_t)dir;

	for (size_t i = 0; i < name.size; i++)
		h = (h ^ name.at[i]) * 0x100000001b3ull;
	h ^= h >> 29;
	return &t->bucket[h & (t->bucket_count - 1)];
}

static struct imgtree_name *look(const struct imgtree *t,
                                 const struct imgtree_file *dir,
                                 struct span name)
{
	struct imgtree_name *n = *bucket_of(t, dir, name);

	while (n && (n->dir != dir || !span_eq(n->name, name)))
		n = n->chain;
	return n;
}

struct imgtree_file *imgtree_child(const struct imgtree *t,
                                   const struct imgtree_file *dir,
                                   struct span name)
{
	struct imgtree_name *n = look(t, dir, name);

	return n ? n->file : NULL;
}

/* Twice the buckets, once they are full.  Without memory: slower, no more. */
static void grow(struct imgtree *t)
{
	size_t count = t->bucket_count * 2;
	struct imgtree_name **old = t->bucket;
	size_t old_count = t->bucket_count;
	struct imgtree_name **fresh;

	if (t->name_count < t->bucket_count)
		return;
	fresh = calloc(count, sizeof(struct imgtree_name *));
	if (!fresh)
		return;
	t->bucket = fresh;
	t->bucket_count = count;
	for (size_t i = 0; i < old_count; i++) {
		struct imgtree_name *n = old[i];

		while (n) {
			struct imgtree_name *next = n->chain;
			struct imgtree_name **b = bucket_of(t, n->dir, n->name);

			n->chain = *b;
			*b = n;
			n = next;
		}
	}
	free(old);
}

static int add_name(struct imgtree *t, struct imgtree_file *dir,
                    struct span name, struct imgtree_file *file)
{
	struct imgtree_name *n = take(t, sizeof(*n));
	struct imgtree_name **b;

	if (!n || imgtree_keep(t, name, &n->name) < 0)
		return -ENOMEM;
	grow(t);
	n->dir = dir;
	n->file = file;
	n->layer = t->layer;
	list_add_tail(&dir->names, &n->in_dir);
	dir->name_count++;
	b = bucket_of(t, dir, name);
	n->chain = *b;
	*b = n;
	t->name_count++;
	file->nlink++;
	if (S_ISDIR(file->mode))
		file->parent = dir;
	return 0;
}

/* From its bucket and its directory; what it led to may stay for others. */
static void drop_name(struct imgtree *t, struct imgtree_name *n)
{
	struct imgtree_name **at = bucket_of(t, n->dir, n->name);

	while (*at != n)
		at = &(*at)->chain;
	*at = n->chain;
	list_del(&n->in_dir);
	n->dir->name_count--;
	n->file->nlink--;
}

/* The directory a clean path is in and its last component. */
static struct imgtree_file *walk(const struct imgtree *t, const char *path,
                                 struct span *last)
{
	struct imgtree_file *dir = t->root;

	for (;;) {
		size_t size = strcspn(path, "/");

		*last = (struct span){(const uint8_t *)path, size};
		if (path[size] == '\0')
			return dir;
		dir = imgtree_child(t, dir, *last);
		if (!dir || !S_ISDIR(dir->mode))
			return NULL;
		path += size + 1;
	}
}

struct imgtree_file *imgtree_find(const struct imgtree *t, const char *path)
{
	struct span last;
	struct imgtree_file *dir = walk(t, path, &last);

	if (last.size == 0)
		return dir;
	return dir ? imgtree_child(t, dir, last) : NULL;
}

/* As walk(), making what is missing. */
static int make_way(struct imgtree *t, const char *path,
                    struct imgtree_file **out, struct span *last)
{
	struct imgtree_file *dir = t->root;

	for (;;) {
		size_t size = strcspn(path, "/");
		struct imgtree_file *next;

		*last = (struct span){(const uint8_t *)path, size};
		*out = dir;
		if (path[size] == '\0')
			return 0;
		next = imgtree_child(t, dir, *last);
		if (!next) {
			next = imgtree_file(t, S_IFDIR | 0755);
			if (!next || add_name(t, dir, *last, next) < 0)
				return -ENOMEM;
			next->implied = true;
		}
		if (!S_ISDIR(next->mode))
			return -ENOTDIR;
		dir = next;
		path += size + 1;
	}
}

/* A directory told of (again): its attributes are now these. */
static void take_attributes(struct imgtree_file *dir,
                            const struct imgtree_file *from)
{
	dir->mode = from->mode;
	dir->uid = from->uid;
	dir->gid = from->gid;
	dir->mtime = from->mtime;
	dir->mtime_nsec = from->mtime_nsec;
	dir->xattrs = from->xattrs;
	dir->xattr_size = from->xattr_size;
	dir->has_acl = from->has_acl;
	dir->implied = false;
}

int imgtree_enter(struct imgtree *t, const char *path,
                  struct imgtree_file *file)
{
	struct imgtree_file *dir;
	struct imgtree_name *old;
	struct span last;
	int err = make_way(t, path, &dir, &last);

	if (err < 0)
		return err;
	if (last.size == 0) {
		if (!S_ISDIR(file->mode))
			return -EINVAL;
		take_attributes(t->root, file);
		return 0;
	}
	old = look(t, dir, last);
	if (old && S_ISDIR(old->file->mode) && S_ISDIR(file->mode)) {
		take_attributes(old->file, file);
		old->layer = t->layer;
		return 0;
	}
	if (old)
		drop_name(t, old);
	return add_name(t, dir, last, file);
}

void imgtree_remove(struct imgtree *t, const char *path)
{
	struct span last;
	struct imgtree_file *dir = walk(t, path, &last);
	struct imgtree_name *n = NULL;

	if (dir && last.size > 0)
		n = look(t, dir, last);
	if (n)
		drop_name(t, n);
}

void imgtree_empty(struct imgtree *t, struct imgtree_file *dir)
{
	struct imgtree_file *todo = dir;

	dir->todo = NULL;
	while (todo) {
		dir = todo;
		todo = dir->todo;
		list_for_each_safe (at, &dir->names) {
			struct imgtree_name *n = list_entry(
				at, struct imgtree_name, in_dir);

			if (n->layer < t->layer) {
				drop_name(t, n);
			} else if (S_ISDIR(n->file->mode)) {
				n->file->todo = todo;
				todo = n->file;
			}
		}
	}
}

bool imgtree_open_to_all(const struct imgtree_file *dir)
{
	for (;; dir = dir->parent) {
		if (!(dir->mode & S_IXOTH) || dir->has_acl)
			return false;
		if (dir->parent == dir)
			return true;
	}
}

/* ---- attributes ---- */

static const char *const prefixes[] = ONDISK_XATTR_PREFIXES;

/* The longest prefix the name has: its number, or 0. */
static uint8_t prefix_of(const char *name)
{
	uint8_t best = 0;

	for (uint8_t i = 1; i < ARRAY_LEN(prefixes); i++)
		if (prefixes[i] &&
		    strncmp(name, prefixes[i], strlen(prefixes[i])) == 0 &&
		    (best == 0 || strlen(prefixes[i]) > strlen(prefixes[best])))
			best = i;
	return best;
}

static size_t entry_size(const struct imgtree_xattr *x)
{
	return round_up(ONDISK_XATTR_ENTRY + x->suffix.size + x->value.size,
	                ONDISK_XATTR_ENTRY);
}

int imgtree_set_xattr(struct imgtree *t, struct imgtree_file *file,
                      const char *name, struct span value)
{
	struct imgtree_xattr made = {.prefix = prefix_of(name)};
	struct imgtree_xattr *x;
	size_t size;

	if (made.prefix == 0)
		return -EOPNOTSUPP;
	made.suffix = span_str(name + strlen(prefixes[made.prefix]));
	made.value = value;
	if (made.suffix.size > ONDISK_NAME_MAX || value.size > UINT16_MAX)
		return -E2BIG;
	for (x = file->xattrs; x; x = x->next)
		if (x->prefix == made.prefix && span_eq(x->suffix, made.suffix))
			break;
	size = file->xattr_size + entry_size(&made) - (x ? entry_size(x) : 0);
	if (size > ONDISK_XATTR_MAX)
		return -E2BIG;
	if (imgtree_keep(t, made.suffix, &made.suffix) < 0 ||
	    imgtree_keep(t, made.value, &made.value) < 0)
		return -ENOMEM;
	if (!x) {
		x = take(t, sizeof(*x));
		if (!x)
			return -ENOMEM;
		made.next = file->xattrs;
		file->xattrs = x;
	} else {
		made.next = x->next;
	}
	*x = made;
	file->xattr_size = size;
	if (made.prefix == 2 || made.prefix == 3)
		file->has_acl = true;
	return 0;
}
