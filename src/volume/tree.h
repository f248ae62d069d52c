/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and directories of a volume: what changes together.
 *
 * Each function makes all of its change or, on failure, nothing.  It checks
 * what concerns the volume's own order (names, links, limits) and no
 * permission.  The nodes are the caller's copies of inodes' records, brought
 * up to date by each call; there must be one copy of each inode only.
 *
 * An inode that loses its last name stays until tree_forget().
 */
#pragma once

#include "volume/volume.h"

struct tree_node {
	uint64_t ino;
	uint64_t batch; /* it was last changed in this one of the store's */
	struct vrecord_inode r; /* target: not kept; r.size is its length */
	bool older; /* tree_create() found the object made: its times are older */
};

/* Reads an inode.  0, -ENOENT, -EIO. */
must_check int tree_load(struct volume *v, uint64_t ino, struct tree_node *n);

/* Writes what the caller changed in n->r.  0 or -ENOMEM. */
must_check int tree_update(struct volume *v, struct tree_node *n);

/* What a name stands for.  0, -ENOENT, -EIO. */
must_check int tree_lookup(struct volume *v, uint64_t dir, struct span name,
                           uint64_t *ino, uint8_t *type);

/*
 * A new inode as new->r says: mode, uid, gid, rdev, target and times; the rest
 * is filled in.  With a name in `dir`, or (`dir` NULL) with none yet.  A
 * regular file's object is made: its descriptor in *object.  With `object` NULL
 * that is left to tree_object(), before the batch is frozen.
 * 0, -EEXIST, -ENOSPC, -ENOMEM, ...
 */
must_check int tree_create(struct volume *v, struct tree_node *dir,
                           struct span name, struct tree_node *new,
                           int *object);

/* Makes the object of a regular file that has none: a descriptor, or -errno. */
must_check int tree_object(struct volume *v, uint64_t ino);

/* 0, -EEXIST, -EMLINK, -ENOMEM. */
must_check int tree_link(struct volume *v, struct tree_node *dir,
                         struct span name, struct tree_node *n);

/* Takes the name of `n` away; of directories too.  -ENOTEMPTY, -ENOMEM. */
must_check int tree_unlink(struct volume *v, struct tree_node *dir,
                           struct span name, struct tree_node *n);

struct tree_rename {
	struct tree_node *from_dir, *to_dir; /* may be the same */
	struct span from, to;
	struct tree_node *what;
	struct tree_node *over;     /* what `to` stands for now, or NULL */
	struct tree_node *whiteout; /* takes the old name's place, or NULL */
	bool exchange;
};
must_check int tree_rename(struct volume *v, const struct tree_rename *m);

/* Is there no name in the directory?  1, 0, or a negative errno. */
must_check int tree_empty(struct volume *v, uint64_t dir);

/*
 * The first name at `pos` (2: the first of all) or behind; its place in *pos.
 * out->name is valid until the next call.  0, -ENOENT, -EIO.
 */
must_check int tree_name_at(struct volume *v, uint64_t dir, int64_t *pos,
                            struct vrecord_name *out);

/* A symbolic link's target, valid until the next call. */
must_check int tree_target(struct volume *v, uint64_t ino, struct span *out);

/* An inode without names, and all it has, goes.  0, -EIO or -ENOMEM. */
must_check int tree_forget(struct volume *v, uint64_t ino, bool has_object);

/* Extended attributes: as kernel/fs/xattrs.h. */
must_check int tree_xattr_get(struct volume *v, uint64_t ino, struct span name,
                              struct span *out);
must_check int tree_xattr_set(struct volume *v, struct tree_node *n,
                              struct span name, struct span value, int flags);
must_check int tree_xattr_remove(struct volume *v, struct tree_node *n,
                                 struct span name);

/*
 * The attributes one by one: *key begins with size 0.  0 and the next one,
 * -ENOENT at the end, -EIO.
 */
must_check int tree_xattr_next(struct volume *v, uint64_t ino,
                               struct vrecord_key *key,
                               struct vrecord_xattr *out);

/* As hosts stamp their files: theirs are never older than earlier ones of
 * ours, nor ours older than what v->stamped says. */
struct vrecord_time tree_now(const struct volume *v);

/* Is `a` the later of the two? */
bool tree_later(struct vrecord_time a, struct vrecord_time b);
