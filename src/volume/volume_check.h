/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checker: proves that a volume is what it ought to be.
 *
 *	records   each can be read, and is what its key says
 *	names     each leads to an inode of that type; none leads nowhere
 *	inodes    each has as many names as it says; directories have one, and
 *	          a parent in which it is; all are reached from the root
 *	objects   each regular file has one, and each object a regular file
 *	contents  of encrypted volumes, if asked for: each block is authentic
 *	sums      bytes and inodes used are those of the inodes; no number is
 *	          beyond the next one to be given
 *
 * What a crash leaves behind is set right by volume_open() and is no damage.
 */
#pragma once

#include "volume/volume.h"

#define VOLUME_CHECK_CONTENTS 1u

/* What is told of each thing that is wrong: one sentence, for a person. */
typedef void volume_check_tell(void *arg, const char *what);

struct volume_check_report {
	uint64_t inodes, names, xattrs, objects, bytes;
	uint64_t wrong; /* how often `tell` was called */
};

/*
 * Checks an open volume.  0 when it could be looked at as a whole, even if
 * something is wrong; -ENOMEM or -EIO otherwise.
 */
must_check int volume_check(struct volume *v, unsigned flags,
                            volume_check_tell *tell, void *arg,
                            struct volume_check_report *report);
