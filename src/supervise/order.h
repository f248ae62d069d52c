/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders to a kernel that need more than a message: to run a program.
 */
#pragma once

#include "base/fault.h"
#include "channel/job.h"
#include "supervise/streams.h"

/* memfile_make(), with the sentence for a person. */
must_check int order_file(const char *name, const void *bytes, size_t size,
                          struct fault *f);

/*
 * Asks the kernel behind `control` to run a program, whose number on this
 * connection is `id`, not 0.  `s` has its streams (streams_open()) and stays
 * the caller's.  0 or a negative errno; the answer is a message `started`
 * or `failed`.
 */
must_check int order_run(int control, uint64_t id, const struct job *j,
                         const struct streams *s, struct fault *f);
