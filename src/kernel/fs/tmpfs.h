/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in memory.  tmpfs_create() is in world.h; here is what other rooms
 * take from it.
 */
#pragma once

#include "kernel/fs/filedata.h"
#include "kernel/fs/inode.h"
#include "kernel/fs/memdir.h"
#include "kernel/fs/xattrs.h"

/* What inode.private points to. */
struct tmpfs_node {
	struct inode *inode;
	struct list doomed; /* while its directory goes away */
	struct xattrs xattrs;
	struct inode *up; /* of a directory: its parent, borrowed */
	union {
		struct filedata data; /* regular files */
		struct memdir dir;
		struct {
			char *target;
			size_t target_size;
		};
	};
	char *label; /* of memfd_create: "/memfd:NAME (deleted)" */
	size_t label_room;
	bool sealable;
};

/* A tmpfs that calls itself devtmpfs.  0 and a reference, or -ENOMEM. */
must_check int tmpfs_create_dev(struct kernel *k, struct superblock **out);

/*
 * A new inode of a tmpfs in no directory, owned by `how`'s uid and gid.
 * NULL: no memory.
 */
must_check struct inode *tmpfs_inode(struct superblock *sb,
                                     const struct inode_new *how);

/*
 * Puts an inode of the same file system under `name` in `dir`; for file
 * systems built on this one and for making the first files.  Takes no task
 * and checks nothing but that the name is free.  0, -EEXIST or -ENOMEM.
 */
must_check int tmpfs_enter(struct inode *dir, struct span name,
                           struct inode *i);

/* The inode of that name, borrowed, or NULL. */
struct inode *tmpfs_child(struct inode *dir, struct span name);

/*
 * memfd_create(2)'s file, open for reading and writing: `name` is the
 * guest's, `flags` MFD_*.  0 and a new reference, or -ENOMEM.
 */
must_check int tmpfs_memfd(struct kernel *k, const char *name, uint32_t flags,
                           struct file **out);

/*
 * Shared memory without a name, `size` bytes long, for System V segments and
 * shared anonymous memory.  0 and a new reference, -ENOSPC, -ENOMEM.
 */
must_check int tmpfs_shared(struct kernel *k, const char *name, uint64_t size,
                            struct file **out);
