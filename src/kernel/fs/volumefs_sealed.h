/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents of files on an encrypted volume (volume/cipher.h).
 *
 * Cells get no leases on these: the kernel reads and writes them, on its own
 * thread.  Who maps one gets a memory file with the contents (`copy`), charged
 * to the qube, which from then on is what the file reads as; writes go to both.
 * Once a cell has it mapped for writing, what it changed is found by comparing
 * and written at fsync(2), at close(2), at sync(2) and when the qube ends; the
 * copy then stays until that end.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/volumefs_node.h"

/* As file_ops.read. */
must_check long volumefs_sealed_read(struct file *f, struct uio *u,
                                     int64_t *pos);

/* Writes all at `at`, and notes size and time.  0 or a negative errno. */
must_check long volumefs_sealed_put(struct volumefs_node *n, const void *from,
                                    size_t size, uint64_t at);

/* A new size.  0 or a negative errno. */
must_check long volumefs_sealed_resize(struct volumefs_node *n, uint64_t size);

/* As file_ops.object. */
must_check long volumefs_sealed_object(struct file *f, bool writable,
                                       struct file_object *out);

/* Writes what cells changed in a mapping.  0 or a negative errno. */
must_check long volumefs_sealed_save(struct volumefs_node *n);

/* The same of all files. */
void volumefs_sealed_save_all(struct volumefs *fs);

/* Nobody has it open: the copy goes unless it may still be written to. */
void volumefs_sealed_closed(struct volumefs_node *n);

/* Before the volume is closed, for all. */
void volumefs_sealed_end(struct volumefs *fs);
