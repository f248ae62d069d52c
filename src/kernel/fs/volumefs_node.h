/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume's inodes in memory, found by number, and the descriptors of their
 * objects.  Those no open file holds (`pins`) stay on a list, oldest first, of
 * at most VOLUMEFS_NODE_FDS.
 */
#pragma once

#include "kernel/core/hashtable.h"
#include "kernel/core/work.h"
#include "kernel/fs/filedata.h"
#include "kernel/fs/filejob.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/volumefs_lent.h"
#include "kernel/fs/volumefs_sync.h"
#include "kernel/fs/volumefs_young.h"
#include "kernel/fs/world.h"
#include "volume/tree.h"

#define VOLUMEFS_NODE_FDS 192

struct volumefs {
	struct kernel *kernel;
	struct superblock *sb;
	struct volume *volume; /* NULL after volumefs_shutdown() */
	struct list in_world;
	struct hashtable nodes;
	struct list idle;
	size_t idle_count;
	struct list dirty;     /* nodes whose record is not what they are */
	struct cipher *cipher; /* of an encrypted volume, or NULL */
	struct filedata_quota
		copies; /* volumefs_sealed.h; no limit of its own */
	bool in_memory; /* reading never waits */
	bool leaked;    /* something is left for the next opening */

	/* volumefs_ahead.h */
	struct work making;
	struct work writing;
	struct volumefs_node *written; /* NULL: no `writing` is under way */

	struct volumefs_sync sync;
	struct volumefs_lent lent;
	struct volumefs_young young;

	/* The batch on its way. */
	struct work work;
	bool gathering; /* files get their objects, then it is begun */
	bool flushing;
	bool again;   /* somebody waits for what came after it */
	int result;   /* of the helper */
	int last_err; /* of the last that failed */
	uint64_t failures;
	struct waitq flushed;
	struct timer late;
};

/* inode.private */
struct volumefs_node {
	struct inode *inode;
	struct volumefs *fs;
	struct hashtable_link link; /* in fs->nodes */
	struct tree_node tree;
	struct list dirty;
	struct list idle;
	uint64_t unwritten;              /* volumefs_ahead.h */
	uint64_t written_in;             /* a round of volumefs_sync.h */
	struct volumefs_lent_file *lent; /* or NULL */
	struct volumefs_young_file young;
	uint32_t pins;
	uint32_t late; /* INODE_SET_ATIME | _MTIME: the record's, and not yet
	                * the object's */
	int fd;        /* O_RDWR of a regular file's object, or -1; of a
	                * file that is pinned and not young it is there */
	int read_fd;   /* the same, read-only; or -1 */
	uint64_t key;  /* of file_object */
	struct filedata_name name;
	struct filedata *copy; /* volumefs_sealed.h; or NULL */
	bool held;   /* it may be written to, and keeps a reference to us */
	bool sparse; /* `charged` may be too small: ask the host */
	bool mapped; /* cells may have it mapped for writing */
	bool shared; /* the object belongs to a revision, too */
	bool looked; /* size and times were taken from the host */
};

static inline struct volumefs *volumefs_node_fs(const struct superblock *sb)
{
	return sb->private;
}

static inline struct volumefs_node *volumefs_node_linked(
	struct hashtable_link *l)
{
	return container_of(l, struct volumefs_node, link);
}

static inline struct volumefs_node *volumefs_node_young(struct list *l)
{
	return list_entry(l, struct volumefs_node, young.link);
}

static inline struct volumefs_node *volumefs_node_of(const struct inode *i)
{
	return i->private;
}

/* The inode of that number: a new reference in *out; -ENOMEM, -EIO. */
must_check int volumefs_node_get(struct volumefs *fs, uint64_t ino,
                                 struct inode **out);

/*
 * A blank one, for its inode's one reference, and then, with a record, the only
 * one of that number, which takes over `object` (-1: none is open).  Nothing else
 * comes between the two.  NULL: no memory.
 */
must_check struct volumefs_node *volumefs_node_create(struct volumefs *fs,
                                                      uint32_t mode);
void volumefs_node_enter(struct volumefs_node *n, const struct tree_node *tree,
                         int object);

/* From inode_ops.destroy. */
void volumefs_node_destroy(struct volumefs_node *n);

/* The last name and the last user have gone: so does the inode. */
void volumefs_node_orphan(struct volumefs_node *n);

/* Copies the record into the inode. */
void volumefs_node_fill(struct volumefs_node *n);

/* The same, with size and times of the object.  0 or -errno. */
must_check long volumefs_node_refresh(struct volumefs_node *n);

/* Gives the object the times that are late, before they can be seen or become
 * others: an object that was there before its file costs one call less so. */
void volumefs_node_set_late(struct volumefs_node *n);

/* Its record is to be written with the next batch. */
void volumefs_node_soil(struct volumefs_node *n);
/* The same where fsync(2) is to wait for that. */
void volumefs_node_soil_safe(struct volumefs_node *n);

/* Keeps the object open, if it has one, until unpinned.  0 or -errno. */
must_check int volumefs_node_pin(struct volumefs_node *n);
void volumefs_node_unpin(struct volumefs_node *n);

/* Closes its descriptors; false: it is pinned. */
bool volumefs_node_close(struct volumefs_node *n);

/* Helpers' work with a regular file: pinned as above; run() makes its object
 * ours alone. */
extern const struct filejob_owner volumefs_node_owner;

/* read_fd, opened if need be; -errno. */
must_check int volumefs_node_read_fd(struct volumefs_node *n);

/* A damaged record: tells of it, once in a while. */
void volumefs_node_damaged(struct volumefs *fs, uint64_t ino, const char *what);

extern const struct inode_ops volumefs_names_ops;
