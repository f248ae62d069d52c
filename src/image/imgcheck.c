/* SPDX-License-Identifier: Apache-2.0 */
#include "image/imgcheck.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/whole.h"
#include "image/imgsource.h"

#define BATCH   64u /* blocks read in one go */
#define PATH    4096u
#define NAMES   (1u << 23) /* looked at, at most: a tree may lead in circles */
#define NOWHERE "(no file)"

/* A directory yet to be walked. */
struct todo {
	struct todo *next;
	uint64_t nid;
	char path[];
};

struct check {
	const struct imgcheck_files *files;
	const struct imgcheck_told *told;
	struct merkle tree;
	struct imgsource source;
	struct imgread image;
	uint64_t main_blocks, blocks;
	uint8_t *bad;   /* a bit for each block */
	uint8_t *known; /* the same: bad, and told whose */
	uint64_t bad_count;
	uint64_t names;
	uint64_t damaged;
	struct todo *todo;
	int err;          /* of a callback */
	const char *here; /* the directory being listed */
};

static bool get_bit(const uint8_t *bits, uint64_t n)
{
	return bits[n / 8] >> (n % 8) & 1;
}

static void set_bit(uint8_t *bits, uint64_t n)
{
	bits[n / 8] = (uint8_t)(bits[n / 8] | 1u << (n % 8));
}

static void tell(struct check *c, const char *path, const char *what)
{
	c->damaged++;
	c->told->damaged(c->told->ctx, path, what);
}

/* ---- blocks ---- */

/* Reads some of them; what is not there reads as zeros. */
static void read_some(int fd, uint64_t at, uint8_t *to, size_t size)
{
	ssize_t n = whole_pread(fd, to, size, at);

	n = MAX(n, 0);
	memset(to + n, 0, size - (size_t)n);
}

static int look_at_blocks(struct check *c)
{
	autofree uint8_t *buffer = malloc((size_t)BATCH * ONDISK_BLOCK);
	uint64_t n = 0;

	if (!buffer)
		return -ENOMEM;
	while (n < c->blocks) {
		bool main = n < c->main_blocks;
		uint64_t end = main ? c->main_blocks : c->blocks;
		uint64_t count = MIN(BATCH, end - n);
		uint64_t at = (main ? n : n - c->main_blocks) * ONDISK_BLOCK;

		read_some(main ? c->files->main_fd : c->files->data_fd, at,
		          buffer, (size_t)count * ONDISK_BLOCK);
		for (uint64_t i = 0; i < count; i++, n++) {
			int err = merkle_check(&c->tree, n,
			                       buffer + i * ONDISK_BLOCK);

			if (err == -ENOMEM)
				return err;
			if (err < 0) {
				set_bit(c->bad, n);
				c->bad_count++;
			}
		}
		if (c->told->progress)
			c->told->progress(c->told->ctx, n, c->blocks);
	}
	return 0;
}

/* ---- files ---- */

/* Are all blocks under a file's data good? */
static int look_at_data(struct check *c, const struct imgread_inode *i,
                        const char *path)
{
	uint64_t offset = 0;
	bool good = true;

	while (offset < i->size) {
		uint64_t at, size;

		if (imgread_place(&c->image, i, offset, &at, &size) < 0) {
			tell(c, path, "its place is outside of the image");
			return 0;
		}
		for (uint64_t n = at / ONDISK_BLOCK;
		     n <= (at + size - 1) / ONDISK_BLOCK; n++) {
			if (!get_bit(c->bad, n))
				continue;
			set_bit(c->known, n);
			good = false;
		}
		offset += size;
	}
	if (!good)
		tell(c, path, "its contents are damaged");
	return 0;
}

static int count_xattr(void *ctx, const struct imgread_xattr *x)
{
	(void)ctx, (void)x;
	return 0;
}

static int plan_directory(struct check *c, uint64_t nid, const char *path)
{
	size_t size = strlen(path) + 1;
	struct todo *t = malloc(sizeof(*t) + size);

	if (!t)
		return -ENOMEM;
	t->nid = nid;
	memcpy(t->path, path, size);
	t->next = c->todo;
	c->todo = t;
	return 0;
}

/* Which block an inode is in, if that is what is wrong. */
static void note_inode_block(struct check *c, uint64_t nid)
{
	uint64_t n = (c->image.meta + (nid << ONDISK_NID_BITS)) / ONDISK_BLOCK;

	if (n < c->blocks && get_bit(c->bad, n))
		set_bit(c->known, n);
}

