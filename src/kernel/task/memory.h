/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of the qube as a whole.
 *
 * Guests map and fault without asking us, so what they use is looked at, not
 * counted: a few times a second, while guest code runs, the host is asked how
 * many pages each cell has for itself.  When these and what the kernel charges
 * itself (core/limits.h) exceed the qube's limit, the process with the most is
 * killed, as Linux does when a memory cgroup is full.  One process alone is
 * kept below the limit by RLIMIT_DATA, and gets -ENOMEM.
 */
#pragma once

#include "kernel/task/cells.h"

/* Starts watching.  0 or -ENOMEM. */
must_check int memory_create(struct kernel *k);
void memory_destroy(struct kernel *k);

/* Guest code runs: looks again soon.  Cheap. */
void memory_active(struct kernel *k);

/* Bytes of kernel and cells together, as far as the host has told. */
uint64_t memory_used(struct kernel *k);

/* A cell goes: frees what was remembered about it. */
void memory_forget(struct cell *c);

/*
 * Reads the text of /proc/PID/statm.  0 and the pages that only this process
 * has, or -EPROTO.
 */
must_check int memory_parse(const char *text, uint64_t *pages);
