/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /sys, from sysfs.def.  CPUs are numbered children named cpuN: their
 * directories hang under a prefix of the name.
 */
#include <linux/magic.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/fs/proc_system.h"
#include "kernel/fs/pseudo.h"
#include "kernel/fs/world.h"
#include "kernel/task/memory.h"

typedef const struct pseudo_ctx ctx;

static long show_nothing(ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "\n");
	return 0;
}

static long show_cpus(ctx *c, struct text *out)
{
	unsigned n = proc_system_cpus();

	(void)c;
	if (n > 1)
		text_add(out, "0-%u\n", n - 1);
	else
		text_add(out, "0\n");
	return 0;
}

static long show_node(ctx *c, struct text *out)
{
	(void)c;
	text_add(out, "0\n");
	return 0;
}

static long show_meminfo(ctx *c, struct text *out)
{
	const struct limits *l = &c->kernel->limits;
	uint64_t all = MAX(l->total, l->memory);

	text_add(out, "Node 0 MemTotal:       %llu kB\n",
	         (unsigned long long)(all / 1024));
	text_add(out, "Node 0 MemFree:        %llu kB\n",
	         (unsigned long long)((all - MIN(all, memory_used(c->kernel))) /
	                              1024));
	return 0;
}

static long show_number(ctx *c, struct text *out)
{
	text_add(out, "%d\n", c->number);
	return 0;
}

/* A set of CPUs in words of 32, the highest first. */
static void add_mask(struct text *out, unsigned from, unsigned count)
{
	unsigned words = (proc_system_cpus() + 31) / 32;

	while (words-- > 0) {
		uint32_t bits = 0;

		for (unsigned b = 0; b < 32; b++) {
			unsigned cpu = words * 32 + b;

			if (cpu >= from && cpu < from + count)
				bits |= 1u << b;
		}
		text_add(out, "%08x%s", bits, words ? "," : "\n");
	}
}

static long show_mask(ctx *c, struct text *out)
{
	add_mask(out, (unsigned)c->number, 1);
	return 0;
}

static long show_all_mask(ctx *c, struct text *out)
{
	(void)c;
	add_mask(out, 0, proc_system_cpus());
	return 0;
}

static void add_cache(struct text *out, int name, long usual)
{
	long size = sysconf(name);

	text_add(out, "%ldK\n", (size > 0 ? size : usual) / 1024);
}

static long show_cache_1(ctx *c, struct text *out)
{
	(void)c;
	add_cache(out, _SC_LEVEL1_DCACHE_SIZE, 32 << 10);
	return 0;
}

static long show_cache_2(ctx *c, struct text *out)
{
	(void)c;
	add_cache(out, _SC_LEVEL2_CACHE_SIZE, 1 << 20);
	return 0;
}

static long show_cache_3(ctx *c, struct text *out)
{
	(void)c;
	add_cache(out, _SC_LEVEL3_CACHE_SIZE, 16 << 20);
	return 0;
}

#define TEXT(path, text)   PSEUDO_TEXT(path, text)
#define FILE(path, name)   PSEUDO_FILE(path, 0444, show_##name)
#define LINK(path, target) PSEUDO_LINK(path, target)
#define FOLDER(path_)      {.path = (path_), .mode = 0040555},

static const struct pseudo_row cpu_rows[] = {
#include "kernel/fs/sysfs_cpu.def"
};

static const struct pseudo_table cpu_table = {
	.rows = cpu_rows,
	.count = ARRAY_LEN(cpu_rows),
};

static bool find_cpu(ctx *c, int32_t number, struct pseudo_ctx *child)
{
	(void)c;
	child->number = number;
	return number >= 0 && (unsigned)number < proc_system_cpus();
}

static int32_t next_cpu(ctx *c, int32_t from)
{
	(void)c;
	return (unsigned)from < proc_system_cpus() ? from : -1;
}

static const struct pseudo_numbers cpus = {
	.prefix = "cpu",
	.find = find_cpu,
	.next = next_cpu,
	.table = &cpu_table,
};

#define TEXT(path, text)   PSEUDO_TEXT(path, text)
#define FILE(path, name)   PSEUDO_FILE(path, 0444, show_##name)
#define LINK(path, target) PSEUDO_LINK(path, target)
#define FOLDER(path_)      {.path = (path_), .mode = 0040555},

static const struct pseudo_row rows[] = {
	{.path = "devices/system/cpu", .mode = 0040555, .numbers = &cpus},
#include "kernel/fs/sysfs.def"
};

static const struct pseudo_table table = {
	.rows = rows,
	.count = ARRAY_LEN(rows),
};

static const struct superblock_ops sb_ops = {.name = "sysfs"};

int sysfs_create(struct kernel *k, struct superblock **out)
{
	return pseudo_create(k, &sb_ops, SYSFS_MAGIC, &table, out);
}
