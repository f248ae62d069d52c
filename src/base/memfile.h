/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory files: bytes for another process, handed over as a descriptor.
 *
 * They are sealed, so that whoever has the descriptor can read them and nothing
 * else.  A reader insists on the seals: only a memory file of Linux has them, and
 * so a stranger cannot pass off a file that makes its reader wait (one of a
 * network, or of a server of the stranger's own) or that changes while it is read.
 */
#pragma once

#include "base/base.h"
#include "base/span.h"

/*
 * A sealed memory file of those bytes, at its beginning.  `name` shows in /proc
 * only.  A descriptor, which the caller owns, or a negative errno.
 */
must_check int memfile_make(const char *name, struct span bytes);

/*
 * Reads all of a sealed memory file into *bytes, which the caller frees, without
 * moving its position.  0; -EPROTO where it is no such file, is empty, or has more
 * than `max` bytes; -ENOMEM.
 */
must_check int memfile_read(int fd, size_t max, uint8_t **bytes, size_t *size);
