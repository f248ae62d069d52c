/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Superblocks.  A file system's root belongs to its superblock and every inode
 * needs its superblock, so the two are counted apart: when the last user goes,
 * the root is let go; when the last inode has gone too, all of it is freed.
 */
#include "kernel/core/limits.h"
#include "kernel/fs/dentry.h"
#include "kernel/fs/device.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/inotify.h"

struct superblock *inode_superblock_create(struct kernel *k,
                                           const struct superblock_ops *ops,
                                           uint32_t magic)
{
	struct fs_world *w = mount_world(k);
	struct superblock *sb;

	if (!w)
		return NULL;
	sb = limits_alloc(k, sizeof(*sb));
	if (!sb)
		return NULL;
	sb->ops = ops;
	sb->kernel = k;
	sb->refs = 1;
	w->last_dev++;
	sb->dev = DEVICE_MAKE(0, w->last_dev);
	sb->next_ino = 1;
	sb->magic = magic;
	return sb;
}

struct superblock *inode_superblock_get(struct superblock *sb)
{
	sb->refs++;
	return sb;
}

static void destroy_unused(struct superblock *sb)
{
	if (sb->refs > 0 || sb->inode_count > 0)
		return;
	if (sb->ops->destroy)
		sb->ops->destroy(sb);
	limits_free(sb->kernel, sb, sizeof(*sb));
}

void inode_superblock_put(struct superblock *sb)
{
	struct inode *root;

	if (!sb || sb->refs > 1) {
		if (sb)
			sb->refs--;
		return;
	}
	inotify_unmounted(sb);
	dentry_shrink(sb->kernel, sb);
	root = sb->root;
	sb->root = NULL;
	/* An inode in our hands while the root goes: we are freed once. */
	sb->inode_count++;
	sb->refs = 0;
	inode_put(root);
	inode_superblock_forget(sb);
}

void inode_superblock_forget(struct superblock *sb)
{
	assert(sb->inode_count > 0);
	sb->inode_count--;
	destroy_unused(sb);
}
