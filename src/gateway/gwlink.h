/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection that carries messages of qrexec, control or data.
 *
 * Both sides begin with HELLO. What comes is kept until it is a whole message;
 * what goes is kept until the other side takes it. Nothing here waits.
 */
#pragma once

#include "gateway/gwpoll.h"
#include "qrexec/qrmsg.h"

/* What may wait to be sent before we stop making more. */
#define GWLINK_BEHIND_MAX (4u * QRMSG_CHUNK_MAX)

struct gwlink {
	int fd;           /* -1: none */
	uint32_t version; /* 0: their HELLO has not come */
	struct buffer in;
	struct buffer out;
	bool ended; /* nothing more will come */
	size_t at;
};

/* Begins on a connected stream socket, which is taken over. */
void gwlink_init(struct gwlink *l, int fd);
void gwlink_fini(struct gwlink *l);

void gwlink_poll(struct gwlink *l, struct gwpoll *p, bool read);

/* Moves bytes, by what gwlink_poll() waited for. 0, or a negative errno. */
must_check int gwlink_step(struct gwlink *l, const struct gwpoll *p);

/*
 * The next whole message that is not HELLO. 1, and the body lies in l->in until
 * gwlink_taken(); 0 when there is none yet; -ECONNRESET when there will be none;
 * -EPROTO when the other side does not keep to the protocol.
 */
must_check int gwlink_next(struct gwlink *l, struct qrmsg_header *h,
                           struct span *body);
void gwlink_taken(struct gwlink *l, const struct qrmsg_header *h);

/* May more be put into l->out? */
bool gwlink_room(const struct gwlink *l);
