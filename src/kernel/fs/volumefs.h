/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume (volume/volume.h) as a file system: files that stay.
 *
 * Names, owners and modes are the volume's; a regular file's contents, size
 * and times are those of its object on the host, which cells read and map by
 * leases.  They write through us, or through shared mappings, neither of
 * which can make a file larger than the volume's limit allows.
 *
 * Changes of metadata are collected and written by a helper thread: after
 * VOLUMEFS_LATE_NS, or when there are VOLUMEFS_MUCH bytes of them, or when
 * fsync(2) wants them; who changes faster than the disk takes waits at
 * VOLUMEFS_MOST.  A batch is one transaction: after a crash there is all of it
 * or nothing.  Objects of new small files are made just before that
 * (kernel/fs/volumefs_young.h).
 */
#pragma once

#include "kernel/core/kernel.h"

struct superblock;
struct volume;

#define VOLUMEFS_LATE_NS 1000000000ull
#define VOLUMEFS_MUCH    ((size_t)1 << 20)
#define VOLUMEFS_MOST    ((size_t)16 << 20)

/*
 * Takes over the volume, which was opened before the jail.  0 and a reference,
 * or -ENOMEM or -EIO, and the volume is closed.
 */
must_check int volumefs_create(struct kernel *k, struct volume *v,
                               struct superblock **out);

/*
 * The qube ends: makes everything safe and closes all volumes, on this thread.
 * Nothing touches a file afterwards.  Where that is not `regular`, who ends it does
 * not wait for the contents of files, which the host then writes when it will.
 */
void volumefs_shutdown(struct kernel *k, bool regular);
