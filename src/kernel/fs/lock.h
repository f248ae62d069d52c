/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks on files: POSIX record locks (owned by a descriptor table), open file
 * description locks and flock(2) (owned by a description).
 */
#pragma once

#include "kernel/fs/fd.h"

/* fcntl(F_GETLK, F_SETLK, F_SETLKW and the OFD kinds). */
must_check long lock_fcntl(struct task *t, struct file *f, int cmd,
                           uaddr_t arg);

/* flock(2). */
must_check long lock_flock(struct task *t, struct file *f, int op);

/* A table closed one of its descriptors of the file: its record locks go. */
void lock_table_closed(struct file *f, const struct fdtable *ft);

/* The description goes, and all its locks. */
void lock_file_closed(struct file *f);

/* One lock as /proc/locks shows it; the inode's locks are walked in order. */
struct lock_info {
	const char *kind; /* "POSIX", "OFDLCK", "FLOCK" */
	bool exclusive;
	int32_t pid;
	uint64_t first, last;
};
bool lock_info(const struct inode *i, size_t index, struct lock_info *out);
