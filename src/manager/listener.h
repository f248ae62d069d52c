/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager's socket and its connections.
 *
 * A connection brings one request, whole when the other side has shut down its
 * half, and gets one answer; or it becomes a stream of events.  What is not a
 * request, or too long, or comes from another user, closes it and nothing else.
 * A listener that does not read is cut off when LISTENER_BEHIND_MAX bytes wait
 * for it.
 */
#pragma once

#include "manager/call.h"
#include "manager/reactor.h"

#define LISTENER_BEHIND_MAX ((size_t)4 << 20)
#define LISTENER_CONNS_MAX  4096u

struct events;
struct listener;

/*
 * Accepts connections of a listening socket, which is taken over.  0 or a
 * negative errno.
 */
must_check int listener_create(struct manager *m, int sock,
                               struct listener **out, struct fault *f);
void listener_destroy(struct listener *l);

/* Of calls by qubes: at once, and of one qube. */
#define LISTENER_VETTED_MAX 256u
#define LISTENER_SOURCE_MAX 16u

/*
 * Serves a request that a qube makes, and that the policy has allowed: `head` is
 * all of it but its payload, which comes from the stream `in` up to its end.  The
 * answer goes to `out`, and an exit status to `status`.  All three are taken over
 * in any case.  0; -EBUSY: there are too many; or another negative errno.
 */
must_check int listener_vetted(struct listener *l, struct span head, int in,
                               int out, int status);

/* Has the policy allowed what this connection asks?  Else it is dom0's own. */
bool listener_is_vetted(const struct conn *conn);

/* Notes the call that the connection waits for; it is forgotten with it. */
void listener_set_call(struct conn *c, struct call *call);

/* Sends an answer and closes.  `fd` is taken over; -1: none. */
void listener_answer(struct conn *conn, struct span wire, int fd);

/*
 * The socket of a connection whose request is a STREAM: all behind the head of
 * the request is still in it.  It stays the connection's.
 */
must_check int listener_socket(const struct conn *conn);

/*
 * Answers a STREAM with nothing, at once, and lets go of the connection, which is
 * somebody else's then, by a duplicate of its socket.  0 or a negative errno.
 */
must_check int listener_give(struct conn *conn);

/*
 * Makes the connection a stream.  With `stats` it gets only vm-stats events,
 * else all others; about `subject`, or about everything if that is "".
 */
void listener_stream(struct conn *conn, struct events *e, const char *subject,
                     bool stats);

/* Tells a stream of an event, if it is one of those it wants. */
void listener_tell(struct list *at, const char *subject, const char *name,
                   struct span wire);

/* Is there a stream of vm-stats? */
bool listener_wants_stats(const struct events *e);
