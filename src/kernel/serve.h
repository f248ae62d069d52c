/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's life after start-up: serve requests until told to stop.
 */
#pragma once

#include "kernel/core/kernel.h"

/*
 * Runs until k->loop.stop.  Spins for a short while after each request, then
 * sleeps until something rings; idle, it uses no CPU at all.
 */
void serve_run(struct kernel *k);
