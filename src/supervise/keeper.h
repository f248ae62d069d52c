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

/*
 * Makes the caller, a process of one thread, the keeper of a kernel that it
 * starts.  s->record.flags has LAUNCH_LISTEN (supervise/door.h); what the kernel
 * has to say goes to `log`.  `report` becomes readable when the qube is there, or
 * will not be; all else it holds is closed.
 */
_Noreturn void keeper_become(struct start *s, int log, int report);

/*
 * Waits for the report, unless it can be read already, and closes it.  0 when
 * the qube is there, or a negative errno and why not.
 */
must_check int keeper_hear(int report, struct fault *f);
