/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels between two domains as sockets: vchan.SERVER.CLIENT.PORT.sock in the
 * current folder. The server listens, the client connects, in whatever order
 * they come; the client tries until it is there.
 *
 * Only root and our own user may be on the other side.
 */
#pragma once

#include "base/fault.h"
#include "gateway/gwpoll.h"

#define GWCHAN_NAME_MAX 64u
#define GWCHAN_RETRY_MS 10
#define GWCHAN_WAIT_MS  60000

struct gwchan {
	char name[GWCHAN_NAME_MAX];
	int listener; /* -1: we are the client */
	int64_t until_ms;
	size_t at;
};

struct gwchan_ends {
	uint32_t server;
	uint32_t client;
	uint32_t port;
};

/*
 * Begins to wait for the other side: as the server, or as the client; at most
 * GWCHAN_WAIT_MS, or for ever. 0 or a negative errno.
 */
must_check int gwchan_listen(struct gwchan *c, const struct gwchan_ends *e,
                             bool for_ever, struct fault *f);
void gwchan_connect(struct gwchan *c, const struct gwchan_ends *e,
                    bool for_ever);

/* Takes the socket's name away. */
void gwchan_fini(struct gwchan *c);

void gwchan_poll(struct gwchan *c, struct gwpoll *p);

/* A connected socket; -EAGAIN: not yet; -ETIMEDOUT; or another errno. */
must_check int gwchan_step(struct gwchan *c, const struct gwpoll *p);

/* Any of our listening sockets: a name in the current folder. */
must_check int gwchan_bind(const char *name, struct fault *f);

/* Accepts one who may be there: a socket; -EAGAIN: nobody. */
must_check int gwchan_accept(int listener);

/* Connects to a socket by its path, and looks who listens. */
must_check int gwchan_reach(const char *path);
