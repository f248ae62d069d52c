/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host says about the process behind a cell.  The kernel cannot reach
 * the host's /proc; whoever started it opens the file, which takes a moment.
 */
#pragma once

#include "kernel/fs/pseudo.h"

enum proc_cell_file { PROC_CELL_MAPS, PROC_CELL_STATM };

/*
 * Appends the host's text about the process of the context.  0; -EWAIT while
 * it is asked for; -ENOENT when it cannot be had: there is no such cell, or
 * nobody to ask.
 */
must_check long proc_cell_read(const struct pseudo_ctx *c,
                               enum proc_cell_file file, struct text *out);
