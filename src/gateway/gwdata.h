/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data channel: the streams of one call, as messages.
 *
 * The server has the service. It takes DATA_STDIN; it sends DATA_STDOUT and
 * DATA_STDERR, an empty one of each at its end, and when both are through
 * DATA_EXIT_CODE. The caller has the other side. Whoever sends anything else, or
 * more behind an end, loses the connection.
 *
 * Local descriptors stay blocking, since others may share them: they are touched
 * when poll(2) says so, and written in pieces that a pipe takes then.
 */
#pragma once

#include "gateway/gwlink.h"

enum gwdata_role { GWDATA_CALLER, GWDATA_SERVER };

/* The streams of a service, as seen from the local side. */
enum gwdata_stream {
	GWDATA_IN,     /* standard input */
	GWDATA_OUT,    /* standard output */
	GWDATA_ERRORS, /* standard errors */
	GWDATA_STATUS, /* four bytes, little-endian, at the end; or -1 */
	GWDATA_STREAMS,
};

struct gwdata_from {
	int fd; /* -1: at its end */
	uint32_t type;
	size_t at;
};

struct gwdata_to {
	int fd; /* -1: nobody is there; what comes is thrown away */
	uint32_t type;
	bool ended;
	bool filter; /* for a terminal */
	struct buffer waiting;
	size_t at;
};

struct gwdata {
	enum gwdata_role role;
	struct gwlink link; /* its fd is -1 before gwdata_attach() */
	struct gwdata_from from[2];
	struct gwdata_to to[2];
	int status;
	size_t status_at;
	uint8_t code[4];
	size_t code_size; /* 4: known */
	bool code_sent;
	bool over;
};

/* Takes the streams over; each may be -1. */
void gwdata_init(struct gwdata *d, enum gwdata_role role,
                 const int streams[GWDATA_STREAMS]);
void gwdata_fini(struct gwdata *d);

/* A server whose service is not there, or a caller who gets no answer. */
void gwdata_set_code(struct gwdata *d, uint32_t code);

/* The channel is there: a connected socket, taken over. */
void gwdata_attach(struct gwdata *d, int fd);

void gwdata_poll(struct gwdata *d, struct gwpoll *p);

/* Moves bytes. Afterwards d->over may be true; all is then done. */
void gwdata_step(struct gwdata *d, const struct gwpoll *p);

/* The exit code, if it is known; else QRMSG_PROBLEM. */
uint32_t gwdata_code(const struct gwdata *d);
