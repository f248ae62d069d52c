/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A template image as a file system, read-only: src/image has the format.
 *
 * Nothing of it is believed before its block was checked against the tree of
 * hashes, whose root came from who started us.  A block that is not what the
 * tree says is -EIO for whoever wanted it, with a line in the log; the rest of
 * the image goes on working.
 *
 * Contents that everyone may read lie in a file of their own, which cells get
 * as it is: they map and read from there, and all qubes share its pages.
 * Other contents are given to cells as copies in memory, file by file.  A file
 * is checked as a whole before a cell gets it, and by the blocks that are
 * wanted when we read it ourselves; larger pieces by a helper thread.
 */
#pragma once

#include "image/imgsource.h"
#include "kernel/core/hashtable.h"
#include "kernel/fs/filedata.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/world.h"

struct erofs {
	struct kernel *kernel;
	struct superblock *sb;
	struct erofs_options files; /* the descriptors, owned */
	struct merkle tree;
	struct imgsource source;
	struct imgread image;
	uint64_t blocks;   /* of both files */
	uint8_t *good;     /* a bit for each: it was checked, and is */
	uint8_t *bad;      /* ... and is not */
	size_t bits;       /* bytes of each of the two */
	uint64_t key;      /* of the data file, as a file_object */
	uint64_t data_ino; /* on the host */
	struct filedata_quota quota; /* of copies; the qube's limit counts */
	struct list in_world;        /* world.images */
	struct hashtable nodes;
};

/* inode.private */
struct erofs_node {
	struct erofs *fs;
	struct inode *inode;
	struct imgread_inode image;
	struct hashtable_link link; /* in fs->nodes */
	struct filedata *copy; /* for cells, if they may not have the file */
	char *name;            /* what it was when a cell first mapped it */
	size_t name_room;
};

static inline struct erofs_node *erofs_node_of(const struct inode *i)
{
	return i->private;
}

/*
 * What is mapped at `offset` of the host's file with that inode number, if it
 * is an image's: its name inside, and where it begins in that file.
 */
const char *erofs_name_of(struct kernel *k, uint64_t host_ino, uint64_t offset,
                          uint64_t *begin);
