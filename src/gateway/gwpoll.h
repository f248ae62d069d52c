/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway waits for, gathered anew for each turn of its loop: everyone
 * adds the descriptors it wants, and looks afterwards what became of them.
 */
#pragma once

#include <poll.h>

#include "base/base.h"

/* Descriptors that one turn can wait for. */
#define GWPOLL_MAX 2100u

#define GWPOLL_NONE SIZE_MAX

struct gwpoll {
	struct pollfd fds[GWPOLL_MAX];
	size_t count;
	int timeout_ms; /* the shortest that anyone asked for; -1: none */
};

void gwpoll_begin(struct gwpoll *p);

/* Adds a descriptor, and returns what gwpoll_got() wants; -1 is not added. */
must_check size_t gwpoll_add(struct gwpoll *p, int fd, short events);

void gwpoll_timeout(struct gwpoll *p, int ms);

/* Waits. 0 or a negative errno. */
must_check int gwpoll_wait(struct gwpoll *p);

/* What happened to it: POLLIN and so on. */
short gwpoll_got(const struct gwpoll *p, size_t at);
