/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own confinement, in three steps with no way back.  Each step is
 * a layer that holds without the others:
 *
 *	jail_begin()   no new privileges, no capabilities but those needed for
 *	               the user's own files, no core files; dies with its owner
 *	jail_files()   Landlock: only the folders handed over can be reached,
 *	               no TCP, and (ABI 6) no signal or abstract socket outside
 *	jail_calls()   seccomp: the host calls in kernel/seccomp.def, no others
 *
 * The owner may have put the kernel into namespaces before; that is a layer of
 * its own (jail_in_namespace()).  Cells are started between the second and
 * the third step: they must be in our Landlock domain for us to reach their
 * memory, and have a seccomp filter of their own.
 */
#pragma once

#include "base/landlock.h"

/* 0, or a negative errno and why. */
must_check int jail_begin(struct fault *f);

/*
 * Notes the places for jail_files(); their descriptors may go afterwards.
 * 0 and a descriptor in *plan, or -1 there on a host without Landlock; -ENOTSUP
 * if there is no PID namespace either, or another negative errno, and why.
 */
must_check int jail_plan(const struct landlock_place *place, size_t count,
                         int *plan, struct fault *f);

/*
 * Confines the calling thread, and all it starts, to the places of the plan
 * (borrowed).  0 or a negative errno.
 */
must_check int jail_files(int plan, struct fault *f);

/* From now on only the calls of kernel/seccomp.def.  0 or a negative errno. */
must_check int jail_calls(struct fault *f);

/* Are we process 1 of a PID namespace of our own? */
bool jail_in_namespace(void);
