/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inode is made at each look-up and knows its table, a row, and how much of
 * the row's path leads to it: all of it for a file, less for a directory that
 * is only implied.  Its number is made of these, so it is the same each time.
 */
#include "kernel/fs/pseudo.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/dots.h"
#include "kernel/fs/file.h"
#include "kernel/task/cred.h"
#include "kernel/task/process.h"

#define STORE_MAX ((size_t)4096)
#define NUMBERED  ((int64_t)1 << 20) /* position of child number 0 */

struct node {
	const struct pseudo_table *table;
	const struct pseudo_row *row; /* NULL: the top of the table */
	size_t prefix;                /* bytes of row->path that lead here */
	int32_t pid, tid, number;
	uint64_t born_ns; /* when the process was: numbers come again */
};

static struct node *node_of(const struct inode *i)
{
	return i->private;
}

static struct pseudo_ctx context(const struct inode *i, struct task *t)
{
	const struct node *n = node_of(i);

	return (struct pseudo_ctx){i->sb->kernel, t, n->pid, n->tid, n->number};
}

static bool is_whole(const struct node *n)
{
	return n->row && n->row->path[n->prefix] == '\0';
}

/* What it has numbered children of, if any. */
static const struct pseudo_numbers *numbers_of(const struct node *n)
{
	if (!n->row)
		return n->table->numbers;
	return is_whole(n) ? n->row->numbers : NULL;
}

static uint64_t number_of(const struct node *n)
{
	uint64_t h = 14695981039346656037u;
	uint64_t parts[] = {
		n->row ? (uint64_t)(n->row - n->table->rows) + 1 : 0, n->prefix,
		(uint64_t)n->pid, (uint64_t)n->tid, (uint64_t)n->number};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		h = (h ^ parts[i]) * 1099511628211u;
	h ^= h >> 29;
	return (h & 0xffffffffffff) | 1;
}

/* Files about a process belong to its user. */
static void set_owner(struct inode *i)
{
	const struct process *p;
	const struct cred *c;

	if (node_of(i)->pid == 0)
		return;
	p = process_find(i->sb->kernel, node_of(i)->pid);
	node_of(i)->born_ns = p ? p->start_ns : 0;
	c = p ? process_cred(p) : NULL;
	if (c && p->dumpable) {
		i->uid = c->euid;
		i->gid = c->egid;
	}
}

static const struct inode_ops pseudo_ops;
static const struct inode_ops magic_ops;

static struct inode *make(struct superblock *sb, const struct node *like)
{
	struct node *n = limits_alloc(sb->kernel, sizeof(*n));
	uint32_t mode = like->table->mode ? like->table->mode : 0555;
	struct inode *i;

	if (!n)
		return NULL;
	*n = *like;
	mode = is_whole(n) ? n->row->mode : S_IFDIR | mode;
	i = inode_create(sb,
	                 is_whole(n) && n->row->jump ? &magic_ops : &pseudo_ops,
	                 mode);
	if (!i) {
		limits_free(sb->kernel, n, sizeof(*n));
		return NULL;
	}
	i->private = n;
	i->ino = number_of(n);
	i->nlink = S_ISDIR(mode) ? 2 : 1;
	if (is_whole(n) && n->row->mode_now) {
		struct pseudo_ctx c = context(i, NULL);

		i->mode = n->row->mode_now(&c);
	}
	set_owner(i);
	return i;
}

static void destroy(struct inode *i)
{
	limits_free(i->sb->kernel, i->private, sizeof(struct node));
}

/* ---- directories ---- */

/*
 * Does the row lie below the directory?  Then the next component, as offset
 * and size in the row's path.
 */
static bool below(const struct node *n, const struct pseudo_row *row,
                  size_t *at, size_t *size)
{
	*at = 0;
	if (n->row) {
		if (strncmp(row->path, n->row->path, n->prefix) != 0 ||
		    row->path[n->prefix] != '/')
			return false;
		*at = n->prefix + 1;
	}
	*size = strcspn(row->path + *at, "/");
	return true;
}

static const char *prefix_of(const struct pseudo_numbers *all)
{
	return all && all->prefix ? all->prefix : "";
}

static bool parse(const struct pseudo_numbers *all, struct span name,
                  int32_t *out)
{
	size_t prefix = strlen(prefix_of(all));
	int64_t v = 0;

	if (name.size < prefix || memcmp(name.at, prefix_of(all), prefix) != 0)
		return false;
	name = span_from(name, prefix);

	if (name.size == 0 || name.size > 10 ||
	    (name.size > 1 && name.at[0] == '0'))
		return false;
	for (size_t i = 0; i < name.size; i++) {
		if (name.at[i] < '0' || name.at[i] > '9')
			return false;
		v = v * 10 + (name.at[i] - '0');
	}
	*out = (int32_t)v;
	return v <= INT32_MAX;
}

