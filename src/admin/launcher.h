/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the manager for whoever finds none.
 *
 * No race between several who do: each starts one, the managers queue for
 * runtime/manager.start, and whoever finds another listening by then says so and
 * ends.  The manager tells on its stdout: "ready" and a newline when somebody
 * listens, else the sentence that says why not.
 */
#pragma once

#include "admin/paths.h"

#define LAUNCHER_READY "ready\n"

/* 0 when a manager listens; or a negative errno. */
must_check int launcher_start(const struct paths *p, struct fault *f);
