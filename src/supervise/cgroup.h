/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cgroup (v2) for each qube, where the host has delegated one to us: all host
 * processes of the qube are in it from their first moment.
 *
 * It is the outer wall.  The kernel keeps its own accounts and refuses first
 * (kernel/task/memory.h); the cgroup's limits are somewhat larger, and catch what
 * grows faster than the kernel looks, and processes that a guest makes behind the
 * kernel's back.  The host ends one of the qube's processes then, the largest cell,
 * and nobody else's.  When the qube ends, what is left in its cgroup is killed.
 *
 * It is made below the nearest cgroup, ours or above it, that we may write to and
 * that passes these controllers on to those below it; with none of these, below
 * the nearest that we may write to, and then it limits nothing.
 */
#pragma once

#include "base/base.h"

#define CGROUP_MEMORY 1u
#define CGROUP_PIDS   2u

struct cgroup {
	int parent;    /* -1: there is none; else all of these are open */
	int dir;       /* for clone3(2); -1 once cgroup_settle() was called */
	int kill;      /* its cgroup.kill; -1: this host has none */
	int events;    /* its cgroup.events */
	char name[32]; /* in `parent` */
};

#define CGROUP_NONE                                               \
	{                                                         \
		.parent = -1, .dir = -1, .kill = -1, .events = -1 \
	}

/*
 * Makes one with room for a qube of that much memory, in bytes, and that many
 * tasks; or there is none, which is no error.
 */
void cgroup_make(struct cgroup *g, uint64_t memory, uint32_t tasks);

/* The qube is in it: what else it is wanted for stays open. */
void cgroup_settle(struct cgroup *g);

/* The qube has ended: kills what is left in it, and removes it. */
void cgroup_end(struct cgroup *g);

/* Does that for those whose makers have gone without it. */
void cgroup_sweep(void);

/* What a cgroup would limit here: of CGROUP_*; or -1: there would be none. */
int cgroup_probe(void);

/*
 * Where one could be made: a folder, for reading; or -1.  `mount` is where the
 * hierarchy is seen, `ours` our own cgroup in it ("/a/b"); *limits is of CGROUP_*.
 */
must_check int cgroup_find(const char *mount, const char *ours,
                           uint32_t *limits);
