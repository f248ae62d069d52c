/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/mounts and mountinfo: the mounts below the process's root.
 */
#pragma once

#include "kernel/fs/pseudo.h"

long proc_mounts_table(const struct pseudo_ctx *c, struct text *out);
long proc_mounts_info(const struct pseudo_ctx *c, struct text *out);
