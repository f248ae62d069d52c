/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/volumefs.h"

#include "kernel/core/limits.h"
#include "kernel/fs/hostfile.h"
#include "kernel/fs/volumefs_ahead.h"
#include "kernel/fs/volumefs_flush.h"
#include "volume/cipher.h"

#define MAGIC 0x62656e74u /* "bent" */
#define PAGE  4096u

#define LOOK_NS (100ull * 1000000) /* less than between looks */

static long statfs_of(struct superblock *sb, struct task *t, abi_statfs *out)
{
	struct volumefs *fs = volumefs_node_fs(sb);
	const struct vrecord_volume *s;

	(void)t;
	if (!fs->volume)
		return -EIO;
	s = &fs->volume->sums;
	out->bsize = PAGE;
	out->frsize = PAGE;
	out->blocks = (int64_t)(s->max_bytes / PAGE);
	out->bfree = (int64_t)((s->max_bytes - MIN(s->max_bytes, s->bytes)) /
	                       PAGE);
	out->bavail = out->bfree;
	out->files = (int64_t)s->max_inodes;
	out->ffree = (int64_t)(s->max_inodes - MIN(s->max_inodes, s->inodes));
	out->namelen = LIMIT_NAME;
	return 0;
}

static long sync_of(struct superblock *sb, struct task *t)
{
	return volumefs_flush_all(volumefs_node_fs(sb), t);
}

/* Binds of a volume are mounts of their own: once is enough. */
static void look_of(struct superblock *sb)
{
	struct volumefs *fs = volumefs_node_fs(sb);
	uint64_t now = timer_now();

	if (!fs->volume || now - fs->lent.looked_ns < LOOK_NS)
		return;
	fs->lent.looked_ns = now;
	volumefs_lent_look(fs);
}

/* Makes everything safe, or (not `regular`) names only, and lets the volume go. */
static void close_volume(struct volumefs *fs, bool regular)
{
	struct volume *v = fs->volume;

	if (!v)
		return;
	volumefs_ahead_end(fs);
	volumefs_sync_stop(fs);
	if (regular) {
		/* If that fails, so will volumefs_flush_now(). */
		(void)!volumefs_young_make_all(fs);
		volumefs_sync_now(fs);
	}
	volumefs_lent_end(fs);
	if (volumefs_flush_now(fs) < 0 || fs->leaked)
		volume_abandon(v);
	else
		(void)volume_close(v);
	fs->volume = NULL;
	volumefs_young_drop(fs);
	timer_stop(&fs->kernel->loop.timers, &fs->late);
	list_del(&fs->in_world);
}

static void destroy_sb(struct superblock *sb)
{
	struct volumefs *fs = volumefs_node_fs(sb);

	close_volume(fs, false);
	waitq_fini(&fs->flushed);
	volumefs_sync_fini(fs);
	volumefs_young_fini(fs);
	cipher_destroy(fs->cipher);
	hashtable_fini(&fs->nodes);
	limits_free(fs->kernel, fs, sizeof(*fs));
}

static const struct superblock_ops sb_ops = {
	.name = "volume",
	.statfs = statfs_of,
	.sync = sync_of,
	.look = look_of,
	.destroy = destroy_sb,
};

int volumefs_create(struct kernel *k, struct volume *v, struct superblock **out)
{
	struct volumefs *fs = limits_alloc(k, sizeof(*fs));
	struct superblock *sb;
	int err;

	sb = fs ? inode_superblock_create(k, &sb_ops, MAGIC) : NULL;
	if (!sb) {
		limits_free(k, fs, sizeof(*fs));
		volume_abandon(v);
		return -ENOMEM;
	}
	fs->kernel = fs->nodes.kernel = k;
	fs->sb = sb;
	fs->volume = v;
	list_init(&fs->idle);
	volumefs_flush_init(fs);
	volumefs_sync_init(fs);
	volumefs_lent_init(fs);
	volumefs_young_init(fs);
	sb->private = fs;
	fs->copies.max = UINT64_MAX;
	fs->in_memory = hostfile_in_memory(v->objects_fd);
	list_add_tail(&k->world->volumes, &fs->in_world);
	if (v->encrypted) {
		fs->cipher = cipher_create(v->objects_key);
		sb->no_leases = true;
	}
	if (v->encrypted && !fs->cipher) {
		inode_superblock_put(sb);
		return -ENOMEM;
	}
	err = volumefs_node_get(fs, VRECORD_ROOT, &sb->root);
	if (err < 0) {
		inode_superblock_put(sb);
		return err;
	}
	*out = sb;
	return 0;
}

/* What lost its name and is open goes now, and what is open gets its times;
 * nobody will close it. */
static void close_open(struct volumefs *fs)
{
	struct hashtable_link *at = NULL;

	while ((at = hashtable_after(&fs->nodes, at)) != NULL) {
		struct volumefs_node *n = volumefs_node_linked(at);

		if (n->tree.r.nlink == 0)
			volumefs_node_orphan(n);
		else
			volumefs_node_set_late(n);
	}
}

void volumefs_shutdown(struct kernel *k, bool regular)
{
	while (k->world && !list_empty(&k->world->volumes)) {
		struct volumefs *fs = list_first(&k->world->volumes,
		                                 struct volumefs, in_world);

		/* Young files may be all that is left of it. */
		struct superblock *sb = inode_superblock_get(fs->sb);

		close_open(fs);
		close_volume(fs, regular);
		inode_superblock_put(sb);
	}
}
