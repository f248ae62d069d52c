/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that go through a gateway, at most QRMSG_CONNECTIONS at once. Each
 * asks the manager for the streams of its service, if it is one for a qube of
 * ours; then waits for the data channel; then carries bytes.
 */
#pragma once

#include "gateway/gwask.h"
#include "gateway/gwchan.h"

enum gwcalls_state {
	GWCALLS_FREE,
	GWCALLS_ASKING,
	GWCALLS_JOINING,
	GWCALLS_RUNNING,
};

struct gwcalls_one {
	enum gwcalls_state state;
	uint32_t domain; /* the other side, as it is named when it is over */
	uint32_t port;
	struct gwchan_ends ends;
	bool just_start; /* without streams: over once it is started */
	struct gwask ask;
	struct gwchan chan;
	struct gwdata data;
};

struct gwcalls {
	struct gwcalls_one one[QRMSG_CONNECTIONS];
	void (*over)(void *ctx, uint32_t domain, uint32_t port);
	void *ctx;
};

/*
 * A service of one of our qubes, for whom waits on the channel as its server.
 * What goes wrong is told there by an exit code. False: too many calls.
 */
must_check bool gwcalls_serve(struct gwcalls *c, uint32_t domain,
                              const struct gwchan_ends *ends,
                              const char *manager,
                              const struct gwask_call *call, bool just_start);

/* A code and no service; the same otherwise. */
must_check bool gwcalls_refuse(struct gwcalls *c, uint32_t domain,
                               const struct gwchan_ends *ends, uint32_t code);

/*
 * A caller's streams, taken over in any case, for a service on the other side;
 * we are the channel's server.
 */
must_check bool gwcalls_join(struct gwcalls *c, uint32_t domain,
                             const struct gwchan_ends *ends,
                             const int streams[GWDATA_STREAMS]);

void gwcalls_poll(struct gwcalls *c, struct gwpoll *p);
void gwcalls_step(struct gwcalls *c, const struct gwpoll *p);

/* All are over; nobody is told. */
void gwcalls_drop(struct gwcalls *c);
