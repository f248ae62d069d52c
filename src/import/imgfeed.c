/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk over the image's directories, from a list of those yet to be walked.
 * Files with more than one name are remembered by number; all others are met
 * once.
 */
#include "import/imgfeed.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "image/imgsource.h"

#define NAMES  (1u << 23) /* at most: a tree may lead in circles */
#define BATCH  64u        /* blocks read in one go */
#define BUFFER ((size_t)BATCH * ONDISK_BLOCK)

struct todo {
	struct todo *next;
	uint64_t nid;
	char path[]; /* "", or with a slash behind it */
};

/* Files with several names: a table that is at most half full. */
struct linked {
	uint64_t nid;
	struct imgtree_file *file;
};

struct walk {
	struct imgwrite *w;
	struct tell *tell;
	const struct imgfeed_files *files;
	uint64_t *read;
	struct fault *f;
	struct merkle tree;
	struct imgsource source;
	struct imgread image;
	struct linked *link;
	size_t link_room, link_count;
	uint64_t names;
	struct todo *todo;
	const struct todo *here;
	int err; /* of a callback */
	uint8_t *buffer;
	char path[IMGTREE_PATH_MAX];
	char where[IMGTREE_PATH_MAX]; /* the same, or of its directory */
	char target[ONDISK_BLOCK];    /* of a symbolic link */
};

static int fail(struct walk *k, int err)
{
	if (err == -ENOMEM)
		return fault_set(k->f, err, "out of memory");
	return fault_set(k->f, err,
	                 "the image below cannot be read: %.200s: %s", k->path,
	                 strerror(-err));
}

/* ---- hard links ---- */

static struct linked *place_of(struct linked *table, size_t room, uint64_t nid)
{
	size_t i = (size_t)(nid * 0x9e3779b97f4a7c15u >> 20) & (room - 1);

	while (table[i].file && table[i].nid != nid)
		i = (i + 1) & (room - 1);
	return &table[i];
}

