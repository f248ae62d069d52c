/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EROFS as it lies on disk, as far as we read and write it.  All numbers are
 * little-endian; offsets are given, since no structure is laid over bytes.
 *
 * What our writer makes of it:
 *
 *	VERSION.erofs   superblock; data of files not everyone may read; inodes
 *	                with their attributes; directories
 *	VERSION.data    data of the files that everyone may read, each at a
 *	                multiple of 4096
 *	VERSION.tree    hashes of all blocks of both (merkle.h)
 *
 * The second is an extra device of the first (its slot's mapped_blkaddr makes
 * one range of block numbers of both), because its descriptor is handed to
 * cells, which map files straight from it: a cell is hostile, and may see
 * whatever is in a file that it holds.  So it holds what everyone may read,
 * and nothing else: no other file's bytes, no names.
 *
 * An image without a second file, as mkfs.erofs makes them, is read as well;
 * cells then get copies.
 */
#pragma once

#include "base/base.h"

#define ONDISK_BLOCK      4096u
#define ONDISK_BLOCK_BITS 12u

/* The most we write, and read: the numbers of blocks stay below 2^30. */
#define ONDISK_BLOCKS_MAX (1u << 30)

#define ONDISK_SUPER      1024u /* where the superblock lies */
#define ONDISK_SUPER_SIZE 128u
#define ONDISK_MAGIC      0xe0f5e1e2u

#define ONDISK_COMPAT_MTIME 2u /* times of extended inodes are mtime */

#define ONDISK_INCOMPAT_PADDING 1u /* of compressed data; nothing to us */
#define ONDISK_INCOMPAT_CHUNKED 4u /* some files may be */
#define ONDISK_INCOMPAT_DEVICES 8u
#define ONDISK_INCOMPAT_KNOWN                                \
	(ONDISK_INCOMPAT_PADDING | ONDISK_INCOMPAT_CHUNKED | \
	 ONDISK_INCOMPAT_DEVICES)

#define ONDISK_DEVICE_SIZE 128u /* of a device's slot */
#define ONDISK_DEVICE_SLOT 9u   /* ours: right behind the superblock */
#define ONDISK_DEVICE_TAG  64u

#define ONDISK_NID_BITS      5u /* inodes are counted in 32 bytes */
#define ONDISK_COMPACT_SIZE  32u
#define ONDISK_EXTENDED_SIZE 64u

#define ONDISK_EXTENDED 1u /* in i_format */
enum ondisk_layout {
	ONDISK_PLAIN = 0,  /* in blocks one behind the other */
	ONDISK_INLINE = 2, /* so, but the last part is behind the inode */
	ONDISK_CHUNKED = 4,
};

#define ONDISK_DIRENT_SIZE 12u
#define ONDISK_NAME_MAX    255u

/* Extended attributes: a head, numbers of shared ones, then entries. */
#define ONDISK_XATTR_HEAD  12u
#define ONDISK_XATTR_ENTRY 4u
#define ONDISK_XATTR_MAX   65536u /* of one inode, all together */

/* Prefixes of their names, by number. */
#define ONDISK_XATTR_PREFIXES                                         \
	{                                                             \
		NULL, "user.", "system.posix_acl_access",             \
			"system.posix_acl_default", "trusted.", NULL, \
			"security.",                                  \
	}

/* Types in directory entries: those of Linux's own FT_*. */
enum ondisk_type {
	ONDISK_REG = 1,
	ONDISK_DIR,
	ONDISK_CHR,
	ONDISK_BLK,
	ONDISK_FIFO,
	ONDISK_SOCK,
	ONDISK_LNK,
};
