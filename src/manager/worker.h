/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work on volumes that may take long: done in a child of the manager, so that
 * others are answered meanwhile.
 *
 * The child dies with the manager.  It holds the manager's lock as long as it
 * lives, so that no next manager begins while it still writes.  It may use what
 * the manager had in memory when it was started, but never the ledger.
 */
#pragma once

#include "manager/manager.h"

/* In the child.  0 or a negative errno and why. */
typedef int worker_work(const struct manager *m, const void *what,
                        struct fault *f);

/* In the manager, when it has ended. */
typedef void worker_done(struct manager *m, void *what, int err,
                         const struct fault *f);

/*
 * Starts it.  `what` is from malloc() and freed behind `done`; when this fails,
 * it stays the caller's.  0 or a negative errno.
 */
must_check int worker_start(struct manager *m, worker_work *work,
                            worker_done *done, void *what, struct fault *f);

must_check int worker_create_all(struct manager *m, struct fault *f);

/* Ends those that still work. */
void worker_destroy_all(struct manager *m);
