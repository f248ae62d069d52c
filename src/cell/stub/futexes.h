/* SPDX-License-Identifier: Apache-2.0 */
/*
 * futex(2), by the host's own.  A thread that waits is woken for its signals
 * by the kick, wherever it is between the look for them and the wait.
 *
 * Priority inheritance wants host tids in the guest's words, and the guest has
 * others.  As priorities never reach the host there is nothing to inherit, so
 * those locks are made of plain waits here.  The word is as futex(2) says: the
 * owner's tid or 0, and FUTEX_WAITERS if the owner must ask for a wake-up.
 * Who has waited sets that bit when it takes the lock, as others may wait on.
 */
#pragma once

#include "cell/stub/area.h"

/*
 * Returns what futex(2) returns, or a restart code.  `masked` says that the
 * kick is blocked, as it is inside signal handlers.
 */
long futexes_call(struct area *a, const uint64_t arg[6], bool masked);

/* The operations done natively, as bits. */
#define FUTEXES_NATIVE \
	(1u << 0 | 1u << 1 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 9 | 1u << 10)
