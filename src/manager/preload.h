/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disposables that are started before they are wanted, so that whoever wants
 * one, by a call or by CreateDisposable, need not wait for that.
 *
 * The feature preload-dispvm-max of a template for disposables says how many are
 * kept ready (none; for the global default_dispvm also that of dom0, which comes
 * first); preload-dispvm-delay, in seconds (3), how long after one was taken the
 * next is made; preload-dispvm-threshold, in MiB (0), how much memory of the
 * machine must be free for that.  Both others may be dom0's as well.
 *
 * One that is ready was never used, and is used once.  When its template changes,
 * or what that is a template's, another takes its place.  A later manager makes
 * its own: those of an earlier one end (manager/trunk.h).
 */
#pragma once

#include "manager/call.h"

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

/*
 * A qube is not what it was: its volumes or properties.  What was made of it
 * before is replaced.  NULL: a global property, whose value any may inherit.
 */
void preload_changed(struct manager *m, const char *uuid);

/*
 * The target of a call is to go: those of it that wait end, and no more are made.
 * 0: there are none; CALL_LATER: some do not have ended, and when one has the call's
 * handler runs again.  preload_look() if it does not go after all.
 */
must_check int preload_leave(struct call *c);

/* Is this one that waits to be taken?  Nobody else is to call it. */
bool preload_is_waiting(const struct manager *m, uint32_t id);
