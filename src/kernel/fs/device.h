/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices by number: what a node made by mknod(2) on any file system opens.
 * Nodes of devfs come here too, or have an open() of their own.
 */
#pragma once

#include "kernel/fs/file.h"

#define DEVICE_MAJOR(rdev) \
	((uint32_t)((rdev) >> 8 & 0xfff) | (uint32_t)((rdev) >> 32 & ~0xfffu))
#define DEVICE_MINOR(rdev) \
	((uint32_t)((rdev)&0xff) | (uint32_t)((rdev) >> 12 & ~0xffu))
#define DEVICE_MAKE(major, minor)                                    \
	(((uint64_t)(minor)&0xff) | ((uint64_t)(major)&0xfff) << 8 | \
	 ((uint64_t)(minor) & ~0xffull) << 12 |                      \
	 ((uint64_t)(major) & ~0xfffull) << 32)

/*
 * Completes `f`, as inode_ops.open does, for the character (S_IFCHR) or block
 * device f->inode with that number.  0, -ENXIO when there is none, -EWAIT...
 */
must_check long device_open(struct task *t, uint64_t rdev, struct file *f);
