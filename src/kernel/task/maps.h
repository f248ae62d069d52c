/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mappings of a process, for /proc/PID/maps.
 *
 * The host keeps the list; the jail keeps us from it, so our owner opens the
 * cell's file for us.  What is ours in the cell is left out, and names of the
 * host that mean nothing inside are cut.
 */
#pragma once

#include "kernel/task/process.h"

/*
 * Reads the list for `t`, who asks.  Returns 0 and memory the caller frees
 * (empty for process 1), -EWAIT while it is under way, or a negative errno.
 */
must_check long maps_read(struct task *t, struct process *p, char **text,
                          size_t *size);

/* Where the program's stack and heap began, as its cell says; or 0. */
void maps_places(const struct process *p, uint64_t *stack, uint64_t *heap);

/*
 * Makes the guest's list of the host's.  `stack` and `heap` are addresses in
 * mappings to be marked, 0 for none.  Returns memory the caller frees, or NULL.
 */
must_check char *maps_translate(const char *host, uint64_t stack, uint64_t heap,
                                size_t *size);
