/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/templates.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/core/limits.h"
#include "kernel/fs/dots.h"

#define ENTRIES ARRAY_LEN(((struct world_options *)0)->template)

#define BELIEVED_MS 1000u /* names in the host's folders */

struct entry {
	char name[32];
	struct superblock *sb; /* a folder; NULL: a link */
	struct inode *inode;   /* owns a reference, but for a folder's root */
};

struct templates {
	struct entry entry[ENTRIES];
	size_t count;
};

static long lookup(struct inode *dir, struct task *t, struct span name,
                   struct inode **out)
{
	struct templates *all = dir->sb->private;

	(void)t;
	for (size_t i = 0; i < all->count; i++) {
		if (!span_is(name, all->entry[i].name))
			continue;
		*out = inode_get(all->entry[i].inode);
		return 0;
	}
	return -ENOENT;
}

static long read_dir(struct file *f, struct task *t, struct dirsink *sink)
{
	struct templates *all = f->inode->sb->private;
	size_t at = (size_t)MAX(f->pos, DOTS_FIRST) - DOTS_FIRST;

	(void)t;
	for (; at < all->count; at++) {
		struct entry *e = &all->entry[at];

		if (!sink->add(sink, span_str(e->name), e->inode->ino,
		               dots_type(e->inode->mode),
		               (int64_t)at + 1 + DOTS_FIRST))
			break;
	}
	return 0;
}

static const struct file_ops dir_ops = {
	.seek = dots_seek,
	.readdir = read_dir,
};

static long open_dir(struct inode *i, struct task *t, struct file *f)
{
	(void)i, (void)t;
	f->ops = &dir_ops;
	return 0;
}

static long readlink_of(struct inode *i, struct task *t, char *to, size_t room)
{
	const char *target = i->private;
	size_t size = MIN(room, strlen(target));

	(void)t;
	memcpy(to, target, size);
	return (long)size;
}

static void destroy_link(struct inode *i)
{
	char *target = i->private;

	if (target)
		limits_free(i->sb->kernel, target, strlen(target) + 1);
}

static const struct inode_ops link_ops = {
	.readlink = readlink_of,
	.destroy = destroy_link,
};

static void destroy(struct superblock *sb)
{
	limits_free(sb->kernel, sb->private, sizeof(struct templates));
}

/* The root goes first: what it holds goes with it. */
static void destroy_root(struct inode *i)
{
	struct templates *all = i->sb->private;

	for (size_t e = 0; e < all->count; e++) {
		if (all->entry[e].sb)
			inode_superblock_put(all->entry[e].sb);
		else
			inode_put(all->entry[e].inode);
	}
	all->count = 0;
}

static const struct inode_ops root_ops = {
	.lookup = lookup,
	.open = open_dir,
	.destroy = destroy_root,
};

static const struct superblock_ops sb_ops = {
	.name = "templates",
	.destroy = destroy,
};

static int add_link(struct superblock *sb, struct entry *e, const char *to)
{
	struct inode *i = inode_create(sb, &link_ops, S_IFLNK | 0777);
	char *copy = i ? limits_alloc(sb->kernel, strlen(to) + 1) : NULL;

	if (!copy) {
		inode_put(i);
		return -ENOMEM;
	}
	memcpy(copy, to, strlen(to));
	i->private = copy;
	i->size = strlen(to);
	e->inode = i;
	return 0;
}

static int add_folder(struct superblock *sb, struct entry *e, int fd)
{
	struct hostfs_options o = {
		.dir_fd = fd,
		.template = true,
		.etc = strcmp(e->name, "etc") == 0,
	};
	int err;

	world_note_folder(sb->kernel, fd, e->name);
	err = hostfs_create(sb->kernel, &o, &e->sb);
	if (err == 0)
		e->inode = e->sb->root;
	return err;
}

int templates_create(struct kernel *k, const struct world_options *o,
                     struct superblock **out)
{
	struct templates *all = limits_alloc(k, sizeof(*all));
	struct superblock *sb;
	int err = -ENOMEM;

	sb = all ? inode_superblock_create(k, &sb_ops, 0) : NULL;
	if (!sb) {
		limits_free(k, all, sizeof(*all));
		all = NULL;
	} else {
		sb->private = all;
		sb->read_only = true;
		sb->cache = BELIEVED_MS;
		sb->root = inode_create(sb, &root_ops, S_IFDIR | 0755);
		err = sb->root ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < o->template_count; i++) {
		struct entry *e = all ? &all->entry[all->count] : NULL;
		int fd = o->template[i].fd;

		if (err < 0) {
			base_close(&fd);
			continue;
		}
		(void)snprintf(e->name, sizeof(e->name), "%s",
		               o->template[i].name);
		err = fd < 0 ? add_link(sb, e, o->template[i].link)
		             : add_folder(sb, e, fd);
		if (err == 0)
			all->count++;
	}
	if (err < 0) {
		inode_superblock_put(sb);
		return err;
	}
	*out = sb;
	return 0;
}
