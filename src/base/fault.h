/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentence for the person, beside the negative errno for the program.
 *
 * Functions of daemons and commands that can fail take a `struct fault *` as
 * their last parameter and write it only on failure.
 */
#pragma once

#include "base/base.h"

struct fault {
	char text[512];
};

/* Writes the sentence and returns `err`, which is a negative errno. */
must_check int fault_set(struct fault *f, int err, const char *fmt, ...)
	printf_like(3);

/*
 * Writes the sentence followed by ": " and the meaning of errno; returns
 * -errno.  Call it on the line after the host call that failed.
 */
must_check int fault_errno(struct fault *f, const char *fmt, ...)
	printf_like(2);
