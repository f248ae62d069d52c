/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of a test's own, which goes with all that the test left in it.
 */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SCRATCH_ROOM 64u /* of its path */

/* Makes one, and writes its path.  0, or -1 and errno says why. */
static inline int scratch_make(char path[static SCRATCH_ROOM])
{
	static const char form[] = "/tmp/bento-unit.XXXXXX";

	memcpy(path, form, sizeof(form));
	return mkdtemp(path) ? 0 : -1;
}

/* A test may have taken our right to look into a folder. */
static inline int scratch_open(const char *path, const struct stat *st,
                               int kind, struct FTW *ftw)
{
	(void)st, (void)ftw;
	return kind == FTW_D || kind == FTW_DNR ? chmod(path, 0700) : 0;
}

static inline int scratch_drop_one(const char *path, const struct stat *st,
                                   int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

/* Removes a folder and all below it.  0 when nothing is left. */
static inline int scratch_drop(const char *path)
{
	(void)nftw(path, scratch_open, 16, FTW_PHYS);
	return nftw(path, scratch_drop_one, 16, FTW_PHYS | FTW_DEPTH);
}
