/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket options, by the table in net/sockopts.def.
 */
#pragma once

#include "kernel/net/socket.h"

/* An option's value on its way; no option has a longer one. */
#define OPTVAL_SIZE 256u

struct optval {
	size_t size;  /* bytes that hold */
	size_t asked; /* getting: how many the caller has room for */
	union {
		int32_t number;
		uint8_t bytes[OPTVAL_SIZE];
	};
};

/*
 * Sets from, or gets into, *v.  0 or a negative errno.  A short buffer is the
 * caller's to cut the value to.
 */
must_check long sockopt_set(struct socket *s, struct task *t, int level,
                            int option, const struct optval *v);
must_check long sockopt_get(struct socket *s, struct task *t, int level,
                            int option, struct optval *v);

/* The table's rows in order, for its test: false beyond the end. */
bool sockopt_row(size_t n, int *level, int *option);
