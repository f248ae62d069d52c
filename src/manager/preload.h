/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disposables that are started before they are wanted, so that a call to one
 * need not wait for that.
 *
 * The feature preload-dispvm-max of a template for disposables says how many are
 * kept ready (none; for the global default_dispvm also that of dom0, which comes
 * first); preload-dispvm-delay, in seconds (3), how long after one was taken the
 * next is made; preload-dispvm-threshold, in MiB (0), how much memory of the
 * machine must be free for that.  Both others may be dom0's as well.
 *
 * One that is ready was never used, and is used once.  A later manager makes its
 * own: those of an earlier one end (manager/trunk.h).
 */
#pragma once

#include "base/fault.h"
#include "manager/qube.h"

struct manager;
struct preloads;

must_check int preload_create_all(struct manager *m, struct fault *f);
void preload_destroy_all(struct manager *m);

/*
 * Takes one of this template that runs.  0 and *out, which is the caller's to
 * use; or -ENOENT.
 */
must_check int preload_take(struct manager *m, const char *template_uuid,
                            struct qube *out);

/* Features or qubes may have changed: looks at them soon. */
void preload_look(struct manager *m);

/* Is this one that waits to be taken?  Nobody else is to call it. */
bool preload_is_waiting(const struct manager *m, uint32_t id);
