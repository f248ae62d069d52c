/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's side of the control connection (channel/control.h): who started
 * us hears how the program ends, forwards signals and window sizes, and opens
 * for us what we cannot.  When the owner goes, so does the qube.
 */
#pragma once

#include "base/base.h"
#include "kernel/core/kernel.h"

struct owner;

/* A request under way; embedded in who asks. */
struct owner_request {
	struct list link;
	uint32_t cookie;
	/* The answer: a descriptor, which is the callee's, or negative errno. */
	void (*answered)(struct owner_request *r, int fd);
};

/* Takes over `fd`.  Sets k->owner.  0 or a negative errno. */
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

/* The program has ended, with this wait status. */
void owner_exited(struct kernel *k, uint32_t status);

/* There is no program: the exit status to end with, and why. */
void owner_failed(struct kernel *k, uint32_t exit_status, const char *why);
