/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of a volume, into it and out of it, as a tar archive.
 */
#pragma once

#include "cli/query.h"

/*
 * Fills a volume from a file of the host, "-": standard input.  `size` is what
 * the volume is resized to, NULL: it stays.  0 or a negative errno.
 */
must_check int transfer_in(struct query *a, const char *qube,
                           const char *volume, const char *file,
                           const char *size, struct fault *f);

/* Writes its contents to a file, "-": standard output. */
must_check int transfer_out(struct query *a, const char *qube,
                            const char *volume, const char *file,
                            struct fault *f);
