/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/erofs.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel/core/limits.h"
#include "kernel/fs/dots.h"
#include "kernel/fs/erofs_file.h"
#include "kernel/fs/erofs_xattr.h"

static struct erofs *fs_of(const struct inode *i)
{
	return erofs_node_of(i)->fs;
}

/* ---- inodes ---- */

static void destroy(struct inode *i)
{
	struct erofs_node *n = i->private;
	struct kernel *k;

	if (!n)
		return;
	k = n->fs->kernel;
	hashtable_remove(&n->fs->nodes, &n->link);
	if (n->copy) {
		filedata_fini(n->copy);
		limits_free(k, n->copy, sizeof(*n->copy));
	}
	limits_free(k, n->name, n->name_room);
	limits_free(k, n, sizeof(*n));
}

static const struct inode_ops erofs_ops;

static void fill(struct inode *i, const struct imgread_inode *from)
{
	i->ino = from->nid;
	i->nlink = from->nlink;
	i->uid = from->uid;
	i->gid = from->gid;
	i->size = from->size;
	i->blocks = round_up(from->size, ONDISK_BLOCK) / 512;
	i->rdev = makedev(from->major, from->minor);
	i->mtime = (abi_timespec){from->mtime, from->mtime_nsec};
	i->atime = i->ctime = i->btime = i->mtime;
}

static struct erofs_node *find(const struct erofs *fs, uint64_t nid)
{
	struct hashtable_link *at = hashtable_find(&fs->nodes,
	                                           hashtable_mix(nid));

	for (; at; at = hashtable_next(at)) {
		struct erofs_node *n = container_of(at, struct erofs_node,
		                                    link);

		if (n->image.nid == nid)
			return n;
	}
	return NULL;
}

/* The inode of that number: a reference to the one there is, or a new one. */
static int inode_of(struct erofs *fs, uint64_t nid, struct inode **out)
{
	struct erofs_node *n = find(fs, nid);
	struct imgread_inode image;
	struct inode *i;
	int err;

	if (n) {
		*out = inode_get(n->inode);
		return 0;
	}
	err = imgread_inode(&fs->image, nid, &image);
	if (err < 0)
		return err;
	if (hashtable_reserve(&fs->nodes) < 0)
		return -ENOMEM;
	n = limits_alloc(fs->kernel, sizeof(*n));
	i = n ? inode_create(fs->sb, &erofs_ops, image.mode) : NULL;
	if (!i) {
		limits_free(fs->kernel, n, sizeof(*n));
		return -ENOMEM;
	}
	*n = (struct erofs_node){.fs = fs, .inode = i, .image = image};
	i->private = n;
	i->may_have = image.xattr_size > 0 ? INODE_MAY_ALL : 0;
	fill(i, &image);
	hashtable_add(&fs->nodes, &n->link, hashtable_mix(nid));
	*out = i;
	return 0;
}

static long lookup(struct inode *dir, struct task *t, struct span name,
                   struct inode **out)
{
	struct erofs *fs = fs_of(dir);
	uint64_t nid;
	int err = imgread_dir_find(&fs->image, &erofs_node_of(dir)->image, name,
	                           &nid);

	(void)t;
	if (err == 0)
		err = inode_of(fs, nid, out);
	if (err == -EIO)
		erofs_file_report(name, "its directory or inode is damaged");
	/* What we cannot read is damaged, as far as a guest can tell. */
	return err == -EOPNOTSUPP ? -EIO : err;
}

static long readlink_of(struct inode *i, struct task *t, char *to, size_t room)
{
	(void)t;
	return imgread_link(&fs_of(i)->image, &erofs_node_of(i)->image, to,
	                    room);
}

/* ---- directories ---- */

/* Carries entries from the image's reader to the kernel's receiver. */
struct carrier {
	struct dirsink *to;
};

static uint8_t dirent_type(uint8_t type)
{
	static const uint32_t modes[] = {
		[ONDISK_REG] = S_IFREG,  [ONDISK_DIR] = S_IFDIR,
		[ONDISK_CHR] = S_IFCHR,  [ONDISK_BLK] = S_IFBLK,
		[ONDISK_FIFO] = S_IFIFO, [ONDISK_SOCK] = S_IFSOCK,
		[ONDISK_LNK] = S_IFLNK,
	};

	return type < ARRAY_LEN(modes) ? dots_type(modes[type]) : 0;
}

static bool carry(void *ctx, const struct imgread_entry *e)
{
	struct dirsink *to = ((struct carrier *)ctx)->to;

	if (span_is(e->name, ".") || span_is(e->name, ".."))
		return true;
	return to->add(to, e->name, e->nid, dirent_type(e->type),
	               (int64_t)e->next + DOTS_FIRST);
}

static long read_dir(struct file *f, struct task *t, struct dirsink *sink)
{
	uint64_t pos = (uint64_t)MAX(f->pos, DOTS_FIRST) - DOTS_FIRST;
	struct carrier c = {sink};
	const struct imgread_sink to = {&c, carry};

	(void)t;
	return imgread_dir_list(&fs_of(f->inode)->image,
	                        &erofs_node_of(f->inode)->image, &pos, &to);
}

static long sync_dir(struct file *f, struct task *t, bool data_only)
{
	(void)f, (void)t, (void)data_only;
	return 0;
}

static const struct file_ops dir_ops = {
	.seek = dots_seek,
	.readdir = read_dir,
	.fsync = sync_dir,
};

static long open_inode(struct inode *i, struct task *t, struct file *f)
{
	(void)t;
	if (inode_is(i, S_IFDIR)) {
		f->ops = &dir_ops;
		return 0;
	}
	return inode_is(i, S_IFREG) ? erofs_file_open(i, f) : -ENXIO;
}