static int look_at_file(struct check *c, uint64_t nid, const char *path)
{
	struct imgread_inode i;
	int err = imgread_inode(&c->image, nid, &i);

	if (err == -ENOMEM)
		return err;
	if (err < 0) {
		note_inode_block(c, nid);
		tell(c, path, "its inode is damaged");
		return 0;
	}
	err = imgread_xattr_each(&c->image, &i, count_xattr, NULL);
	if (err == -ENOMEM)
		return err;
	if (err < 0)
		tell(c, path, "its extended attributes are damaged");
	if (S_ISREG(i.mode) || S_ISDIR(i.mode) || S_ISLNK(i.mode))
		err = look_at_data(c, &i, path);
	else
		err = 0;
	if (err == 0 && S_ISDIR(i.mode))
		err = plan_directory(c, nid, path);
	return err;
}

static bool add(void *ctx, const struct imgread_entry *e)
{
	struct check *c = ctx;
	autofree char *path = NULL;

	if (span_is(e->name, ".") || span_is(e->name, ".."))
		return true;
	if (++c->names > NAMES || strlen(c->here) + e->name.size + 2 > PATH) {
		tell(c, c->here, "its directories lead in circles");
		c->err = -EIO;
		return false;
	}
	if (asprintf(&path, "%s/%.*s", c->here, (int)e->name.size,
	             (const char *)e->name.at) < 0) {
		path = NULL;
		c->err = -ENOMEM;
	} else {
		c->err = look_at_file(c, e->nid, path);
	}
	return c->err == 0;
}

static int walk(struct check *c)
{
	const struct imgread_sink sink = {c, add};
	int err = look_at_file(c, c->image.root, "");

	while (err == 0 && c->todo) {
		autofree struct todo *t = c->todo;
		struct imgread_inode i;
		uint64_t pos = 0;

		c->todo = t->next;
		c->here = t->path;
		err = imgread_inode(&c->image, t->nid, &i);
		if (err == 0)
			err = imgread_dir_list(&c->image, &i, &pos, &sink);
		if (err == -EIO) {
			tell(c, t->path[0] ? t->path : "/",
			     "its list of names is damaged");
			err = 0;
		}
		if (c->err < 0 && err == 0)
			err = c->err == -EIO ? -ELOOP : c->err;
	}
	return err == -ELOOP ? 0 : err;
}

/* Bad blocks that no file we could find has. */
static void tell_rest(struct check *c)
{
	char what[64];

	for (uint64_t n = 0; n < c->blocks; n++) {
		if (!get_bit(c->bad, n) || get_bit(c->known, n))
			continue;
		(void)snprintf(what, sizeof(what), "block %llu is damaged",
		               (unsigned long long)n);
		tell(c, NOWHERE, what);
	}
}

static int look(struct check *c, struct fault *f)
{
	struct imgread_source blocks;
	uint64_t data = c->blocks - c->main_blocks;
	int err = look_at_blocks(c);

	if (err == 0)
		err = imgsource_init(&c->source, c->files->main_fd,
		                     c->main_blocks, &c->tree,
		                     &merkle_plain_memory);
	if (err < 0)
		return fault_set(f, err, "out of memory");
	blocks = imgsource_blocks(&c->source);
	err = imgread_open(&c->image, &blocks, c->main_blocks, data, f);
	if (err < 0) {
		tell(c, NOWHERE, "the superblock is damaged");
		return err;
	}
	err = walk(c);
	if (err < 0)
		return fault_set(f, err, "look at the image: %s",
		                 strerror(-err));
	tell_rest(c);
	if (c->damaged == 0)
		return 0;
	return fault_set(f, -EIO, "%llu blocks of %llu are damaged",
	                 (unsigned long long)c->bad_count,
	                 (unsigned long long)c->blocks);
}

int imgcheck(const struct imgcheck_files *files, const struct merkle_head *head,
             const struct imgcheck_told *told, struct fault *f)
{
	struct check c = {
		.files = files,
		.told = told,
		.main_blocks = head->main_blocks,
		.blocks = (uint64_t)head->main_blocks + head->data_blocks,
	};
	int err = merkle_init(&c.tree, files->tree_fd, head,
	                      &merkle_plain_memory, f);

	c.bad = calloc(1, (size_t)c.blocks / 8 + 1);
	c.known = calloc(1, (size_t)c.blocks / 8 + 1);
	if (err == 0 && (!c.bad || !c.known))
		err = fault_set(f, -ENOMEM, "out of memory");
	if (err == 0)
		err = look(&c, f);
	while (c.todo) {
		struct todo *next = c.todo->next;

		free(c.todo);
		c.todo = next;
	}
	imgsource_fini(&c.source);
	merkle_fini(&c.tree);
	free(c.bad);
	free(c.known);
	return err;
}
