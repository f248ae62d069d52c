/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control messages: the list of (level, type, data) beside the bytes of
 * sendmsg(2) and recvmsg(2).
 *
 *	le64	size, of head and data, without the padding that follows
 *	le32	level
 *	le32	type
 *	...	data, then padding to a multiple of eight
 */
#pragma once

#include "base/span.h"
#include "kernel/net/sockabi.h"

struct cmsg {
	int32_t level;
	int32_t type;
	struct span data; /* borrowed */
};

/*
 * Takes the next message off.  Returns 1 and fills *out, 0 at the end (a rest
 * too short for a head is no message), or -EINVAL for a size that lies.
 */
must_check int cmsg_next(struct reader *r, struct cmsg *out);

/* A list being written: our side of it, and how much the caller has room for. */
#define CMSGOUT_SIZE 2048u

struct cmsgout {
	size_t room; /* the caller's */
	size_t size; /* written so far */
	bool truncated;
	uint8_t bytes[CMSGOUT_SIZE];
};

void cmsg_out_init(struct cmsgout *o, size_t room);

/* Appends a message, cut to the room there is; notes when it was. */
void cmsg_put(struct cmsgout *o, int32_t level, int32_t type, const void *data,
              size_t size);

/* How many bytes of data one more message may have, uncut. */
size_t cmsg_room(const struct cmsgout *o);
