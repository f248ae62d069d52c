/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager's connection for calls to the kernel of one qube that runs
 * (channel/callmsg.h), beside the one for orders.
 *
 * What a kernel says is checked for its form here and handed to the broker.  A
 * kernel that says what no kernel of ours does loses this connection, and with
 * it its calls, but nothing else.  What its socket does not take is kept, up
 * to a bound, and never waited for.
 */
#pragma once

#include "base/fault.h"
#include "channel/callmsg.h"
#include "manager/domain.h"
#include "manager/qube.h"
#include "manager/reactor.h"

struct manager;

#define TRUNK_KEPT_MAX    8192u /* messages that wait for a kernel to read */
#define TRUNK_STREAMS_MAX 256u  /* ... of those with streams */
#define TRUNK_FULL        16u   /* from so many on, others should wait */
#define TRUNK_EARLY_MAX   16u   /* undecided calls that have their streams */

struct trunk {
	struct list link; /* in manager.trunks */
	struct manager *m;
	uint32_t id; /* of the qube */
	char name[QUBE_NAME_MAX + 1];
	char uuid[QUBE_UUID_SIZE];
	bool once; /* it was made for one call, and goes with it */
	bool adopted;
	struct reactor_watch watch;
	struct list kept;
	uint32_t kept_count, kept_streams;
	struct list comers; /* of struct domain_waiter: for it to have room */
	uint64_t ahead;     /* number of the streams that wait there; 0: none */
	int far[CALLMSG_STREAMS]; /* their other ends */
	uint32_t serves; /* while `once`: that it has not said to be over */
	/* The broker's: calls it has asked for, and how much room they take. */
	struct list calls;
	uint32_t count;
	uint32_t early; /* of these, with streams */
	size_t size;
};

/*
 * Makes a connection, which is taken over, the one for calls.  `adopted`: the
 * qube was started by an earlier manager.  0 and *out, or a negative errno.
 */
must_check int trunk_open(struct manager *m, const struct trunk *what, int fd,
                          struct trunk **out, struct fault *f);

/* Its calls are forgotten.  NULL will do. */
void trunk_close(struct trunk *t);

/* NULL: no such qube runs and takes calls. */
struct trunk *trunk_find(const struct manager *m, const char *uuid);

/*
 * Should what has streams wait until it has read some?  Then trunk_wait(), whose
 * waiter is told when it has, or why that will never be.
 */
bool trunk_is_full(const struct trunk *t);
void trunk_wait(struct trunk *t, struct domain_waiter *w);

/*
 * Answers a call; the streams are taken over.  NULL: it has its streams.  `early`: the
 * next one may begin before it is answered, unless many are at that.
 */
void trunk_allowed(struct trunk *t, uint64_t id, int streams[CALLMSG_STREAMS],
                   bool early);
void trunk_refused(struct trunk *t, uint64_t id);

/*
 * The other ends of the streams a call came with, which are the caller's then;
 * all -1 for number 0.  False: there are no such streams.
 */
must_check bool trunk_take_ahead(struct trunk *t, uint64_t number,
                                 int far[CALLMSG_STREAMS]);

/*
 * Has the qube serve a call; the streams are taken over in any case.  0, or
 * -EBUSY: it does not keep up with those it has; -EINVAL for names that are
 * none; or another negative errno.
 */
must_check int trunk_serve(struct trunk *t, const struct callmsg *what,
                           int streams[CALLMSG_STREAMS]);
