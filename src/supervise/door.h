/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A qube's door: the listening socket of its kernel, as a name in a folder of
 * the user's.  A name behind which nobody listens is left over from a qube that
 * has gone; the next one of that name takes its place.
 */
#pragma once

#include "base/fault.h"

/*
 * Makes the door `name` in the folder behind `dir` (borrowed), in place of one
 * that is left over: the caller sees to it that no such qube runs.  A listening
 * descriptor for the kernel (supervise/keeper.h), or a negative errno.
 */
must_check int door_make(int dir, const char *name, struct fault *f);

/*
 * A control connection (channel/control.h), non-blocking, which the caller
 * owns; or a negative errno: -ENOENT and -ECONNREFUSED when no such qube runs.
 */
must_check int door_enter(int dir, const char *name, struct fault *f);
