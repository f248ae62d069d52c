/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are nothing but a file: event counters, timers, epoll instances.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"

struct anon_how {
	const struct file_ops *ops;
	void *private;
	uint32_t flags;      /* O_ACCMODE, O_NONBLOCK, ... */
	uint32_t inode_mode; /* 0: 0600 and no type, as anon_inodes have */
	const struct inode_ops *inode_ops; /* may be NULL */
	const char *label;                 /* as file_name() wants it */
};

/*
 * An inode that belongs to the task (NULL: to root).  NULL when there is no
 * memory.
 */
must_check struct inode *anon_inode(struct kernel *k, struct task *t,
                                    const struct inode_ops *ops, uint32_t mode);

/*
 * A new description with an inode of its own that belongs to the task (NULL:
 * to root).  0 and a reference, or -ENOMEM; release() is not called then.
 */
must_check int anon_open(struct kernel *k, struct task *t,
                         const struct anon_how *how, struct file **out);

/* The same for an inode of that kind that exists; takes a new reference. */
must_check int anon_open_inode(struct kernel *k, struct inode *i,
                               const struct anon_how *how, struct file **out);
