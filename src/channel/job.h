/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program to be run in a qube: the record that goes with the control message
 * `run` (channel/control.def), in a memory file.  channel/wire.h says what
 * it is made of.
 *
 * The descriptors of the message are, in this order: the record, the streams
 * that are descriptors, and the terminal if a stream is one: a stream socket
 * on whose far end someone shows it.
 */
#pragma once

#include "channel/wire.h"

#define JOB_USER_MAX 255u

/* What one of the program's three streams is. */
enum job_stream {
	JOB_CLOSED,     /* there is none */
	JOB_DESCRIPTOR, /* a descriptor of the host, handed over */
	JOB_TERMINAL,   /* a terminal of its own */
};

struct job {
	uint8_t stream[3];
	uint16_t rows, columns; /* of the terminal */
	struct span user;       /* empty: `user` */
	struct span cwd;        /* empty: the user's home, or / without one */
	struct wire_list args;  /* at least one */
	struct wire_list env;   /* HOME, USER, LOGNAME and SHELL are added */
};

/*
 * Reads a record.  The strings in *out lie in `wire`.  Returns 0, or -EPROTO
 * when it is not as described, and leaves *out alone.
 */
must_check int job_parse(struct span wire, struct job *out);

/*
 * Writes a record into memory of its own, which the caller frees.  Returns 0,
 * -EINVAL when job_parse() would refuse it, -ENOMEM.
 */
must_check int job_format(const struct job *j, uint8_t **out, size_t *size);

/* How many descriptors come behind the record. */
uint32_t job_descriptors(const struct job *j);
