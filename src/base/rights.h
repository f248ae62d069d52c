/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages over unix sockets with descriptors beside them (SCM_RIGHTS).
 */
#pragma once

#include "base/base.h"
#include "base/span.h"

#include <sys/resource.h>
#include <sys/types.h>

#define RIGHTS_MAX 253u /* in one message, as Linux has it */

/*
 * Raises this process's limit of descriptors to the most it may have.  Descriptors
 * between sockets, of all processes of the user together, count against the limit of
 * who sends one more (ETOOMANYREFS): with a usual limit of 1,024 whoever fills his
 * sockets would keep everybody else of that user from sending any.
 *
 * Returns what it was, for rights_allow(), which sets it: programs that are not ours
 * do not inherit a raised one, since select(2) knows no descriptor above 1,023.
 */
rlim_t rights_allow_many(void);
void rights_allow(rlim_t most);

/*
 * Sends bytes and descriptors, which are borrowed; `flags` are sendmsg(2)'s, and
 * MSG_NOSIGNAL.  How many bytes went, or a negative errno.
 */
must_check ssize_t rights_send(int sock, struct span bytes, const int *fds,
                               size_t count, int flags);

/* What came, beside the bytes. */
struct rights_got {
	size_t count; /* of descriptors */
	bool cut;     /* there were more bytes */
	bool lost;    /* there were more descriptors: all are closed */
};

/*
 * Receives at most `size` bytes and `room` descriptors, which are close-on-exec
 * and the caller's; `flags` are recvmsg(2)'s.  How many bytes, 0 at the end, or
 * a negative errno and nothing came.
 */
must_check ssize_t rights_receive(int sock, void *to, size_t size, int *fds,
                                  size_t room, struct rights_got *got,
                                  int flags);
