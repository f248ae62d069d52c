/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a file copy, which are those of Qubes OS.  All numbers are
 * little-endian.  The sender writes, for each file,
 *
 *	u32	size of the name with its NUL; 0: that was the last file
 *	u32	mode, as of stat(2)
 *	u64	size of the content
 *	u32 u32	time of the last access: seconds, nanoseconds
 *	u32 u32	time of the last change
 *	the name, a NUL, the content
 *
 * The content of a symbolic link is its target.  A folder has none, and is sent
 * twice: before what is in it, and behind, from where its mode and times are
 * taken.  The receiver answers once, at the end or when something fails:
 *
 *	u32	errno of Linux, 0: all has arrived
 *	u32	0
 *	u64	CRC-32, as zlib computes it, of all bytes it has taken
 *	u32	size of the name
 *	the name of the last file, without a NUL
 *
 * Old receivers leave out the last two.
 */
#pragma once

#include "base/span.h"

#define COPYWIRE_HEADER_SIZE 32u
#define COPYWIRE_RESULT_SIZE 16u
#define COPYWIRE_NAME_MAX    16383u /* with its NUL; also a link's target */

struct copywire_header {
	uint32_t name_size;
	uint32_t mode;
	uint64_t size;
	uint32_t atime, atime_nsec;
	uint32_t mtime, mtime_nsec;
};

struct copywire_result {
	uint32_t error;
	uint64_t crc;
};

void copywire_put_header(uint8_t out[static COPYWIRE_HEADER_SIZE],
                         const struct copywire_header *h);

/*
 * Reads a header and checks it: 0; -ENAMETOOLONG; -EINVAL, of a kind or with
 * times or a size that no sender has; -EFBIG.  *out is filled in any case.
 */
must_check int copywire_get_header(struct span wire,
                                   struct copywire_header *out);

void copywire_put_result(uint8_t out[static COPYWIRE_RESULT_SIZE],
                         const struct copywire_result *r);
struct copywire_result copywire_get_result(struct span wire);
