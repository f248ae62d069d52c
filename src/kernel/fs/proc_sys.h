/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Those files of /proc/sys that are not always the same.
 */
#pragma once

#include "kernel/fs/pseudo.h"

#define VALUE(path, text)
#define SHOW(path, name) \
	long proc_sys_##name(const struct pseudo_ctx *c, struct text *out);
#define KNOB(path, name)                                                    \
	long proc_sys_##name(const struct pseudo_ctx *c, struct text *out); \
	long proc_sys_set_##name(const struct pseudo_ctx *c, struct span text);
#include "kernel/fs/proc_sys.def"