/* The child of that number.  *child is what it would be. */
static bool numbered(const struct inode *dir, struct task *t, int32_t number,
                     struct node *child)
{
	const struct pseudo_numbers *all = numbers_of(node_of(dir));
	struct pseudo_ctx c = context(dir, t);
	struct pseudo_ctx made = c;

	if (!all || !all->find(&c, number, &made))
		return false;
	*child = (struct node){
		.table = all->table ? all->table : node_of(dir)->table,
		.row = all->row,
		.prefix = all->row ? strlen(all->row->path) : 0,
		.pid = made.pid,
		.tid = made.tid,
		.number = made.number,
	};
	return true;
}

static long lookup(struct inode *dir, struct task *t, struct span name,
                   struct inode **out)
{
	const struct node *n = node_of(dir);
	const struct pseudo_numbers *all = numbers_of(n);
	struct node child = *n;
	int32_t number;

	if (parse(all, name, &number) && numbered(dir, t, number, &child))
		goto found;
	for (size_t i = 0; i < n->table->count; i++) {
		const struct pseudo_row *row = &n->table->rows[i];
		size_t at;
		size_t size;

		if (!below(n, row, &at, &size) || size != name.size ||
		    memcmp(row->path + at, name.at, size) != 0)
			continue;
		child.row = row;
		child.prefix = at + size;
		goto found;
	}
	return -ENOENT;

found:
	*out = make(dir->sb, &child);
	return *out ? 0 : -ENOMEM;
}

/* Was this component met in an earlier row? */
static bool repeated(const struct node *n, size_t index, size_t at, size_t size)
{
	const struct pseudo_row *rows = n->table->rows;

	for (size_t i = 0; i < index; i++) {
		size_t other_at;
		size_t other;

		if (below(n, &rows[i], &other_at, &other) && other == size &&
		    memcmp(rows[i].path + other_at, rows[index].path + at,
		           size) == 0)
			return true;
	}
	return false;
}

static bool add_rows(struct file *f, struct dirsink *sink, int64_t *pos)
{
	const struct node *n = node_of(f->inode);

	for (size_t i = (size_t)(*pos - DOTS_FIRST); i < n->table->count; i++) {
		const struct pseudo_row *row = &n->table->rows[i];
		struct node child = *n;
		struct span name;
		size_t at;

		if (!below(n, row, &at, &name.size) ||
		    repeated(n, i, at, name.size))
			continue;
		name.at = (const uint8_t *)row->path + at;
		child.row = row;
		child.prefix = at + name.size;
		if (!sink->add(sink, name, number_of(&child),
		               is_whole(&child) ? dots_type(row->mode) : 4,
		               (int64_t)i + 1 + DOTS_FIRST))
			return false;
	}
	*pos = NUMBERED;
	return true;
}

static void add_numbers(struct file *f, struct task *t, struct dirsink *sink,
                        int64_t pos)
{
	const struct pseudo_numbers *all = numbers_of(node_of(f->inode));
	struct pseudo_ctx c = context(f->inode, t);
	int32_t at;

	if (!all || pos - NUMBERED > INT32_MAX)
		return;
	at = all->next(&c, (int32_t)(pos - NUMBERED));
	while (at >= 0) {
		char text[32];
		struct node child;
		struct span name = {(const uint8_t *)text, 0};

		name.size = (size_t)snprintf(text, sizeof(text), "%s%d",
		                             prefix_of(all), at);
		if (numbered(f->inode, t, at, &child) &&
		    !sink->add(sink, name, number_of(&child),
		               all->row ? dots_type(all->row->mode) : 4,
		               NUMBERED + at + 1))
			return;
		at = at < INT32_MAX ? all->next(&c, at + 1) : -1;
	}
}

static long read_dir(struct file *f, struct task *t, struct dirsink *sink)
{
	int64_t pos = MAX(f->pos, DOTS_FIRST);

	if (pos < NUMBERED && !add_rows(f, sink, &pos))
		return 0;
	add_numbers(f, t, sink, pos);
	return 0;
}

static const struct file_ops dir_ops = {
	.seek = dots_seek,
	.readdir = read_dir,
};

/* ---- files ---- */

struct open_text {
	struct text text;
	bool made;
};

