/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call that has been allowed, on its way to where it is served.
 *
 * One to a RemoteVM, a qube of another machine, goes to its relayvm, as
 *
 *	transport_rpc+remote_name+SERVICE+ARGUMENT
 *
 * which that qube serves by whatever leads to the other machine.  The policy has
 * decided about the RemoteVM, and is not asked about the relay.
 *
 * The target is started if it does not run, or made if it is to be a disposable,
 * without anybody else waiting; then the streams are made, one half goes to
 * the target, the other to whoever began the route.  From then on it needs no
 * manager.
 */
#pragma once

#include "base/fault.h"
#include "channel/callmsg.h"
#include "manager/domain.h"

/* Disposables that calls of one qube have; more such calls are refused. */
#define ROUTE_NEW_MAX 64u

enum route_kind {
	ROUTE_DOM0, /* the user's own session */
	ROUTE_QUBE,
	ROUTE_REMOTE, /* a RemoteVM: its relay, which carries the call on */
	ROUTE_NEW,    /* a disposable, for this call only */
};

/* Embedded by its owner, who fills in what is above the line and keeps it. */
struct route {
	enum route_kind kind;
	char uuid[QUBE_UUID_SIZE]; /* the qube's; the disposable's template's */
	bool start;                /* if it does not run */
	struct callmsg what;       /* as the target is told; no user: its own */
	struct trunk *from;        /* who called; NULL: the user */
	int *far; /* ends of streams that were made before; NULL: there are none */
	/*
	 * Comes once, later or at once: with streams, which are the owner's then
	 * (all -1: of those made before), or NULL and why not.
	 */
	void (*done)(struct route *r, int streams[CALLMSG_STREAMS],
	             const char *why);

	/* ---- */
	struct manager *m;
	struct domain_waiter waiter;
	uint32_t made;                   /* the disposable's number, or 0 */
	char user[CALLMSG_NAME_MAX + 1]; /* the target's default_user */
	struct buffer service;           /* what a relay is asked for */
};

void route_begin(struct manager *m, struct route *r);

/* Nobody wants it any more: `done` does not come.  A disposable of it goes. */
void route_cancel(struct route *r);
