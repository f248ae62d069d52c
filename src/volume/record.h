/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of a volume's files: keys and values of the metadata store.
 *
 *	key                        value
 *	"S"                        the volume: struct record_volume
 *	"I" ino                    an inode: struct record_inode
 *	"D" dir hash               a name in a directory: struct record_name
 *	"X" ino hash               an extended attribute: struct record_xattr
 *
 * Numbers in keys are big-endian, so that what belongs together lies together;
 * in values little-endian.  A hash is 16 bytes of keyed BLAKE2b over the name,
 * which stands in the value.  docs/man/bento-volume.5.scd has the layout.
 */
#pragma once

#include "base/span.h"

#define RECORD_KEY_MAX   32u
#define RECORD_NAME_MAX  255u
#define RECORD_LINK_MAX  4095u
#define RECORD_VALUE_MAX 65536u          /* of an extended attribute */
#define RECORD_MAX       (65536u + 512u) /* any value */
#define RECORD_ROOT      1u              /* inode number of the root */
#define RECORD_FIRST     16u             /* of the first other inode */

struct record_key {
	size_t size;
	uint8_t at[RECORD_KEY_MAX];
};

struct record_time {
	int64_t sec;
	uint32_t nsec;
};

struct record_volume {
	uint64_t max_bytes; /* the limits */
	uint64_t max_inodes;
	uint64_t bytes; /* what is used */
	uint64_t inodes;
	uint64_t next_ino;
	bool clean; /* it was closed in order: the sums are right */
};

struct record_inode {
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t nlink; /* 0: it goes when nobody has it open */
	uint64_t rdev;
	uint64_t size;    /* directories: names; encrypted files: bytes */
	uint64_t charged; /* bytes of the limit it takes, without attributes */
	uint64_t parent;  /* of a directory; the root is its own */
	uint32_t xattr_bytes; /* charged beside `charged` */
	struct record_time atime, mtime, ctime, btime;
	struct span target; /* of a symbolic link; borrowed */
};

struct record_name {
	uint64_t ino;
	uint8_t type; /* DT_* */
	struct span name;
};

struct record_xattr {
	struct span name;
	struct span value;
};

/* ---- keys ---- */

struct record_key record_key_volume(void);
struct record_key record_key_inode(uint64_t ino);
struct record_key record_key_name(uint64_t dir, const uint8_t hash[16]);
struct record_key record_key_xattr(uint64_t ino, const uint8_t hash[16]);

/* What all names or attributes of an inode begin with: 'D' or 'X'. */
struct record_key record_key_prefix(char kind, uint64_t ino);

/* Takes a key apart: 0, or -EIO.  hash may be NULL. */
must_check int record_key_parse(struct span key, char *kind, uint64_t *ino,
                                const uint8_t **hash);

static inline struct span record_span(const struct record_key *k)
{
	return (struct span){k->at, k->size};
}

/* ---- values ---- */

/* Each writes at most RECORD_MAX bytes into `to` and returns their number. */
size_t record_put_volume(const struct record_volume *v, uint8_t *to);
size_t record_put_inode(const struct record_inode *i, uint8_t *to);
size_t record_put_name(const struct record_name *n, uint8_t *to);
size_t record_put_xattr(const struct record_xattr *x, uint8_t *to);

/* 0, or -EIO if the bytes are none of ours.  Spans point into `from`. */
must_check int record_get_volume(struct span from, struct record_volume *v);
must_check int record_get_inode(struct span from, struct record_inode *i);
must_check int record_get_name(struct span from, struct record_name *n);
must_check int record_get_xattr(struct span from, struct record_xattr *x);

/* May a directory hold such a name?  Not "", ".", "..", no "/" or NUL. */
bool record_name_ok(struct span name);
