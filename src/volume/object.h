/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of regular files: one host file each, in the volume's folder
 * objects/, called after the inode's number.
 *
 * An object with several links on the host is shared with a revision of the
 * volume and must not be written: object_unshare() gives the volume a copy of
 * its own first.
 */
#pragma once

#include <sys/stat.h>

#include "base/base.h"

/* A file of ours in a folder of ours, with O_* flags beside O_CLOEXEC and
 * O_NOFOLLOW, made with mode 0600.  By openat2(2): a jailed kernel has no other
 * way.  A descriptor, or -errno. */
must_check int object_open_at(int dir, const char *name, int flags);

/* O_* flags beside O_CLOEXEC and O_NOFOLLOW.  A descriptor, or -errno. */
must_check int object_open(int objects, uint64_t ino, int flags);

/* 0 or -errno. */
must_check int object_stat(int objects, uint64_t ino, struct stat *st);

/* An empty one, open for both; what was left under that number goes. */
must_check int object_create(int objects, uint64_t ino);

/* 0 or -errno; that there is none is no error. */
int object_remove(int objects, uint64_t ino);

/* Is it shared with a revision? */
bool object_shared(const struct stat *st);

/* A private copy in the place of a shared one.  0 or -errno. */
must_check int object_unshare(int objects, uint64_t ino);

/* Copies all of `from` to the empty file `to`, holes and times too; by
 * reference where the host can.  0 or -errno. */
must_check int object_copy(int from, int to);

/* The number a host name stands for, or 0. */
uint64_t object_number(const char *name);

/* Bytes of the limit an object takes. */
uint64_t object_held(const struct stat *st);
