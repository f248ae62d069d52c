/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of a template image's files.
 */
#pragma once

#include "kernel/fs/erofs.h"
#include "kernel/fs/file.h"

/* Completes a description of a regular file.  0 or -EROFS. */
long erofs_file_open(struct inode *i, struct file *f);

/* A line in the log: `name` is a guest's, and escaped. */
void erofs_file_report(struct span name, const char *what);

/*
 * The name of the file a cell has mapped from there in the data file, and
 * where it begins; or NULL.
 */
const char *erofs_file_at(const struct erofs *fs, uint64_t offset,
                          uint64_t *begin);
