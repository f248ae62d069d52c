/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders to a kernel that need more than a message: to run a program, or to give
 * us one that runs.
 */
#pragma once

#include "base/fault.h"
#include "channel/job.h"
#include "supervise/streams.h"

/* memfile_make(), with the sentence for a person. */
must_check int order_file(const char *name, const void *bytes, size_t size,
                          struct fault *f);

/* What is to be run, or had, and how. */
struct order {
	uint64_t id;           /* on this connection; not 0 */
	const struct job *job; /* to run it ... */
	uint32_t flags;        /* ... with CONTROL_RUN_* */
	uint32_t pid;          /* or else: to have this one */
	uint16_t rows, columns;
	bool confined; /* we have no host call for our limits, and raised ones */
};

/*
 * Asks the kernel behind `control`.  `s` has the program's streams
 * (streams_open(), streams_attach()) and stays the caller's.  0 or a negative
 * errno; the answer is a message `started` or `failed`.
 */
must_check int order_run(int control, const struct order *o,
                         const struct streams *s, struct fault *f);
must_check int order_attach(int control, const struct order *o,
                            const struct streams *s, struct fault *f);
