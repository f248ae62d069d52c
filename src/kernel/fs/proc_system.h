/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of /proc's files about the whole qube, one function for each
 * name in proc_system.def.
 */
#pragma once

#include "kernel/fs/pseudo.h"

#define FILE(path, mode, name) \
	long proc_system_##name(const struct pseudo_ctx *c, struct text *out);
#define TEXT(path, text)
#define LINK(path, target)
#include "kernel/fs/proc_system.def"

/* CPUs that guests may use; at least one. */
unsigned proc_system_cpus(void);

#define PROC_SYSTEM_RELEASE "6.12.0"
#define PROC_SYSTEM_VERSION "#1 SMP PREEMPT_DYNAMIC Bento"
