/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we hold of a host folder: its nodes, found by (device, inode) so that
 * two names of one file agree, and the few descriptors kept open for them.
 *
 * The tree may change under us at any time, by the hand of another qube that
 * shares it.  A node therefore remembers where it was last seen, and whatever
 * is opened again from there must turn out to be the same (device, inode).
 * Every step is one component below a held directory, never through a link.
 *
 * Descriptors are opened when wanted.  Those no open file holds (`pins`) stay
 * on a list, oldest first, of at most HOSTNODE_FDS nodes.
 */
#pragma once

#include <linux/stat.h>

#include "kernel/core/hashtable.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/world.h"

#define HOSTNODE_FDS 192

struct statx;

struct hostfs {
	struct kernel *kernel;
	struct superblock *sb;
	const struct inode_ops *ops; /* of its inodes */
	struct hostfs_options options;
	struct hashtable nodes;
	struct list idle; /* hostnode.idle: with descriptors, without pins */
	size_t idle_count;
	uint64_t dev;   /* of the root, as the host has it */
	bool in_memory; /* reading never waits */
	bool putting;
	struct inode *put_next;
};

/* inode.private */
struct hostnode {
	struct inode *inode;
	struct hostfs *fs;
	struct hashtable_link link; /* in fs->nodes */
	bool linked;
	uint64_t dev, ino; /* the host's */
	uint64_t born;     /* birth time, in case the number is used again */
	struct hostnode *parent; /* owns a reference; NULL: the root */
	char *name;              /* there; charged with its NUL */
	uint64_t checked_ns;     /* when the attributes were true */
	uint64_t key;            /* of file_object */
	uint32_t pins;
	struct list idle;
	int path_fd;  /* O_PATH of a directory, or -1 */
	int read_fd;  /* O_RDONLY of a regular file, or -1 */
	int write_fd; /* O_RDWR or O_WRONLY, or -1 */
	bool write_only;
};

static inline struct hostnode *hostnode_of(const struct inode *i)
{
	return i->private;
}

/*
 * The inode for what statx said about `name` in `parent` (NULL: the root): a
 * known one or a new one, its attributes filled in.  NULL: no memory.
 */
must_check struct inode *hostnode_inode(struct hostfs *fs,
                                        struct hostnode *parent,
                                        struct span name,
                                        const struct statx *st);

/* From inode_ops.destroy. */
void hostnode_destroy(struct hostnode *n);

/* Takes what statx said into the inode. */
void hostnode_fill(struct hostnode *n, const struct statx *st);

/* Where the node is to be found from now on.  0 or -ENOMEM. */
int hostnode_place(struct hostnode *n, struct hostnode *parent,
                   struct span name);

/* The number a guest sees for an inode of the host. */
uint64_t hostnode_number(const struct hostfs *fs, uint64_t dev, uint64_t ino);

/* The node of that identity, or NULL. */
struct hostnode *hostnode_find(struct hostfs *fs, const struct statx *st);

/* A directory's O_PATH descriptor, borrowed until the next call; -errno. */
must_check int hostnode_dir(struct hostnode *n);

/*
 * Opens the node anew with O_* flags.  A new descriptor, or -errno: -ESTALE
 * when something else has taken its place.
 */
must_check int hostnode_open(struct hostnode *n, int flags);

/* statx of the node: 0, or -errno; -ESTALE as above. */
must_check int hostnode_stat(struct hostnode *n, struct statx *st);

/*
 * Makes sure that a regular file's descriptor for reading, or for writing,
 * is open, and keeps it so until hostnode_unpin().  0 or a negative errno.
 */
must_check int hostnode_pin(struct hostnode *n, bool write);
void hostnode_unpin(struct hostnode *n);

/* read_fd of a pinned node, opened from write_fd if need be; -errno. */
must_check int hostnode_read_fd(struct hostnode *n);

/* A single component, as a C string in `to`.  0 or -EINVAL. */
must_check int hostnode_name(struct span name, char to[256]);

/* statx of one name in a directory. */
must_check int hostnode_statx(int dir, const char *name, struct statx *st);