static const struct inode_ops erofs_ops = {
	.lookup = lookup,
	.readlink = readlink_of,
	.open = open_inode,
	.getxattr = erofs_xattr_get,
	.listxattr = erofs_xattr_list,
	.destroy = destroy,
};

/* ---- the whole ---- */

static long statfs_of(struct superblock *sb, struct task *t, abi_statfs *out)
{
	const struct erofs *fs = sb->private;

	(void)t;
	out->type = ONDISK_MAGIC;
	out->bsize = out->frsize = ONDISK_BLOCK;
	out->blocks = (int64_t)fs->image.blocks;
	out->bfree = out->bavail = 0;
	out->files = (int64_t)fs->image.inode_count;
	out->ffree = 0;
	out->namelen = ONDISK_NAME_MAX;
	return 0;
}

static void close_files(const struct erofs_options *o)
{
	int fds[] = {o->main_fd, o->data_fd, o->tree_fd};

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		base_close(&fds[i]);
}

static void free_fs(struct erofs *fs)
{
	struct kernel *k = fs->kernel;

	list_del(&fs->in_world);
	imgsource_fini(&fs->source);
	merkle_fini(&fs->tree);
	limits_free(k, fs->good, fs->bits);
	limits_free(k, fs->bad, fs->bits);
	hashtable_fini(&fs->nodes);
	close_files(&fs->files);
	limits_free(k, fs, sizeof(*fs));
}

static void destroy_sb(struct superblock *sb)
{
	free_fs(sb->private);
}

static const struct superblock_ops sb_ops = {
	.name = "erofs",
	.statfs = statfs_of,
	.destroy = destroy_sb,
};

static void *take_memory(void *ctx, size_t size)
{
	return limits_alloc(ctx, size);
}

static void give_memory(void *ctx, void *p, size_t size)
{
	limits_free(ctx, p, size);
}

/* The tree's head, its root compared, and everything that checks with it. */
static int open_tree(struct erofs *fs, struct fault *f)
{
	const struct merkle_memory memory = {fs->kernel, take_memory,
	                                     give_memory};
	const struct erofs_options *o = &fs->files;
	struct imgread_source blocks;
	uint8_t root[SHA256_SIZE];
	struct merkle_head h;
	int err = merkle_read_head(o->tree_fd, &h, f);

	if (err < 0)
		return err;
	merkle_root(&h, root);
	if (memcmp(root, o->root, sizeof(root)) != 0 ||
	    (h.data_blocks > 0) != (o->data_fd >= 0))
		return fault_set(f, -EIO,
		                 "the tree of hashes is not the signed one");
	err = merkle_init(&fs->tree, o->tree_fd, &h, &memory, f);
	if (err < 0)
		return err;
	fs->blocks = fs->tree.blocks;
	fs->bits = (size_t)fs->blocks / 8 + 1;
	fs->good = limits_alloc(fs->kernel, fs->bits);
	fs->bad = limits_alloc(fs->kernel, fs->bits);
	if (!fs->good || !fs->bad ||
	    imgsource_init(&fs->source, o->main_fd, h.main_blocks, &fs->tree,
	                   &memory) < 0)
		return fault_set(f, -ENOMEM, "out of memory");
	blocks = imgsource_blocks(&fs->source);
	return imgread_open(&fs->image, &blocks, h.main_blocks, h.data_blocks,
	                    f);
}

static int open_all(struct erofs *fs, struct fault *f)
{
	struct stat st;
	int err = open_tree(fs, f);

	if (err < 0)
		return err;
	if (fs->files.data_fd >= 0) {
		if (fstat(fs->files.data_fd, &st) < 0)
			return fault_errno(f, "look at the image's data");
		fs->data_ino = st.st_ino;
		fs->key = fs->kernel->world->next_key++ << 1;
		list_add_tail(&fs->kernel->world->images, &fs->in_world);
	}
	return 0;
}

int erofs_create(struct kernel *k, const struct erofs_options *o,
                 struct superblock **out, struct fault *f)
{
	struct erofs *fs = limits_alloc(k, sizeof(*fs));
	struct superblock *sb = NULL;
	int err;

	if (!fs) {
		close_files(o);
		return fault_set(f, -ENOMEM, "out of memory");
	}
	fs->kernel = fs->nodes.kernel = k;
	fs->files = *o;
	fs->quota.max = UINT64_MAX;
	list_init(&fs->in_world);
	err = open_all(fs, f);
	if (err == 0) {
		sb = inode_superblock_create(k, &sb_ops, ONDISK_MAGIC);
		if (!sb)
			err = fault_set(f, -ENOMEM, "out of memory");
	}
	if (err < 0) {
		free_fs(fs);
		return err;
	}
	fs->sb = sb;
	sb->private = fs;
	sb->read_only = true;
	sb->cache = SUPERBLOCK_CACHE_FOREVER;
	err = inode_of(fs, fs->image.root, &sb->root);
	if (err == 0 && !inode_is(sb->root, S_IFDIR))
		err = -EIO;
	if (err < 0) {
		inode_superblock_put(sb);
		return fault_set(f, err, "the image's root is damaged");
	}
	*out = sb;
	return 0;
}

const char *erofs_name_of(struct kernel *k, uint64_t host_ino, uint64_t offset,
                          uint64_t *begin)
{
	list_for_each (at, &k->world->images) {
		const struct erofs *fs = list_entry(at, struct erofs, in_world);

		if (fs->data_ino == host_ino)
			return erofs_file_at(fs, offset, begin);
	}
	return NULL;
}
