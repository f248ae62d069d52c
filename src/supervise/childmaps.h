/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens what the host says about a cell's memory for its kernel, which cannot reach the
 * host's /proc by itself.
 */
#pragma once

#include "base/base.h"

/*
 * /proc/PID/FILE of the process behind `pidfd`, if that is a child of
 * `kernel`.  A descriptor; -ESRCH when it has gone, -EPERM when it is not a
 * child of the kernel, or another negative errno.
 */
must_check int childmaps_open(pid_t kernel, int pidfd, const char *file);
