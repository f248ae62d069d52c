/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/maps and smaps: the host's, without what is ours, and with the
 * names that files have inside.
 */
#pragma once

#include "kernel/fs/proc_process.h"

long proc_maps_show(const struct pseudo_ctx *c, struct text *out);
long proc_maps_show_sizes(const struct pseudo_ctx *c, struct text *out);

/* What is needed to know besides the host's text. */
struct proc_maps_how {
	uint64_t stack, heap; /* addresses in them; 0: none */
	bool sizes;           /* as smaps */
};

/* The same of a text of the host's; for the functions above and for tests. */
void proc_maps_translate(struct kernel *k, struct span host,
                         const struct proc_maps_how *how, struct text *out);