/* Made anew whenever somebody reads from the start. */
static long read_text(struct file *f, struct uio *u, int64_t *pos)
{
	const struct node *n = node_of(f->inode);
	struct pseudo_ctx c = context(f->inode, u->task);
	struct open_text *o = f->private;
	size_t size;
	long err;

	if ((!n->row->show && !n->row->text) || *pos < 0)
		return -EINVAL;
	if (*pos == 0 || !o->made) {
		text_fini(&o->text);
		err = n->row->show ? n->row->show(&c, &o->text) : 0;
		if (n->row->text)
			text_add_bytes(&o->text, n->row->text,
			               strlen(n->row->text));
		if (err == 0 && o->text.failed)
			err = -ENOMEM;
		if (err < 0)
			return err;
		o->made = true;
	}
	if ((uint64_t)*pos >= o->text.size)
		return 0;
	size = MIN(u->left, o->text.size - (size_t)*pos);
	err = uio_put(u, o->text.bytes + *pos, size);
	if (err < 0)
		return err;
	*pos += (int64_t)size;
	return (long)size;
}

static long write_text(struct file *f, struct uio *u, int64_t *pos)
{
	const struct node *n = node_of(f->inode);
	struct pseudo_ctx c = context(f->inode, u->task);
	size_t size = MIN(u->left, STORE_MAX);
	char text[STORE_MAX / 2];
	long err;

	if (!n->row->store)
		return -EINVAL;
	if (size > sizeof(text))
		return -EINVAL;
	err = uio_take(u, text, size);
	if (err == 0)
		err = n->row->store(&c, (struct span){(uint8_t *)text, size});
	if (err < 0)
		return err;
	*pos += (int64_t)size;
	return (long)size;
}

static int64_t seek_text(struct file *f, int64_t offset, int whence)
{
	return dots_seek(f, offset, whence);
}

static void release_text(struct file *f)
{
	struct open_text *o = f->private;

	text_fini(&o->text);
	limits_free(f->kernel, o, sizeof(*o));
}

static const struct file_ops text_ops = {
	.read = read_text,
	.write = write_text,
	.seek = seek_text,
	.release = release_text,
};

static long open_inode(struct inode *i, struct task *t, struct file *f)
{
	struct pseudo_ctx c = context(i, t);
	struct open_text *o;

	if (inode_is(i, S_IFDIR)) {
		f->ops = &dir_ops;
		return 0;
	}
	if (!inode_is(i, S_IFREG))
		return -ENXIO;
	if (node_of(i)->row->open)
		return node_of(i)->row->open(&c, f);
	o = limits_alloc(f->kernel, sizeof(*o));
	if (!o)
		return -ENOMEM;
	text_init(&o->text, f->kernel);
	f->private = o;
	f->ops = &text_ops;
	f->mode |= FILE_SEEKABLE;
	return 0;
}

bool pseudo_process(const struct file *f, struct process **p)
{
	const struct node *n = f->ops == &dir_ops ? node_of(f->inode) : NULL;

	if (!n || n->row || n->pid == 0 || n->tid != 0)
		return false;
	*p = process_find(f->kernel, n->pid);
	if (*p && (*p)->start_ns != n->born_ns)
		*p = NULL;
	return true;
}

/* ---- links ---- */

static long readlink_of(struct inode *i, struct task *t, char *to, size_t room)
{
	const struct pseudo_row *row = node_of(i)->row;
	struct pseudo_ctx c = context(i, t);
	size_t size;

	if (!row)
		return -EINVAL;
	if (row->link)
		return row->link(&c, to, room);
	if (!row->target)
		return -EINVAL;
	size = MIN(room, strlen(row->target));
	memcpy(to, row->target, size);
	return (long)size;
}

static long jump(struct inode *i, struct task *t, struct path *out)
{
	const struct pseudo_row *row = node_of(i)->row;
	struct pseudo_ctx c = context(i, t);

	return row->jump(&c, out);
}

/* Emptying a file by opening it is no change; all others are refused. */
static long change(struct inode *i, struct task *t,
                   const struct inode_change *c)
{
	(void)i, (void)t;
	return c->which & ~INODE_SET_SIZE ? -EPERM : 0;
}

static const struct inode_ops pseudo_ops = {
	.lookup = lookup,
	.readlink = readlink_of,
	.change = change,
	.open = open_inode,
	.destroy = destroy,
};

/* Links that lead straight to an object. */
static const struct inode_ops magic_ops = {
	.readlink = readlink_of,
	.jump = jump,
	.change = change,
	.destroy = destroy,
};

int pseudo_create(struct kernel *k, const struct superblock_ops *ops,
                  uint32_t magic, const struct pseudo_table *table,
                  struct superblock **out)
{
	struct superblock *sb = inode_superblock_create(k, ops, magic);
	struct node top = {.table = table};

	if (!sb)
		return -ENOMEM;
	sb->cache = SUPERBLOCK_NO_CACHE;
	sb->root = make(sb, &top);
	if (!sb->root) {
		inode_superblock_put(sb);
		return -ENOMEM;
	}
	sb->root->ino = 1;
	*out = sb;
	return 0;
}
