/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of an image to be: names and attributes, in memory, in the order
 * an archive tells them.
 *
 * A later entry replaces an earlier one of the same name; a directory over a
 * directory only changes its attributes.  Directories that no entry told of
 * are made as root's, 0755.  All of it is freed at once.
 */
#pragma once

#include "base/fault.h"
#include "base/list.h"
#include "base/span.h"
#include "image/ondisk.h"

#define IMGTREE_ENTRIES_MAX (1u << 22)
#define IMGTREE_PATH_MAX    4096u

/* Where a file's data are. */
enum imgtree_where {
	IMGTREE_NOWHERE, /* it has none */
	IMGTREE_PUBLIC,  /* in the .data file */
	IMGTREE_PRIVATE, /* in the .erofs file */
};

struct imgtree_xattr {
	struct imgtree_xattr *next;
	uint8_t prefix; /* its number */
	struct span suffix;
	struct span value;
};

struct imgtree_file {
	struct list all; /* in imgtree.files */
	uint32_t mode, uid, gid;
	uint32_t nlink;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t major, minor;
	struct span target; /* of a symbolic link */
	struct imgtree_xattr *xattrs;
	size_t xattr_size; /* of its entries, each padded */
	bool has_acl;

	uint64_t size; /* of data, or of a directory's blocks */
	enum imgtree_where where;
	uint64_t start; /* block, in the file `where` says */

	/* A directory's. */
	struct list names; /* imgtree_name.in_dir */
	uint32_t name_count;
	struct imgtree_file *parent;
	bool implied;              /* nobody has told of it yet */
	struct imgtree_file *todo; /* imgtree_empty()'s */

	/* imgmeta.c's. */
	bool reached;
	bool everyone; /* may read it; a directory: may go to it */
	bool inlined;  /* what it holds is behind its inode */
	uint64_t nid;
};

struct imgtree_name {
	struct list in_dir;
	struct imgtree_name *chain; /* in its bucket */
	struct imgtree_file *dir;
	struct imgtree_file *file;
	struct span name;
	uint32_t layer; /* that told of it last */
};

struct imgtree {
	struct list files;
	struct imgtree_file *root;
	struct imgtree_name **bucket;
	size_t bucket_count;
	size_t name_count;
	uint32_t layer; /* of archives one over the other: the caller's */
	struct imgtree_slab *slabs;
};

/* 0 or -ENOMEM. */
must_check int imgtree_init(struct imgtree *t);
void imgtree_fini(struct imgtree *t);

/*
 * A new file of that mode, without a name.  NULL: no memory, or
 * IMGTREE_ENTRIES_MAX.
 */
must_check struct imgtree_file *imgtree_file(struct imgtree *t, uint32_t mode);

/* Text or bytes that live as long as the tree.  0 or -ENOMEM. */
must_check int imgtree_keep(struct imgtree *t, struct span what,
                            struct span *out);

/*
 * Cleans a path of an archive: no "", no "." components, no slash at either
 * end; "" is the root.  0; -EINVAL with "..", a NUL or a name that is too
 * long; -ENAMETOOLONG.
 */
must_check int imgtree_clean(struct span path, char to[IMGTREE_PATH_MAX]);

/* The file of a clean path, or NULL. */
struct imgtree_file *imgtree_find(const struct imgtree *t, const char *path);

/* What a directory has under a name, or NULL. */
struct imgtree_file *imgtree_child(const struct imgtree *t,
                                   const struct imgtree_file *dir,
                                   struct span name);

/*
 * Gives a file a clean path, with the directories on the way.  What was there
 * before loses that name; a directory over a directory hands its attributes
 * to that one instead.  0, -ENOMEM; -EINVAL: the root is a directory and
 * stays; -ENOTDIR: something on the way is none.
 */
must_check int imgtree_enter(struct imgtree *t, const char *path,
                             struct imgtree_file *file);

/* Takes a name away with all below it; a missing one is fine. */
void imgtree_remove(struct imgtree *t, const char *path);

/* Takes away all that is below a directory and no entry of this layer. */
void imgtree_empty(struct imgtree *t, struct imgtree_file *dir);

/*
 * Adds an attribute, or replaces its value.  0; -ENOMEM; -E2BIG: too many;
 * -EOPNOTSUPP: EROFS has no such prefix.
 */
must_check int imgtree_set_xattr(struct imgtree *t, struct imgtree_file *file,
                                 const char *name, struct span value);

/* May everyone go through all directories above it?  As far as is told. */
bool imgtree_open_to_all(const struct imgtree_file *dir);
