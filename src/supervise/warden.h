/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that outlives a kernel in order to end what the kernel leaves: where
 * there is no PID namespace, a hostile guest's processes of its own making would
 * stay when SIGKILL takes the kernel and its owner at once, or the owner first.
 *
 * It sleeps in the kernel's process group, which nothing in a cell can leave,
 * until the kernel has ended, and then ends the group, itself too.  It is
 * outside of the kernel's Landlock domain, may wait and kill its own group, and
 * hears from nobody.
 */
#pragma once

#include "base/base.h"

/*
 * Called by what is to be a kernel, at the head of its process group and before
 * exec; keeps clear of whatever is not safe in the child of a process with
 * threads.  0, or a negative errno: there is no warden.
 */
must_check int warden_start(void);
