/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the kernel of our qube for a call to another (channel/agent.h).
 */
#pragma once

#include "base/fault.h"
#include "channel/agent.h"

struct guestcall_ask {
	const char *socket;  /* NULL: AGENT_SOCKET */
	const char *source;  /* NULL: this qube */
	const char *target;  /* "": as policy says */
	const char *service; /* with or without argument */
};

/*
 * Asks and waits for the answer. 0 and the four streams, the caller's to close,
 * by enum agent_stream; -EACCES when it was refused; -EINVAL when a name is too
 * long; or another negative errno when there was no answer.
 *
 * Who gives `undecided` need not wait: the answer may still be to come, on that
 * socket, which is the caller's and to be kept until then; -1: it has come.
 */
must_check int guestcall_open(const struct guestcall_ask *ask,
                              int streams[AGENT_STREAMS], int *undecided,
                              struct fault *f);

/* Waits for that answer: 0 when it was allowed, or as above. */
must_check int guestcall_decided(int undecided, struct fault *f);

/* The status of a program that ends because of what guestcall_open() said. */
int guestcall_exit(int err);

/*
 * Reads the service's exit status; AGENT_EXIT_PROBLEM if there is none. The
 * stream stays open.
 */
int guestcall_status(int stream);

/* Writes all to a socket of a call, or any file. 0 or a negative errno. */
must_check int guestcall_write(int fd, const void *bytes, size_t size);
