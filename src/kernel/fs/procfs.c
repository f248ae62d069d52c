/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc: how its tables hang together.
 *
 *	root       proc_system.def, sys/ from proc_sys.def, and a number for
 *	           each process:
 *	PID        proc_process.def, and task/ with a number for each task:
 *	PID/task/N proc_process.def again
 */
#include <linux/magic.h>

#include "kernel/fs/proc_links.h"
#include "kernel/fs/proc_maps.h"
#include "kernel/fs/proc_mem.h"
#include "kernel/fs/proc_mounts.h"
#include "kernel/fs/proc_net.h"
#include "kernel/fs/proc_process.h"
#include "kernel/fs/proc_status.h"
#include "kernel/fs/proc_sys.h"
#include "kernel/fs/proc_system.h"
#include "kernel/fs/world.h"

/* ---- /proc/PID/task ---- */

static bool find_task(const struct pseudo_ctx *c, int32_t number,
                      struct pseudo_ctx *child)
{
	child->tid = number;
	return number > 0 && proc_process_task(child) != NULL && c->pid > 0;
}

static int32_t next_task(const struct pseudo_ctx *c, int32_t from)
{
	const struct process *p = proc_process_of(c);
	int32_t best = -1;

	if (!p)
		return -1;
	list_for_each (at, &p->tasks) {
		int32_t tid = list_entry(at, struct task, in_process)->tid;

		if (tid >= from && (best < 0 || tid < best))
			best = tid;
	}
	return best;
}

static const struct pseudo_table task_table;

static const struct pseudo_numbers tasks = {
	.find = find_task,
	.next = next_task,
	.table = &task_table,
};

/* ---- /proc/PID ---- */

#define FILE(path, mode, name) PSEUDO_FILE(path, mode, proc_process_##name)
#define KNOB(path, mode, name) \
	PSEUDO_KNOB(path, mode, proc_process_##name, proc_process_set_##name)
#define STATUS(path, mode, name)  PSEUDO_FILE(path, mode, proc_status_##name)
#define MAPS(path, mode, name)    PSEUDO_FILE(path, mode, proc_maps_##name)
#define MOUNTS(path, mode, name)  PSEUDO_FILE(path, mode, proc_mounts_##name)
#define NETWORK(path, mode, name) PSEUDO_FILE(path, mode, proc_net_##name)
#define MEM(path, mode, name)     PSEUDO_FILE(path, mode, proc_mem_##name)
#define OPENS(path_, mode_, name)   \
	{.path = (path_),           \
	 .mode = 0100000 | (mode_), \
	 .open = proc_##name##_open},
#define TEXT(path, text) PSEUDO_TEXT(path, text)
#define LINK(path_, name)           \
	{.path = (path_),           \
	 .mode = 0120777,           \
	 .link = proc_links_##name, \
	 .jump = proc_links_to_##name},
#define NAMESPACE(path_, name) \
	{.path = (path_), .mode = 0120777, .link = proc_links_ns_##name},
#define NUMBERS(path_, mode_, name) \
	{.path = (path_),           \
	 .mode = 0040000 | (mode_), \
	 .numbers = &proc_links_##name},

static const struct pseudo_row process_rows[] = {
#include "kernel/fs/proc_process.def"
	{.path = "task", .mode = 0040555, .numbers = &tasks},
};

static const struct pseudo_table process_table = {
	.rows = process_rows,
	.count = ARRAY_LEN(process_rows),
};

/* A task has what its process has, but for the last row. */
static const struct pseudo_table task_table = {
	.rows = process_rows,
	.count = ARRAY_LEN(process_rows) - 1,
};

static bool find_process(const struct pseudo_ctx *c, int32_t number,
                         struct pseudo_ctx *child)
{
	struct process *p = process_find(c->kernel, number);
	struct task *t = p ? NULL : task_find(c->kernel, number);

	/* A task's number finds its process, though it is not listed. */
	if (!p && t)
		p = t->process;
	if (!p || number <= 0 || p->reaped)
		return false;
	child->pid = p->pid;
	child->tid = t ? number : 0;
	return true;
}

static int32_t next_process(const struct pseudo_ctx *c, int32_t from)
{
	const struct process *p = process_next(c->kernel, MAX(from, 1) - 1);

	return p ? p->pid : -1;
}

static const struct pseudo_numbers processes = {
	.find = find_process,
	.next = next_process,
	.table = &process_table,
};

/* ---- /proc ---- */

#define FILE(path, mode, name) PSEUDO_FILE(path, mode, proc_system_##name)
#define TEXT(path, text)       PSEUDO_TEXT(path, text)
#define LINK(path, target)     PSEUDO_LINK(path, target)
#define VALUE(path, text)      PSEUDO_TEXT("sys/" path, text "\n")
#define SHOW(path, name)       PSEUDO_FILE("sys/" path, 0444, proc_sys_##name)
#define KNOB(path, name) \
	PSEUDO_KNOB("sys/" path, 0644, proc_sys_##name, proc_sys_set_##name)

static const struct pseudo_row root_rows[] = {
	{.path = "self", .mode = 0120777, .link = proc_links_self},
	{.path = "thread-self",
         .mode = 0120777,
         .link = proc_links_thread_self},
#include "kernel/fs/proc_sys.def"
#include "kernel/fs/proc_system.def"
};

static const struct pseudo_table root_table = {
	.rows = root_rows,
	.count = ARRAY_LEN(root_rows),
	.numbers = &processes,
};

static long statfs_of(struct superblock *sb, struct task *t, abi_statfs *out)
{
	(void)sb, (void)t;
	out->bsize = 4096;
	out->frsize = 4096;
	out->namelen = 255;
	return 0;
}

static const struct superblock_ops sb_ops = {
	.name = "proc",
	.statfs = statfs_of,
};

int procfs_create(struct kernel *k, struct superblock **out)
{
	return pseudo_create(k, &sb_ops, PROC_SUPER_MAGIC, &root_table, out);
}
