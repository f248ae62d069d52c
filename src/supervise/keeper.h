/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel that lasts, and its keeper.
 *
 * The keeper is a small process of ours, one for each such qube, in a session
 * of its own: it started the kernel, is its owner, and does for it what the
 * jail keeps a kernel from, opening files of /proc about its cells.  So a qube
 * needs neither the manager nor any client to go on.  When the keeper dies, its
 * kernel and all cells do; when the kernel ends, so does the keeper.
 *
 * A keeper is a fork of who starts it, without an exec, that closes everything
 * but its own, and gives up all host calls but those of keeper.def.  It reads
 * the fixed messages of the kernel and nothing else.
 */
#pragma once

#include "supervise/start.h"

struct keeper {
	pid_t pid;  /* a child of ours, to be waited for */
	int report; /* readable when the qube is there, or will not be */
};

/*
 * Starts a keeper and its kernel.  s->record.flags has LAUNCH_LISTEN; the
 * descriptors (supervise/door.h) stay the caller's.  What the kernel has to say
 * besides goes to `log` (borrowed).  The caller has one thread.  0, and the
 * caller owns what is in *out; or a negative errno.
 */
must_check int keeper_start(struct start *s, int log, struct keeper *out,
                            struct fault *f);

/* Makes the caller one, which reports to `report`; all else it holds is closed. */
_Noreturn void keeper_become(struct start *s, int log, int report);

/*
 * Waits for the report, unless it can be read already, and closes it.  0 when
 * the qube is there, or a negative errno and why not.
 */
must_check int keeper_hear(int report, struct fault *f);
