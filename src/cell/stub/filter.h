/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one seccomp filter of cells, made from cell/stub/seccomp.def.
 *
 * Calls from outside the stub's text trap, whatever they are: that is how the
 * guest's arrive.  From inside it, those of the table pass, and any other ends
 * the process.  The address routes, it does not protect: see seccomp.def.
 */
#pragma once

#include <linux/filter.h>

#include "base/base.h"

#define FILTER_MAX 320

/*
 * Writes the program for text at [lo, hi), which must not cross a multiple of
 * 4 GiB.  Returns the number of instructions, or -E2BIG.
 */
must_check int filter_build(struct sock_filter *prog, size_t room, uint64_t lo,
                            uint64_t hi);
