/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/mem and auxv: a process's memory, for those who may look into it.
 *
 * Whoever has opened `mem` keeps the memory of the program that ran then: once
 * the process runs another, there is nothing any more.  Unlike on Linux, pages
 * that the process itself may not write are not written.
 */
#pragma once

#include "kernel/fs/pseudo.h"

/* pseudo_row.open of mem. */
must_check long proc_mem_open(const struct pseudo_ctx *c, struct file *f);

/* The vector that the program was started with. */
must_check long proc_mem_auxv(const struct pseudo_ctx *c, struct text *out);
