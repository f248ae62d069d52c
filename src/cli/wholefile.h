/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of the user's, read to its end.
 */
#pragma once

#include "base/buffer.h"
#include "base/fault.h"

/*
 * Adds the file's bytes, "-": those of standard input, to the buffer.  0;
 * -EFBIG for more than `max`, or another negative errno; and why.
 */
must_check int wholefile_read(const char *path, size_t max, struct buffer *to,
                              struct fault *f);
