/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jails of the manager and of its workers: Landlock, where the host has it,
 * and the host calls of a table.  Neither can execute, connect or listen, nor
 * signal anybody but by a pidfd that the spawner gave.
 *
 *	the manager  its own folders and the user's policies; the machine's
 *	             policies to read only (manager/seccomp.def)
 *	a worker     the volumes of the qubes its order names
 *	             (manager/worker.def)
 */
#pragma once

#include "manager/chore.h"
#include "manager/manager.h"

/* Once it is about to serve.  0 or a negative errno. */
must_check int confine_manager(const struct manager *m, struct fault *f);

/*
 * In the new worker: keeps volumes, the lock, the report and the order's
 * descriptor, and closes all else.
 */
must_check int confine_worker(struct manager *m, const struct chore *w,
                              int report, struct fault *f);
