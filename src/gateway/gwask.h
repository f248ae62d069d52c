/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the manager: one question on a connection of its own, one answer up to
 * its end. The policy socket is asked who may, manager.sock (bento.Call) for the
 * streams of a service. Nothing here waits.
 */
#pragma once

#include "base/fault.h"
#include "gateway/gwdata.h"

#define GWASK_ANSWER_MAX 65536u

struct gwask {
	int fd;
	struct buffer out;
	struct buffer in;
	int packed; /* the descriptor that came along, or -1 */
	bool half;  /* our half is closed once all is sent */
	size_t at;
};

struct gwask_call {
	struct span qube;
	struct span service;
	struct span source;
	struct span user; /* empty or DEFAULT: as the qube says */
};

struct gwask_verdict {
	char target[QRMSG_QUBE_SIZE];
	char user[QRMSG_IDENT_SIZE]; /* "": as the qube says */
};

/* Begins to ask for the streams of a call. 0 or a negative errno. */
must_check int gwask_call(struct gwask *a, const char *path,
                          const struct gwask_call *c);

/* Begins to ask the policy. 0 or a negative errno. */
must_check int gwask_policy(struct gwask *a, const char *path, uint32_t domain,
                            struct span source, const struct qrmsg_trigger *t);

void gwask_poll(struct gwask *a, struct gwpoll *p);

/* 0: the answer is there; -EAGAIN: not yet; or another negative errno. */
must_check int gwask_step(struct gwask *a, const struct gwpoll *p);

/* Takes the streams out of the answer. 0 or a negative errno. */
must_check int gwask_streams(struct gwask *a, int streams[GWDATA_STREAMS]);

/* Reads the policy's answer: 0 for an allow, else -EACCES. */
must_check int gwask_read_verdict(const struct gwask *a,
                                  struct gwask_verdict *out);

void gwask_fini(struct gwask *a);