static int note_link(struct walk *k, uint64_t nid, struct imgtree_file *file)
{
	struct linked *slot;

	if (2 * (k->link_count + 1) > k->link_room) {
		size_t room = k->link_room ? 2 * k->link_room : 256;
		struct linked *more = calloc(room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		for (size_t i = 0; i < k->link_room; i++)
			if (k->link[i].file)
				*place_of(more, room,
				          k->link[i].nid) = k->link[i];
		free(k->link);
		k->link = more;
		k->link_room = room;
	}
	slot = place_of(k->link, k->link_room, nid);
	*slot = (struct linked){nid, file};
	k->link_count++;
	return 0;
}

/* The file of that number that has a name already, or NULL. */
static struct imgtree_file *find_link(const struct walk *k, uint64_t nid)
{
	return k->link_room ? place_of(k->link, k->link_room, nid)->file : NULL;
}

/* ---- contents ---- */

/* Checked bytes of the image, from `at` on, that fit the buffer. */
static int fetch(struct walk *k, uint64_t at, uint64_t size, struct span *out)
{
	uint64_t first = at / ONDISK_BLOCK;
	uint64_t end = (at + size - 1) / ONDISK_BLOCK + 1;
	bool main = first < k->image.main_blocks;
	uint64_t shift = main ? 0 : k->image.main_blocks;
	uint64_t count;

	if (main)
		end = MIN(end, k->image.main_blocks);
	count = MIN(end - first, BATCH);
	for (uint64_t i = 0; i < count; i++) {
		uint8_t *to = k->buffer + i * ONDISK_BLOCK;
		int err;

		if (pread(main ? k->files->main_fd : k->files->data_fd, to,
		          ONDISK_BLOCK,
		          (off_t)((first - shift + i) * ONDISK_BLOCK)) !=
		    ONDISK_BLOCK)
			return -EIO;
		err = merkle_check(&k->tree, first + i, to);
		if (err < 0)
			return err;
	}
	*out = (struct span){
		k->buffer + at % ONDISK_BLOCK,
		(size_t)MIN(size, count * ONDISK_BLOCK - at % ONDISK_BLOCK)};
	return 0;
}

/* `dir` is what it is in: it says who may get there. */
static int take_data(struct walk *k, const struct imgread_inode *i,
                     struct imgtree_file *file, const struct imgtree_file *dir)
{
	uint64_t offset = 0;
	int err = 0;

	imgwrite_begin(k->w, file, dir);
	while (err == 0 && offset < i->size) {
		struct span bytes = {0};
		uint64_t at, size;

		err = imgread_place(&k->image, i, offset, &at, &size);
		if (err == 0)
			err = fetch(k, at, size, &bytes);
		if (err < 0)
			return fail(k, err);
		err = imgwrite_put(k->w, file, offset, bytes, k->f);
		offset += bytes.size;
		*k->read += bytes.size;
		tell_progress(k->tell, REPORT_READ, *k->read, 0);
	}
	return err < 0 ? err : imgwrite_end(k->w, file, i->size, k->f);
}

/* ---- files ---- */

struct marking {
	struct walk *walk;
	struct imgtree_file *file;
};

static int take_xattr(void *ctx, const struct imgread_xattr *x)
{
	const struct marking *m = ctx;
	autofree char *name = NULL;

	if (asprintf(&name, "%s%.*s", x->prefix, (int)x->suffix.size,
	             (const char *)x->suffix.at) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	return imgtree_set_xattr(&m->walk->w->tree, m->file, name, x->value);
}

static int take_target(struct walk *k, const struct imgread_inode *i,
                       struct imgtree_file *file)
{
	long size = imgread_link(&k->image, i, k->target, sizeof(k->target));

	if (size <= 0)
		return size < 0 ? (int)size : -EIO;
	return imgtree_keep(
		&k->w->tree,
		(struct span){(const uint8_t *)k->target, (size_t)size},
		&file->target);
}

/* All but its contents. */
static int describe(struct walk *k, const struct imgread_inode *i,
                    struct imgtree_file *file)
{
	struct marking m = {k, file};

	file->uid = i->uid;
	file->gid = i->gid;
	file->mtime = i->mtime;
	file->mtime_nsec = i->mtime_nsec;
	file->major = i->major;
	file->minor = i->minor;
	if (S_ISLNK(i->mode)) {
		int err = take_target(k, i, file);

		if (err < 0)
			return err;
	}
	return imgread_xattr_each(&k->image, i, take_xattr, &m);
}

static int plan_directory(struct walk *k, uint64_t nid)
{
	size_t len = strlen(k->path);
	struct todo *t = malloc(sizeof(*t) + len + 2);

	if (!t)
		return -ENOMEM;
	t->nid = nid;
	memcpy(t->path, k->path, len + 1);
	if (len > 0)
		memcpy(t->path + len, "/", 2);
	t->next = k->todo;
	k->todo = t;
	return 0;
}

/* The file of that number, which is at k->path. */
static int take_file(struct walk *k, uint64_t nid,
                     const struct imgtree_file *dir)
{
	struct imgtree_file *file = find_link(k, nid);
	struct imgread_inode i;
	int err;

	if (file) {
		err = imgtree_enter(&k->w->tree, k->path, file);
		return err < 0 ? fail(k, err) : 0;
	}
	err = imgread_inode(&k->image, nid, &i);
	if (err < 0)
		return fail(k, err);
	file = imgtree_file(&k->w->tree, i.mode);
	if (!file)
		return fail(k, -ENOMEM);
	err = describe(k, &i, file);
	if (err == 0)
		err = imgtree_enter(&k->w->tree, k->path, file);
	if (err == 0 && S_ISDIR(i.mode))
		err = plan_directory(k, nid);
	else if (err == 0 && i.nlink > 1)
		err = note_link(k, nid, file);
	if (err < 0)
		return fail(k, err);
	return S_ISREG(i.mode) ? take_data(k, &i, file, dir) : 0;
}

static bool add(void *ctx, const struct imgread_entry *e)
{
	struct walk *k = ctx;
	const struct imgtree_file *dir;
	size_t len;

	if (span_is(e->name, ".") || span_is(e->name, ".."))
		return true;
	k->path[0] = '\0';
	if (++k->names > NAMES ||
	    snprintf(k->where, sizeof(k->where), "%s%.*s", k->here->path,
	             (int)e->name.size,
	             (const char *)e->name.at) >= (int)sizeof(k->where) ||
	    imgtree_clean(span_str(k->where), k->path) < 0) {
		k->err = fail(k, -EIO);
		return false;
	}
	len = strlen(k->here->path);
	k->where[len > 0 ? len - 1 : 0] = '\0';
	dir = imgtree_find(&k->w->tree, k->where);
	k->err = dir ? take_file(k, e->nid, dir) : fail(k, -EIO);
	return k->err == 0;
}

static int walk(struct walk *k)
{
	const struct imgread_sink sink = {k, add};
	int err;

	k->path[0] = '\0';
	err = take_file(k, k->image.root, k->w->tree.root);
	while (err == 0 && k->todo) {
		autofree struct todo *t = k->todo;
		struct imgread_inode i;
		uint64_t pos = 0;

		k->todo = t->next;
		k->here = t;
		err = imgread_inode(&k->image, t->nid, &i);
		if (err == 0)
			err = imgread_dir_list(&k->image, &i, &pos, &sink);
		if (k->err < 0)
			return k->err;
		if (err < 0)
			return fail(k, err);
	}
	return err;
}

static int open_image(struct walk *k)
{
	struct imgread_source blocks;
	struct merkle_head head;
	int err = merkle_read_head(k->files->tree_fd, &head, k->f);

	if (err < 0)
		return err;
	err = merkle_init(&k->tree, k->files->tree_fd, &head,
	                  &merkle_plain_memory, k->f);
	if (err < 0)
		return err;
	err = imgsource_init(&k->source, k->files->main_fd, head.main_blocks,
	                     &k->tree, &merkle_plain_memory);
	k->buffer = malloc(BUFFER);
	if (err < 0 || !k->buffer)
		return fail(k, -ENOMEM);
	blocks = imgsource_blocks(&k->source);
	return imgread_open(&k->image, &blocks, head.main_blocks,
	                    head.data_blocks, k->f);
}

int imgfeed(struct imgwrite *w, struct tell *t,
            const struct imgfeed_files *files, uint64_t *read, struct fault *f)
{
	autofree struct walk *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return fault_set(f, -ENOMEM, "out of memory");
	k->w = w;
	k->tell = t;
	k->files = files;
	k->read = read;
	k->f = f;
	err = open_image(k);
	if (err == 0)
		err = walk(k);
	while (k->todo) {
		struct todo *next = k->todo->next;

		free(k->todo);
		k->todo = next;
	}
	imgsource_fini(&k->source);
	merkle_fini(&k->tree);
	free(k->link);
	free(k->buffer);
	return err;
}
