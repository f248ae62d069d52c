/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a qube is started with: from its records to a launch record and the
 * descriptors that go with it.
 *
 *	programs        the image of its TemplateVM, if there is a template image
 *	                of that name, else the machine's own; under a root
 *	                volume what that keeps (manager/rootbase.h)
 *	AppVM, DispVM   /  programs, under what is volatile; or
 *	                   under a snapshot of its template's root, if that
 *	                   ever ran
 *	TemplateVM,     /  programs, under its root volume
 *	StandaloneVM
 *	all with a private volume: that at /rw, /rw/home at /home and
 *	/rw/usrlocal at /usr/local
 */
#pragma once

#include "manager/chore.h"
#include "manager/manager.h"
#include "manager/qube.h"

struct plan;

/* What a qube cannot start without: the key of a volume. */
struct plan_lock {
	char qube[QUBE_NAME_MAX + 1]; /* whose volume it is */
	char uuid[QUBE_UUID_SIZE];
	char volume[CHORE_VOLUME_SIZE];
	enum header_lock how;
	uint8_t id[16]; /* the key's, in the keyring */
};

/*
 * In a transaction.  0 and *out, or a negative errno and why not: -EKEYREJECTED
 * and *lock for the first volume that is locked.
 */
must_check int plan_create(struct manager *m, const struct qube *q,
                           struct plan **out, struct plan_lock *lock,
                           struct fault *f);

/* Accepts NULL. */
void plan_destroy(struct plan *p);

/*
 * Must snapshots or revisions be made first, or what others make snapshots of?
 * That is for a worker, as plan_work() says; at the end plan_discard() removes
 * snapshots.
 */
bool plan_needs_work(const struct plan *p);
void plan_work(const struct plan *p, struct chore *w);
void plan_discard(const struct manager *m, const struct plan *p);

struct spawned;

/*
 * Starts it, with its door in runtime/qubes and its log in state/log/NAME.log.  0
 * or a negative errno.
 */
must_check int plan_start(struct manager *m, struct plan *p,
                          struct spawned *out, struct fault *f);

/* Removes the log and the door of a qube that is no more. */
void plan_forget(struct manager *m, const char *name);
