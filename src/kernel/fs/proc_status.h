/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/stat, statm and status.
 */
#pragma once

#include "kernel/fs/proc_process.h"

long proc_status_stat(const struct pseudo_ctx *c, struct text *out);
long proc_status_statm(const struct pseudo_ctx *c, struct text *out);
long proc_status_status(const struct pseudo_ctx *c, struct text *out);
