/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A qube stands still, or ends.
 *
 * Paused, no cell runs: the host has stopped them, and the kernel has nothing
 * to serve and sleeps.  Time goes on, so timers that were due fire afterwards.
 *
 * An orderly end asks all processes (SIGTERM, and SIGHUP for those that have a
 * terminal: shells ignore the first), waits until they have gone or patience
 * has, and kills the rest.
 */
#pragma once

#include "kernel/core/kernel.h"

struct halt;

/* 0, or -EALREADY when it is, or the qube is about to end. */
must_check int halt_pause(struct kernel *k);
must_check int halt_unpause(struct kernel *k);

/*
 * Begins the end; later calls can only shorten the patience.  The loop stops
 * when it is over.  0 or -ENOMEM.
 */
must_check int halt_begin(struct kernel *k, uint64_t patience_ms);

/* A program from outside is over: perhaps that was the last thing awaited. */
void halt_look(struct kernel *k);

void halt_destroy(struct kernel *k);
