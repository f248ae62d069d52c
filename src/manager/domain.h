/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Qubes that run, or are about to, or no longer.
 *
 *	Halted -> Transient -> Running <-> Paused
 *	                          |
 *	                       Halting -> Halted
 *
 * A domain is in memory only: what it stands for is the kernel's own socket,
 * runtime/qubes/NAME.sock.  A new manager finds the qubes of a former one by
 * connecting to what lies there (domain_adopt()).  Kernels outlive us; we
 * believe nothing they say but fixed messages (channel/control.h).
 */
#pragma once

#include "manager/call.h"

struct domain;
struct domains;

enum domain_state {
	DOMAIN_HALTED,
	DOMAIN_STARTING,
	DOMAIN_RUNNING,
	DOMAIN_PAUSED,
	DOMAIN_HALTING,
};

/* "Halted", "Transient", "Running", "Paused", "Halting". */
const char *domain_state_name(enum domain_state state);

/* The same of any qube; of dom0 "Running", of a RemoteVM, which we cannot know, "NA". */
const char *domain_shown(const struct manager *m, const struct qube *q);

must_check int domain_create_all(struct manager *m, struct fault *f);
void domain_destroy_all(struct manager *m);

/*
 * Finds the qubes that a former manager started, removes disposables that ended
 * meanwhile, and starts those with `autostart` that do not run.  0 or a
 * negative errno.
 */
must_check int domain_adopt(struct manager *m, struct fault *f);

enum domain_state domain_state(const struct manager *m, uint32_t id);

/* Seconds since 1970, or 0 when it is halted. */
int64_t domain_start_time(const struct manager *m, uint32_t id);

/*
 * What a call wants of a qube.  Each returns 0 when that is done, CALL_LATER when
 * the call will be finished, or what call_fail() returned.  A transaction must be
 * open: reads only.
 */
must_check int domain_start(struct call *c);
must_check int domain_connect(struct call *c, bool start);
must_check int domain_shutdown(struct call *c, bool force, bool wait);
must_check int domain_kill(struct call *c);
must_check int domain_pause(struct call *c, bool pause);
must_check int domain_stat(struct call *c);
must_check int domain_stats_all(struct call *c);
must_check int domain_console(struct call *c);

/*
 * Somebody who waits for a qube to run, but is no call of the Admin API.  `done`
 * comes once, never at once: NULL, or why it does not run.  Out of its list it is
 * not told.
 */
struct domain_waiter {
	struct list link;
	void (*done)(struct domain_waiter *w, const char *why);
	uint32_t id; /* the qube's; set by domain_want() */
};

/*
 * Has a qube run, in a transaction that reads.  1: it does; 0: `w`, whose link is
 * in no list, will be told; or a negative errno and why not.  `caller` is the name
 * of the qube whose call wants that: where a volume is locked, the user is asked
 * for its passphrase, and told that name.  NULL: nobody is asked.
 */
must_check int domain_want(struct manager *m, const struct qube *q,
                           const char *caller, struct domain_waiter *w,
                           struct fault *f);

/* Takes `w` out of whatever list it is in: nobody needs to be asked for it. */
void domain_unwant(struct manager *m, struct domain_waiter *w);

/* The keyring has one more key: what waits for that goes on with its start. */
void domain_unlock_keys(struct manager *m);

/* Ends a qube at once that nobody wants any more, also while it starts. */
void domain_end(struct manager *m, uint32_t id);

/* Has the handler of a call run again when a qube that is up has ended. */
void domain_wait_end(struct call *c, uint32_t id);

/* A disposable that was made for a call stays until somebody ends it. */
void domain_keep(struct manager *m, uint32_t id);

/*
 * Notes for which qube's call a disposable was made; and how many there are of
 * one qube's calls.
 */
void domain_set_caller(struct manager *m, uint32_t id, uint32_t caller);
uint32_t domain_count_made(const struct manager *m, uint32_t caller);

/* Its connection for calls has gone (manager/trunk.h). */
void domain_trunk_closed(struct manager *m, uint32_t id);

/* Makes vm-stats events while somebody listens to them. */
void domain_stats_wanted(struct manager *m);
