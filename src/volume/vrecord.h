/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of a volume's files: keys and values of the metadata store.
 *
 *	key                        value
 *	"S"                        the volume: struct vrecord_volume
 *	"I" ino                    an inode: struct vrecord_inode
 *	"D" dir hash               a name in a directory: struct vrecord_name
 *	"X" ino hash               an extended attribute: struct vrecord_xattr
 *
 * Numbers in keys are big-endian, so that what belongs together lies together;
 * in values little-endian.  A hash is 16 bytes of keyed BLAKE2b over the name,
 * which stands in the value.  docs/man/bento-volume.5.scd has the layout.
 */
#pragma once

#include "base/span.h"

#define VRECORD_KEY_MAX   32u
#define VRECORD_NAME_MAX  255u
#define VRECORD_LINK_MAX  4095u
#define VRECORD_VALUE_MAX 65536u          /* of an extended attribute */
#define VRECORD_MAX       (65536u + 512u) /* any value */
#define VRECORD_ROOT      1u              /* inode number of the root */
#define VRECORD_FIRST     16u             /* of the first other inode */

struct vrecord_key {
	size_t size;
	uint8_t at[VRECORD_KEY_MAX];
};

struct vrecord_time {
	int64_t sec;
	uint32_t nsec;
};

struct vrecord_volume {
	uint64_t max_bytes; /* the limits */
	uint64_t max_inodes;
	uint64_t bytes; /* what is used */
	uint64_t inodes;
	uint64_t next_ino;
	bool clean; /* it was closed in order: the sums are right */
};

struct vrecord_inode {
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t nlink; /* 0: it goes when nobody has it open */
	uint64_t rdev;
	uint64_t size;    /* directories: names; encrypted files: bytes */
	uint64_t charged; /* bytes of the limit it takes, without attributes */
	uint64_t parent;  /* of a directory; the root is its own */
	uint32_t xattr_bytes; /* charged beside `charged` */
	struct vrecord_time atime, mtime, ctime, btime;
	struct span target; /* of a symbolic link; borrowed */
};

struct vrecord_name {
	uint64_t ino;
	uint8_t type; /* DT_* */
	struct span name;
};

struct vrecord_xattr {
	struct span name;
	struct span value;
};

/* ---- keys ---- */

struct vrecord_key vrecord_key_volume(void);
struct vrecord_key vrecord_key_inode(uint64_t ino);
struct vrecord_key vrecord_key_name(uint64_t dir, const uint8_t hash[16]);
struct vrecord_key vrecord_key_xattr(uint64_t ino, const uint8_t hash[16]);

/* What all names or attributes of an inode begin with: 'D' or 'X'. */
struct vrecord_key vrecord_key_prefix(char kind, uint64_t ino);

/* Takes a key apart: 0, or -EIO.  hash may be NULL. */
must_check int vrecord_key_parse(struct span key, char *kind, uint64_t *ino,
                                 const uint8_t **hash);

static inline struct span vrecord_span(const struct vrecord_key *k)
{
	return (struct span){k->at, k->size};
}

/* ---- values ---- */

/* Each writes at most VRECORD_MAX bytes into `to` and returns their number. */
size_t vrecord_put_volume(const struct vrecord_volume *v, uint8_t *to);
size_t vrecord_put_inode(const struct vrecord_inode *i, uint8_t *to);
size_t vrecord_put_name(const struct vrecord_name *n, uint8_t *to);
size_t vrecord_put_xattr(const struct vrecord_xattr *x, uint8_t *to);

/* 0, or -EIO if the bytes are none of ours.  Spans point into `from`. */
must_check int vrecord_get_volume(struct span from, struct vrecord_volume *v);
must_check int vrecord_get_inode(struct span from, struct vrecord_inode *i);
must_check int vrecord_get_name(struct span from, struct vrecord_name *n);
must_check int vrecord_get_xattr(struct span from, struct vrecord_xattr *x);

/* May a directory hold such a name?  Not "", ".", "..", no "/" or NUL. */
bool vrecord_name_ok(struct span name);
