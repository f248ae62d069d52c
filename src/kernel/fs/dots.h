/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every directory we make up by ourselves has in common.  "." and ".."
 * come from the caller of readdir, at positions 0 and 1.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/inode.h"

#define DOTS_FIRST 2 /* position of the first entry */

/* DT_* of a mode. */
static inline uint8_t dots_type(uint32_t mode)
{
	return (uint8_t)((mode & 0170000) >> 12);
}

/* lseek(2) on a directory: to where a readdir once stood. */
static inline int64_t dots_seek(struct file *f, int64_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += f->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	f->pos = offset;
	return offset;
}
