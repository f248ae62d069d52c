/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work on volumes that may take long: done in a process of its own, so that
 * others are answered meanwhile.
 *
 * The spawner starts it (manager/spawner.h), and it dies with that.  It holds the
 * manager's lock as long as it lives, so that no next manager begins while it still
 * writes.  It has the folder of volumes, what its order says, and no more
 * (manager/confine.h).
 */
#pragma once

#include "manager/chore.h"

/*
 * What a worker reports, at last: a negative errno and why, or 0 and an answer.
 * Before that, now and then, how far it is.
 */
#define WORKER_GOES_ON 1

struct worker_said {
	int32_t err; /* or WORKER_GOES_ON, with the numbers */
	uint64_t done, all;
	char text[sizeof(((struct fault *)0)->text)];
};

/* In the manager, when it has ended. */
typedef void worker_done(struct manager *m, void *what, int err,
                         const struct fault *f);

/*
 * Starts it.  `what` is from malloc() and freed behind `done`; when this fails,
 * it stays the caller's.  0 or a negative errno.
 */
must_check int worker_start(struct manager *m, const struct chore *work,
                            worker_done *done, void *what, struct fault *f);

/*
 * How far the worker is that copies the volumes of this qube.  False: there is
 * none, or it has not said.
 */
bool worker_progress(const struct manager *m, const char *from, uint64_t *done,
                     uint64_t *all);

must_check int worker_create_all(struct manager *m, struct fault *f);

/* Forgets those that still work: they end with the spawner. */
void worker_destroy_all(struct manager *m);
