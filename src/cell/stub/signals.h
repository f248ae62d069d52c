/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's signals.  The kernel owns dispositions and what is pending; the
 * slot's mask, the alternate stack and the frames are ours.
 *
 * All work on the frame of one of our host handlers: what is changed in it is
 * what the thread goes on with.
 */
#pragma once

#include "cell/stub/area.h"

#define SIGNALS_NO_CALL (-1L)

/* Is `result` one of the codes that stand for "interrupted"? */
bool signals_restart_code(long result);

/*
 * Delivers what is deliverable.  `nr` is the call that has just ended with the
 * result in c->rax, or SIGNALS_NO_CALL; an interrupted call is made to restart
 * or to fail with EINTR.
 */
void signals_deliver(struct area *a, struct context *c, long nr);

/* rt_sigreturn(2): continues with the guest's frame. */
void signals_return(struct area *a, struct context *c);

/* A fault of the guest's own code, described by `info`. */
void signals_fault(struct area *a, struct context *c, int sig,
                   const uint8_t info[128]);

/* rt_sigprocmask(2) and sigaltstack(2); `sp` is the guest's stack pointer. */
long signals_mask(struct area *a, const uint64_t arg[6]);
long signals_altstack(struct area *a, const uint64_t arg[6], uint64_t sp);
