/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an EROFS image that we may not have written.
 *
 * The reader sees blocks only, through imgread_source: whoever owns the image
 * has read each into memory of its own, and checked it if there is a tree of
 * hashes.  So nothing changes while we look, and a pointer into a block stays
 * good.  Every number is checked before it is used; what makes no sense is
 * -EIO, what we do not read (compression, chunks) -EOPNOTSUPP.
 *
 * Blocks are numbered through: the image's own, then those of its data device
 * if it has one (ondisk.h).  A file is `nid`, as EROFS has it.
 */
#pragma once

#include "base/fault.h"
#include "base/span.h"
#include "image/ondisk.h"

struct imgread_source {
	void *ctx;
	/* 0 and the block, to stay until the source goes; -EIO, -ENOMEM. */
	int (*block)(void *ctx, uint64_t n, const uint8_t **out);
};

struct imgread {
	struct imgread_source source;
	uint64_t main_blocks; /* of the image itself */
	uint64_t blocks;      /* with those of its data device */
	uint64_t meta;        /* where inodes are counted from, in bytes */
	uint64_t shared;      /* where shared attributes are counted from */
	uint64_t root;        /* nid */
	uint64_t inode_count;
};

struct imgread_inode {
	uint64_t nid;
	uint64_t at; /* in bytes, from the image's start */
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t nlink;
	uint64_t size;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t major, minor; /* of a device */
	uint32_t layout;       /* enum ondisk_layout */
	uint64_t start;        /* of its data: block */
	uint64_t xattr;        /* of its attributes: bytes; */
	uint32_t xattr_size;   /* 0: it has none */
	uint64_t tail;         /* what is behind it, if ONDISK_INLINE: bytes */
};

/*
 * Reads the superblock.  `main_blocks` and `data_blocks` are how many there
 * really are; the image may claim fewer.  0; -EIO or -EOPNOTSUPP, and why.
 */
must_check int imgread_open(struct imgread *r, const struct imgread_source *s,
                            uint64_t main_blocks, uint64_t data_blocks,
                            struct fault *f);

/* The file of that number: 0, -EIO, -EOPNOTSUPP, -ENOMEM. */
must_check int imgread_inode(const struct imgread *r, uint64_t nid,
                             struct imgread_inode *out);

/* Who has that name in a directory: 0, -ENOENT, -EIO, -ENOMEM. */
must_check int imgread_dir_find(const struct imgread *r,
                                const struct imgread_inode *dir,
                                struct span name, uint64_t *nid);

/*
 * Names of a directory, from position *pos on (0 at first), "." and ".." among
 * them; *pos is moved behind each that add() took, until it returns false or
 * all are told.  0, -EIO, -ENOMEM.
 */
struct imgread_entry {
	struct span name; /* valid during add() only */
	uint64_t nid;
	uint8_t type;  /* enum ondisk_type; what the directory says */
	uint64_t next; /* position behind it */
};
struct imgread_sink {
	void *ctx;
	bool (*add)(void *ctx, const struct imgread_entry *e);
};
must_check int imgread_dir_list(const struct imgread *r,
                                const struct imgread_inode *dir, uint64_t *pos,
                                const struct imgread_sink *to);

/*
 * Where a file's byte `offset` is: the byte's place in *at, and how many from
 * there on follow each other, at most to the end of the file.  `offset` must
 * be less than the size.  0 or -EIO.
 */
must_check int imgread_place(const struct imgread *r,
                             const struct imgread_inode *i, uint64_t offset,
                             uint64_t *at, uint64_t *size);

/* The target of a symbolic link, cut to `room`; its size, -EIO, -ENOMEM. */
must_check long imgread_link(const struct imgread *r,
                             const struct imgread_inode *i, char *to,
                             size_t room);

/*
 * Extended attributes: calls `take` for each until that returns non-zero,
 * which is then returned.  Name and value are valid during the call.  0,
 * -EIO, -ENOMEM.
 */
struct imgread_xattr {
	const char *prefix; /* "user." and so on */
	struct span suffix;
	struct span value;
};
must_check int imgread_xattr_each(
	const struct imgread *r, const struct imgread_inode *i,
	int (*take)(void *ctx, const struct imgread_xattr *x), void *ctx);
