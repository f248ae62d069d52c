/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the Admin API:
 *
 *	'0' NUL data                                     it worked
 *	'1' NUL subject NUL event NUL (key NUL value NUL)* NUL    an event
 *	'2' NUL type NUL traceback NUL message NUL       an exception
 *
 * Data and exceptions end with the connection; events follow one another.  The
 * traceback is always empty.  A '%' of the message is doubled on the wire, since
 * clients of Qubes fill in what comes behind it.
 */
#pragma once

#include "base/buffer.h"

#define REPLY_TYPE_MAX  63u
#define REPLY_PAIRS_MAX 16u

void reply_ok(struct buffer *b, struct span data);
void reply_exception(struct buffer *b, const char *type, const char *message);

struct reply_pair {
	const char *key; /* not empty */
	const char *value;
};

struct reply_event {
	const char *subject; /* a qube, or "" */
	const char *name;
	struct reply_pair pair[REPLY_PAIRS_MAX];
	size_t count;
};

void reply_event(struct buffer *b, const struct reply_event *e);

/* The value of `key` in an event, or NULL. */
const char *reply_value(const struct reply_event *e, const char *key);

enum reply_kind { REPLY_OK, REPLY_EVENT, REPLY_EXCEPTION };

struct reply {
	enum reply_kind kind;
	struct span data; /* REPLY_OK; lies in `wire` */
	char type[REPLY_TYPE_MAX + 1];
	char message[512]; /* REPLY_EXCEPTION; cut to fit */
};

/* Reads a whole answer that is not of events.  0 or -EPROTO. */
must_check int reply_parse(struct span wire, struct reply *out);

/*
 * Reads the first event of `wire`.  Returns its size and fills *out, whose
 * texts lie in `wire`; 0 if it is not complete yet; -EPROTO if it cannot
 * become one.
 */
must_check ssize_t reply_parse_event(struct span wire, struct reply_event *out);
