/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cell says about its mappings; the list itself is the host's, see
 * kernel/fs/proc_maps.h.
 */
#pragma once

#include "kernel/task/process.h"

/* Where its auxiliary vector is; 0: nobody knows. */
uint64_t maps_auxv(const struct process *p);

/* Where the program's stack and heap began, as its cell says; or 0. */
void maps_places(const struct process *p, uint64_t *stack, uint64_t *heap);
