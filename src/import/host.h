/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's own programs as an archive: the folders that qubes without a
 * template see, with what everyone may read of them.
 */
#pragma once

#include "base/base.h"

/*
 * Writes those of a root, "/", to `fd`, and stays in that folder.  0, or -EIO
 * after saying why on standard error.
 */
must_check int host_write(const char *root, int fd);
