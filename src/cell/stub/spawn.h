/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New processes and threads.
 *
 * The kernel prepares the record of the child, the host makes it: a fork copies
 * this cell and gets a channel of its own, mapped in the window that is not in
 * use; a thread, or a vfork child, is one more host thread in this cell with
 * the next free slot.
 *
 * Each returns what the call returns, in parent and child; `c` is the caller's
 * frame, which a fork's child changes for itself.
 */
#pragma once

#include "cell/stub/area.h"

long spawn_clone(struct area *a, struct context *c, const uint64_t arg[6]);
long spawn_fork(struct area *a, struct context *c);
long spawn_vfork(struct area *a, struct context *c);

/* The host's flags for a new cell: also how the zygote makes one. */
#define SPAWN_CELL_FLAGS                                                   \
	(0x00008000u /* CLONE_PARENT */ | 0x01000000u /* CHILD_SETTID */ | \
	 0x00200000u /* CHILD_CLEARTID */)

/* And for a new thread of this cell. */
#define SPAWN_THREAD_FLAGS                                        \
	(0x100u /* VM */ | 0x200u /* FS */ | 0x400u /* FILES */ | \
	 0x800u /* SIGHAND */ | 0x10000u /* THREAD */ |           \
	 0x40000u /* SYSVSEM */ | 0x100000u /* PARENT_SETTID */ | \
	 0x200000u /* CHILD_CLEARTID */)

/* A child of clone(SPAWN_CELL_FLAGS) takes its descriptors and says hello. */
void spawn_become_cell(int32_t sock, int32_t bell);
