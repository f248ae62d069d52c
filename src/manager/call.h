/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of the Admin API on its way through the manager: from the request
 * to the answer.
 *
 * A handler, on_*() in a file on_*.c, finds a transaction open, of the kind its
 * row in admin/methods.def says, and the target, argument and payload checked
 * against that row.  It appends to c->answer and returns 0; or says why not
 * (call_fail() or call_fault()) and returns that; or arranges that somebody
 * calls call_finish() later, and returns CALL_LATER.  On 0 the transaction is
 * committed before the answer leaves; on an error it is dropped, with the
 * events it queued.
 */
#pragma once

#include "admin/request.h"
#include "base/list.h"
#include "manager/qube.h"

struct call;
struct conn;
struct manager;

enum exception {
#define EXCEPTION(name) EX_##name,
#include "manager/exceptions.def"
	EX_COUNT
};

const char *call_exception_name(enum exception ex);

#define CALL_LATER  1
#define CALL_STREAM 2 /* the connection is a stream of events from now on */

#define CALL_ARGUMENT_MAX REQUEST_WORD_MAX

struct call {
	struct manager *m;
	struct conn *conn; /* NULL: nobody waits for the answer any more */
	struct buffer wire;
	struct request request; /* in `wire` */
	const char *name;       /* of the method, as in the table */
	struct qube target;
	char argument[CALL_ARGUMENT_MAX + 1];
	struct buffer answer;
	int fd; /* goes along with the answer; -1: none */
	enum exception ex;
	char why[512];
	struct list waiting; /* of whoever will call call_finish() */
	uint64_t cookie;     /* of the answer it waits for */
	bool connect;        /* its answer is a connection to the kernel */
	bool pause;          /* it pauses, or else lets go on */
	bool again;          /* whoever has it is to call call_again() */
	bool vetted;         /* the policy has let a qube ask */
	bool changes;        /* what its target is started as */
};

/*
 * Takes over a connection's bytes and answers them, now or later.  Returns 0, or
 * -EPROTO when the connection is to be closed without an answer.
 */
must_check int call_start(struct manager *m, struct conn *conn,
                          struct buffer *wire);

/* Is there a method of this name that qubes may be allowed to use? */
bool call_is_for_qubes(struct span method);

/*
 * The qube that makes the request, in the handler.  0, or what to return if it
 * is dom0.
 */
must_check int call_source(struct call *c, struct qube *out);

/* Is this the beginning of a request whose payload goes past us? */
bool call_is_stream(struct span head);

/*
 * The connection has gone: what the call started goes on, and nobody is told.
 */
void call_forget(struct call *c);

/* Answers a call that was put off: 0, or what call_fail() returned.  Frees it. */
void call_finish(struct call *c, int result);

/*
 * Runs the handler of a call that was put off once more, from its start and in a
 * transaction of its own, and answers the call unless that puts it off again.
 */
void call_again(struct call *c);

/*
 * Makes what was changed so far durable, sends its events, and opens the next
 * transaction: between two steps on the host's files.  0 or what to return.
 */
must_check int call_step(struct call *c);

/* Says why not.  Returns a negative number for the handler to return. */
must_check int call_fail(struct call *c, enum exception ex, const char *fmt,
                         ...) printf_like(3);

/* The same for a failure of our own: QubesException. */
must_check int call_fault(struct call *c, int err, const struct fault *f);

/*
 * The value of a word KEY=VALUE of the payload, whose words are apart by a blank
 * or a newline; or false.
 */
must_check bool call_word(const struct call *c, const char *key, char *out,
                          size_t room);

/*
 * The payload as a text: 0, or what to return if it has a NUL, is not
 * printable ASCII (newlines are allowed if `lines`) or longer than `room` - 1.
 */
must_check int call_text(struct call *c, char *out, size_t room, bool lines);

/* Appends a value to the answer, on one line, with the escapes of Qubes' GetAll. */
void call_put_line(struct call *c, struct span value);
