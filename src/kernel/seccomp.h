/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own seccomp filter, from the table in kernel/seccomp.def: what
 * is not in the table kills the process.
 */
#pragma once

#include "base/hostcalls.h"

/*
 * Writes the program; what is refused gets `refusal` (SECCOMP_RET_*).  Returns
 * the number of instructions, at most HOSTCALLS_FILTER_MAX.
 */
size_t seccomp_build(struct sock_filter prog[static HOSTCALLS_FILTER_MAX],
                     uint32_t refusal);

/*
 * Installs it for the calling thread and all it starts; no_new_privs must be
 * set.  With BENTO_SECCOMP=trap in the environment a refused call is told on
 * stderr before the end.  0 or a negative errno.
 */
must_check int seccomp_enter(void);
