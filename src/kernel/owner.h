/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel asks of its owner, who started it: to open files of the
 * host's /proc about its children, which the jail keeps it from.  The owner is
 * at the other end of the first control connection (kernel/clients.h) as long
 * as the qube lives.
 */
#pragma once

#include "base/base.h"
#include "channel/control.h"
#include "kernel/core/kernel.h"

struct owner;

/* A request under way; embedded in who asks. */
struct owner_request {
	struct list link;
	uint64_t cookie;
	/* The answer: a descriptor, which is the callee's, or negative errno. */
	void (*answered)(struct owner_request *r, int fd);
};

/* Borrows the connection `fd`.  Sets k->owner.  0 or -ENOMEM. */
must_check int owner_create(struct kernel *k, int fd);
void owner_destroy(struct kernel *k);

/*
 * Asks for /proc/PID/maps of the child behind `pidfd` (borrowed).  0 and an
 * answer will come, or a negative errno (-ENOTCONN in unit tests).
 */
must_check int owner_ask_maps(struct kernel *k, int pidfd,
                              struct owner_request *r);

/* The same for /proc/PID/statm. */
must_check int owner_ask_statm(struct kernel *k, int pidfd,
                               struct owner_request *r);

/* Nobody wants the answer any more.  Harmless on one not under way. */
void owner_forget(struct owner_request *r);

/* The owner's answer: takes its descriptor out of `fds`. */
void owner_opened(struct kernel *k, const struct control *c,
                  struct control_fds *fds);
