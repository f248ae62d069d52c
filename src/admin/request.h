/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of the Admin API, as it goes over the manager's socket:
 *
 *	METHOD[+ARGUMENT] SOURCE name TARGET NUL PAYLOAD
 *
 * then the caller shuts its side down.  `keyword adminvm` may stand for
 * `name dom0`.  The whole is at most REQUEST_SIZE_MAX bytes.  A connection
 * that carries anything else is closed without an answer.
 */
#pragma once

#include "base/buffer.h"

#define REQUEST_SIZE_MAX   65536u
#define REQUEST_METHOD_MAX 63u
#define REQUEST_WORD_MAX   255u /* argument, source, target */

struct request {
	struct span method;
	struct span argument; /* may be empty */
	struct span source;
	struct span target;
	struct span payload; /* may be empty */
};

/*
 * Reads a whole request.  0 and *out, whose spans lie in `wire` (a target of
 * `keyword adminvm` is "dom0", and static); or -EPROTO, and *out is left alone.
 * Methods are of letters, digits, '.', '_' and '-'; the other words of printable
 * ASCII without blanks.
 */
must_check int request_parse(struct span wire, struct request *out);

/* Appends a request; one that parses gives one that parses to the same. */
void request_format(struct buffer *b, const struct request *r);
