/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the manager.  Every call is a connection of its own; the first one
 * starts the manager when none runs.
 */
#pragma once

#include "admin/paths.h"
#include "admin/reply.h"

struct client_call {
	const char *method;   /* "admin.vm.List" */
	const char *argument; /* or NULL */
	const char *target;   /* NULL: dom0 */
	struct span payload;
};

/*
 * What came back.  `bytes` holds the answer; its part behind the kind is `data`,
 * which has a NUL behind its end.  `fd` is the descriptor that came along, for
 * methods bento.* that give one, or -1.
 */
struct client_answer {
	struct buffer bytes;
	struct span data;
	char type[REPLY_TYPE_MAX + 1]; /* of the exception; else "" */
	int fd;
};

/*
 * Asks and waits for the answer.  Returns 0; -EREMOTEIO when the manager
 * refused: the fault has its message and out->type the kind, such as
 * "QubesVMNotFoundError"; -ECONNRESET when it closed without an answer; or
 * another negative errno when it could not be reached.  Call client_answer_fini()
 * in every case.
 */
must_check int client_ask(const struct paths *p, const struct client_call *c,
                          struct client_answer *out, struct fault *f);

void client_answer_fini(struct client_answer *a);

#define autoanswer __attribute__((cleanup(client_answer_fini)))

/*
 * Asks for a call that sends more than fits into a request (the Import
 * methods): connects, sends all but the payload, and returns the socket. The
 * caller writes the payload and then calls client_finish().
 */
must_check int client_begin(const struct paths *p, const struct client_call *c,
                            struct fault *f);

/* Shuts our side down and reads the answer, as client_ask() returns it. */
must_check int client_finish(int sock, struct client_answer *out,
                             struct fault *f);

/* A stream of events, from admin.Events. */
struct client_events {
	int sock; /* -1: not open; may be polled */
	struct buffer bytes;
	size_t used; /* by the event given out last */
};

/*
 * Opens the stream for `target` ("dom0": events of everything).  When it
 * returns 0, all that happens from now on will be in the stream.
 */
must_check int client_watch(const struct paths *p, const char *target,
                            struct client_events *out, struct fault *f);

/*
 * Waits for the next event.  1 and *out, which lasts until the next call; 0
 * when the manager has gone; or a negative errno.
 */
must_check int client_next(struct client_events *e, struct reply_event *out,
                           struct fault *f);

void client_events_fini(struct client_events *e);

/*
 * Connects to the manager's socket, starting the manager if none answers.
 * A stream socket, or a negative errno.
 */
must_check int client_connect(const struct paths *p, struct fault *f);

/* The same, but a manager that does not run is -ESRCH. */
must_check int client_connect_running(const struct paths *p, struct fault *f);
